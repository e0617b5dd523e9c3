// Events in words.
#include "tools/log/text/event_text.hpp"

#include <fmt/format.h>

#include "emu/log/entry_bits.hpp"
#include "emu/log/event_names.hpp"
#include "tools/log/text/decode.hpp"
#include "tools/log/text/entry_text.hpp"
#include "tools/log/text/numbers.hpp"

namespace forkscope::tools {

using abi::Announcement;
using log::Event;
using log::EventKind;

std::string Names::program_of(uint32_t tid) const {
    const auto place = tasks.find(tid);
    return place ? tasks.all()[*place].name : std::string();
}

std::string Names::code(const Event& e) const { return symbols.text(e.rip, e.cpl, tasks.program_of(e)); }

namespace {

[[nodiscard]] std::string pte_write_text(const Event& e) {
    std::string text = fmt::format("L{} {:#x}  {}", e.level, e.va, entry_change(e.a, e.b, e.level));
    if (e.cause != log::Cause::Software) text += fmt::format(" by {}", cause_text(e.cause));
    return text;
}

[[nodiscard]] std::string link_text(const Event& e) {
    const bool linked = e.kind == EventKind::TableLink;
    std::string text = fmt::format("L{} table {:#x} for {:#x}", e.level, e.pa, e.va);
    text += e.a == 0 ? " as a root" : fmt::format(" {} entry {:#x}", linked ? "through" : "from", e.a);
    text += fmt::format(", {}", counted(e.b, "reference"));
    if (!linked) text += " left";
    if (linked && (e.flags & log::kFirstLink) != 0) text += ", new";
    if (!linked && (e.flags & log::kLastLink) != 0) text += ", gone";
    return text;
}

[[nodiscard]] std::string fill_text(const Event& e) {
    std::string text = fmt::format("{:#x} -> frame {:#x}, {} for {}", e.va, e.pa,
                                   bytes_text(log::span_bytes(e.level)), access_text(e.flags & 7));
    if ((e.flags & log::kGlobal) != 0) text += ", global";
    return text + fmt::format("  {}", entry_text(e.a, e.level));
}

[[nodiscard]] std::string fault_text(const Event& e) {
    std::string text = fmt::format("{:#x}  error {} ({})", e.va, error_code_text(e.a), error_code_words(e.a));
    if (e.pa != 0) text += fmt::format(", L{} entry is {}", e.level, entry_text(e.b, e.level));
    if (e.aux != static_cast<uint16_t>(log::FaultDelivery::Delivered)) text += ", " + delivery_text(e.aux);
    return text;
}

[[nodiscard]] std::string flush_event_text(const Event& e) {
    if (e.aux == static_cast<uint16_t>(log::FlushKind::Invlpg)) return fmt::format("INVLPG {:#x}", e.va);
    if (e.a == e.b) return fmt::format("{} {:#x}", flush_text(e.aux), e.b);
    return fmt::format("{} {:#x} -> {:#x}", flush_text(e.aux), e.a, e.b);
}

[[nodiscard]] std::string interrupt_text(const Event& e) {
    std::string text = vector_text(e.aux);
    if ((e.flags & log::kIntHardware) != 0) text += " hardware interrupt";
    if ((e.flags & log::kIntSoftware) != 0) text += " software interrupt";
    if ((e.flags & log::kHasErrorCode) != 0) text += fmt::format(" error {:#x}", e.a);
    return text + fmt::format(" to {:#x}", e.va);
}

[[nodiscard]] std::string announcement_text(const Event& e, const Names& names) {
    const auto task = [&names](uint64_t tid) { return names.tasks.label(static_cast<uint32_t>(tid)); };
    const std::string who = task(e.a);
    switch (static_cast<Announcement>(e.aux)) {
        case Announcement::TaskCreate:
            return fmt::format("{} made by {}, thread group {}, {}", who, task(e.b), e.va,
                               clone_flags_text(e.pa));
        case Announcement::TaskName:
            return fmt::format("task {} is '{}'", e.a, analysis::comm_of(e.b, e.va));
        case Announcement::TaskSwitch:
            return fmt::format("{} runs, before {}", who, task(e.b));
        case Announcement::TaskExec:
            return fmt::format("task {} executes '{}', root {:#x}", e.a, analysis::comm_of(e.b, e.va), e.pa);
        case Announcement::TaskExit:
            return fmt::format("{} ends: {}", who, wait_status_text(static_cast<uint32_t>(e.b)));
        case Announcement::TaskReap:
            return fmt::format("{} is reaped by {}", who, task(e.b));
        case Announcement::ForkBegin:
            return fmt::format("{} calls, {}, root {:#x}", who, clone_flags_text(e.b), e.va);
        case Announcement::ForkEnd: {
            const auto result = static_cast<int64_t>(e.b);
            if (result < 0) return fmt::format("{} gets {}", who, errno_text(result));
            return fmt::format("{} gets child {}, root {:#x}", who, result, e.va);
        }
        case Announcement::CowBreak:
            return fmt::format("{} at {:#x}: {}", who, e.b,
                               e.va == e.pa ? fmt::format("frame {:#x} is its own again", e.va)
                                            : fmt::format("frame {:#x} -> {:#x}", e.va, e.pa));
        case Announcement::FrameAlloc:
            return fmt::format("frame {:#x}, use {}, for task {}", e.a, e.b, e.va);
        case Announcement::FrameFree:
            return fmt::format("frame {:#x}", e.a);
        case Announcement::FrameRefs:
            return fmt::format("frame {:#x} has {}", e.a, counted(abi::references_of(e.b), "reference"));
        case Announcement::MmDestroy:
            return fmt::format("root {:#x}", e.a);
        case Announcement::PowerOff:
            return fmt::format("status {}", e.a);
        case Announcement::Marker:
            return fmt::format("{:#x} by {}", e.a, task(e.b));
        default:
            return fmt::format("{:#x} {:#x} {:#x} {:#x}", e.a, e.b, e.va, e.pa);
    }
}

}  // namespace

std::string event_text(const Event& e, const Names& names) {
    switch (e.kind) {
        case EventKind::PteWrite:
            return pte_write_text(e);
        case EventKind::TableLink:
        case EventKind::TableUnlink:
            return link_text(e);
        case EventKind::PteFound:
            return fmt::format("L{} {:#x}  {}{}", e.level, e.va, entry_text(e.b, e.level),
                               (e.flags & log::kWriterKnown) != 0
                                   ? fmt::format(", written at instruction {}", grouped(e.a))
                                   : "");
        case EventKind::TlbFill:
            return fill_text(e);
        case EventKind::Flush:
            return flush_event_text(e);
        case EventKind::PageFault:
            return fault_text(e);
        case EventKind::FaultResolved:
            return fmt::format("{:#x} went through after {}, frame {:#x}", e.va,
                               counted(e.icount - e.a, "instruction"), e.pa);
        case EventKind::Cr3Switch:
            return fmt::format("{:#x} -> {:#x}", e.a, e.b);
        case EventKind::Interrupt:
            return interrupt_text(e);
        case EventKind::Syscall:
            return fmt::format("{}({:#x}, {:#x}, {:#x})", syscall_name(e.a), e.b, e.va, e.pa);
        case EventKind::SyscallArguments:
            return fmt::format("and {:#x}, {:#x}, {:#x}", e.a, e.b, e.va);
        case EventKind::SyscallReturn: {
            const auto result = static_cast<int64_t>(e.b);
            const bool error = result < 0 && result > -4096;
            return fmt::format("{} = {}", syscall_name(e.a),
                               error ? errno_text(result) : fmt::format("{:#x}", e.b));
        }
        case EventKind::Announce:
            return fmt::format("{}: {}", announcement_name(e.aux), announcement_text(e, names));
        case EventKind::Finding:
            return fmt::format("{}: L{} {:#x}, {:#x} should be {:#x}", finding_text(e.aux), e.level, e.va,
                               e.a, e.b);
        case EventKind::Audit:
            return fmt::format("{} under {}, {}", counted(e.a, "entry", "entries"), counted(e.va, "root"),
                               counted(e.pa, "difference"));
        case EventKind::RootDeath:
            return fmt::format("{:#x}: {}", e.pa, root_death_text(e.aux));
        case EventKind::Stop:
            return fmt::format("{}, status {}", stop_text(e.aux), e.a);
        case EventKind::None:
            break;
    }
    return "";
}

}  // namespace forkscope::tools
