#include "emu/cli/trace_text.hpp"

#include <cerrno>
#include <cstring>
#include <string_view>

#include "emu/log/event_names.hpp"
#include "guest/abi/event_port.hpp"

namespace forkscope::cli {

namespace {

using log::EventKind;
using log::mask_of;

struct Item {
    std::string_view word;
    log::KindMask kinds;
};

constexpr Item kItems[] = {
    {"int", mask_of(EventKind::Interrupt) | mask_of(EventKind::PageFault) | mask_of(EventKind::Syscall) |
                mask_of(EventKind::SyscallReturn)},
    {"mmu", mask_of(EventKind::PteWrite) | mask_of(EventKind::TableLink) | mask_of(EventKind::TableUnlink) |
                mask_of(EventKind::PteFound) | mask_of(EventKind::TlbFill) | mask_of(EventKind::Flush) |
                mask_of(EventKind::FaultResolved) | mask_of(EventKind::Finding) | mask_of(EventKind::Audit) |
                mask_of(EventKind::RootDeath)},
    {"cpu", mask_of(EventKind::Cr3Switch) | mask_of(EventKind::Stop)},
    {"task", mask_of(EventKind::Announce)},
};

// What the four values of an event mean for its kind; the rest of the line is the same for all.
std::string details(const log::Event& e) {
    switch (e.kind) {
        case EventKind::PteWrite:
            return fmt::format("L{} entry {:x} va {:x}: {:016x} -> {:016x} by {}", e.level, e.pa, e.va, e.a,
                               e.b, log::name_of(e.cause));
        case EventKind::TableLink:
        case EventKind::TableUnlink:
            return fmt::format("L{} table {:x} va {:x} by entry {:x}, {} references", e.level, e.pa, e.va,
                               e.a, e.b);
        case EventKind::PteFound:
            return fmt::format("L{} entry {:x} va {:x}: {:016x}", e.level, e.pa, e.va, e.b);
        case EventKind::TlbFill:
            return fmt::format("va {:x} -> {:x} entry {:016x} access {:x}", e.va, e.pa, e.a, e.flags);
        case EventKind::Flush:
            return fmt::format("{} va {:x} {:x} -> {:x}", log::name_of(static_cast<log::FlushKind>(e.aux)),
                               e.va, e.a, e.b);
        case EventKind::PageFault:
            return fmt::format("cr2 {:x} error {:x} L{} entry {:x} = {:016x}", e.va, e.a, e.level, e.pa, e.b);
        case EventKind::FaultResolved:
            return fmt::format("va {:x} -> {:x} of fault at {}", e.va, e.pa, e.a);
        case EventKind::Cr3Switch:
            return fmt::format("{:x} -> {:x}", e.a, e.b);
        case EventKind::Interrupt:
            return fmt::format("vector {:#x} error {:x} handler {:x}", e.aux, e.a, e.va);
        case EventKind::Syscall:
            return fmt::format("{}({:x}, {:x}, {:x})", e.a, e.b, e.va, e.pa);
        case EventKind::SyscallReturn:
            return fmt::format("{} = {:x}", e.a, e.b);
        default:
            return fmt::format("{} {:x} {:x} {:x} {:x}", e.aux, e.a, e.b, e.va, e.pa);
    }
}

}  // namespace

Result<log::KindMask> parse_trace_items(const std::string& items) {
    log::KindMask kinds = 0;
    std::string known;
    for (const Item& item : kItems) known += fmt::format("{}{}", known.empty() ? "" : ", ", item.word);
    for (size_t from = 0; from <= items.size();) {
        const size_t to = std::min(items.find(',', from), items.size());
        const std::string_view word = std::string_view(items).substr(from, to - from);
        const Item* found = nullptr;
        for (const Item& item : kItems)
            if (item.word == word) found = &item;
        if (found == nullptr) return fail("-d {}: '{}' is unknown; there are: {}", items, word, known);
        kinds |= found->kinds;
        from = to + 1;
    }
    return kinds;
}

Result<std::unique_ptr<TraceText>> TraceText::open(const std::string& path, log::KindMask kinds) {
    std::FILE* file = path.empty() ? stderr : std::fopen(path.c_str(), "we");
    if (file == nullptr) return fail("-D {}: cannot create the file: {}", path, strerror(errno));
    return std::unique_ptr<TraceText>(new TraceText(path.empty() ? "standard error" : path, file, kinds));
}

void TraceText::consume(std::span<const log::Event> events) {
    for (const log::Event& e : events) {
        if ((kinds_ & mask_of(e.kind)) == 0) continue;
        write(fmt::format("{:>12} cpu{} cpl{} task {} rip {:x} root {:x} {} {}\n", e.icount, e.cpu, e.cpl,
                          e.task, e.rip, e.root, log::name_of(e.kind), details(e)));
    }
}

void TraceText::note(const std::string& line) { write(line + "\n"); }

void TraceText::write(const std::string& text) {
    if (error_ == 0 && std::fwrite(text.data(), 1, text.size(), file_.get()) != text.size()) error_ = errno;
}

Result<void> TraceText::status() {
    if (error_ == 0 && std::fflush(file_.get()) != 0) error_ = errno;
    if (error_ != 0) return fail("-D {}: cannot write: {}", name_, strerror(error_));
    return {};
}

}  // namespace forkscope::cli
