// Makes a large log of a small one: grow_log BASE.mmu EVENTS LARGE.mmu
//
// Repeats what the machine of BASE did, as if it had been reset and run again, through the writer that
// recordings go through, until LARGE has at least so many events. Counts of instructions go on; at each reset
// all page tables are given up, as the mirror does it, so that the large log is as consistent as the small
// one.
#include <fmt/format.h>

#include <map>

#include "emu/log/reader.hpp"
#include "emu/log/replay.hpp"
#include "emu/log/writer.hpp"
#include "guest/abi/event_port.hpp"
#include "tools/log/analysis/task_table.hpp"
#include "tools/log/verbs/query.hpp"

namespace forkscope::test {
namespace {

class Repetition {
public:
    Repetition(log::Reader& base, log::Writer& out, uint64_t icount, uint64_t limit)
        : base_(base), out_(out), first_icount_(icount), limit_(limit) {}

    // The instruction count at its end.
    uint64_t run() {
        auto cursor = base_.events();
        while (cursor.next() && number_ < limit_) put(cursor.event(), cursor.number());
        reset();
        out_.consume(batch_);
        return last_icount_;
    }

private:
    static constexpr size_t kBatch = 4096;

    void put(log::Event e, uint64_t number) {
        replay_.apply(e, number);
        if (e.kind == log::EventKind::Announce) note_frame(e);
        e.icount += first_icount_;
        // These hold moments.
        if (e.kind == log::EventKind::FaultResolved) e.a += first_icount_;
        if (e.kind == log::EventKind::PteFound && (e.flags & log::kWriterKnown) != 0) e.a += first_icount_;
        append(e);
    }

    void note_frame(const log::Event& e) {
        const auto what = static_cast<abi::Announcement>(e.aux);
        if (what == abi::Announcement::FrameAlloc) frames_[e.a] = 1;
        if (what == abi::Announcement::FrameRefs) frames_[e.a] = abi::references_of(e.b);
        if (what == abi::Announcement::FrameFree) frames_.erase(e.a);
    }

    void reset() {
        give_up_tables();
        for (const auto& [frame, references] : frames_) {
            for (uint32_t left = references; left > 1; --left)
                announce(abi::Announcement::FrameRefs, frame, abi::refs_word(left - 1, 0));
            announce(abi::Announcement::FrameFree, frame, 0);
        }
    }

    void announce(abi::Announcement what, uint64_t frame, uint64_t word) {
        log::Event e = log::make_event(log::EventKind::Announce, {.icount = last_icount_ + 1});
        e.aux = static_cast<uint16_t>(what);
        e.a = frame;
        e.b = word;
        append(e);
    }

    // Every table is unlinked once for each of its references, from the roots down.
    void give_up_tables() {
        for (unsigned level = log::kTopLevel; level > 0; --level) {
            for (const uint64_t frame : replay_.tables_at(level)) {
                const log::ReplayTable& table = *replay_.table(frame);
                for (uint64_t left = table.references[level]; left > 0; --left) {
                    log::Event e = log::make_event(log::EventKind::TableUnlink, {.icount = last_icount_ + 1});
                    e.pa = frame;
                    e.level = static_cast<uint8_t>(level);
                    e.va = table.span[level];
                    e.b = left - 1;
                    e.flags = left == 1 ? log::kLastLink : 0;
                    // A root is linked by nobody; other tables by an entry, of which any will do.
                    e.a = left == 1 && replay_.roots().contains(frame) && level == log::kTopLevel ? 0 : 1;
                    append(e);
                }
            }
        }
    }

    void append(const log::Event& e) {
        last_icount_ = std::max(last_icount_, e.icount);
        batch_.push_back(e);
        ++number_;
        if (batch_.size() < kBatch) return;
        out_.consume(batch_);
        batch_.clear();
    }

    log::Reader& base_;
    log::Writer& out_;
    uint64_t first_icount_;
    uint64_t limit_;
    uint64_t number_ = 0;
    uint64_t last_icount_ = 0;
    log::Replay replay_;
    std::map<uint64_t, uint32_t> frames_;  // handed out, as the guest announced it, with its references
    std::vector<log::Event> batch_;
};

Result<> grow(const char* from, uint64_t events, const char* to) {
    auto base = TRY(log::Reader::open(from));
    if (base->event_count() == 0 || !log::can_replay(base->meta()))
        return fail("'{}' does not hold the events of page tables", from);
    auto out = TRY(log::Writer::open(to, base->meta(), {.keeper = std::make_unique<analysis::TaskKeeper>()}));
    for (log::SymbolModule& module : base->symbols()) TRY_VOID(out->add_symbols(std::move(module)));
    uint64_t icount = 0;
    while (out->events() < events) icount = Repetition(*base, *out, icount, events - out->events()).run();
    return out->finish();
}

}  // namespace
}  // namespace forkscope::test

int main(int argc, char** argv) {
    if (argc != 4) {
        fmt::print(stderr, "usage: grow_log BASE.mmu EVENTS LARGE.mmu\n");
        return 2;
    }
    const auto events = forkscope::tools::parse_number(argv[2]);
    const auto done = !events ? forkscope::Result<>(tl::unexpected(events.error()))
                              : forkscope::test::grow(argv[1], *events, argv[3]);
    if (done) return 0;
    fmt::print(stderr, "grow_log: {}\n", done.error().message);
    return 2;
}
