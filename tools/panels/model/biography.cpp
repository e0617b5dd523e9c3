// Notes of a frame in words.
#include "tools/panels/model/biography.hpp"

#include <fmt/format.h>

#include "guest/abi/event_port.hpp"
#include "tools/log/text/decode.hpp"
#include "tools/log/text/entry_text.hpp"
#include "tools/log/text/numbers.hpp"
#include "tools/panels/model/frame_map.hpp"

namespace forkscope::panels {

using analysis::FrameChange;
using analysis::FrameHistory;
using analysis::FrameNote;

Biography::Biography(log::Reader& reader, uint64_t frame)
    : reader_(reader), cursor_(reader.events({.kinds = FrameHistory::kKinds})), history_(frame) {}

bool Biography::read_on(uint64_t events) {
    for (uint64_t i = 0; i < events && !done_; ++i) {
        if (!cursor_.next()) {
            done_ = true;
            break;
        }
        const log::Event& e = cursor_.event();
        read_ = cursor_.number();
        take(e, read_);
        if (e.kind == log::EventKind::Announce) tasks_.apply(e, read_);
    }
    return done_;
}

double Biography::progress() const {
    const uint64_t all = reader_.event_count();
    return done_ || all == 0 ? 1.0 : static_cast<double>(read_) / static_cast<double>(all);
}

namespace {

[[nodiscard]] std::string announced_text(const log::Event& e) {
    switch (static_cast<abi::Announcement>(e.aux)) {
        case abi::Announcement::FrameAlloc:
            return fmt::format("allocated: {}", use_text(static_cast<abi::FrameUse>(e.b)));
        case abi::Announcement::FrameFree:
            return "freed";
        case abi::Announcement::FrameRefs:
            return tools::counted(abi::references_of(e.b), "reference");
        case abi::Announcement::CowBreak:
            return e.va == e.pa ? "copy-on-write: reused" : "copy-on-write: copied";
        default:
            return tools::announcement_name(e.aux);
    }
}

[[nodiscard]] std::string note_text(const FrameNote& note, const log::Event& e,
                                    const analysis::TaskTable& tasks) {
    const analysis::FrameMapping& m = note.mapping;
    const std::string where = fmt::format("at {:x} of {}", m.va, tasks.space_label(m.space));
    switch (note.change) {
        case FrameChange::Mapped:
            return fmt::format("mapped {}: {}", where, tools::bits_text(m.value, m.level));
        case FrameChange::Found:
            return fmt::format("found mapped {}: {}", where, tools::bits_text(m.value, m.level));
        case FrameChange::Changed:
            return fmt::format("{}: {}", where, tools::entry_difference(note.before, m.value, m.level));
        case FrameChange::Unmapped:
            return "unmapped " + where;
        case FrameChange::Vanished:
            return fmt::format("no longer mapped {}: the table is gone", where);
        case FrameChange::Linked:
            return fmt::format("an L{} page table, {}", e.level, tools::counted(note.tables, "reference"));
        case FrameChange::Unlinked:
            return note.tables == 0
                       ? "no page table any more"
                       : fmt::format("a page table, {}", tools::counted(note.tables, "reference"));
        case FrameChange::Filled:
            return fmt::format("into the TLB for {:x}", e.va);
        case FrameChange::Announced:
            return "the guest: " + announced_text(e);
    }
    return "";
}

}  // namespace

void Biography::take(const log::Event& e, uint64_t number) {
    for (const FrameNote& note : history_.apply(e)) {
        if (lines_.size() == kMostLines) {
            ++left_out_;
            continue;
        }
        lines_.push_back({number, e.icount, note_text(note, e, tasks_)});
    }
}

}  // namespace forkscope::panels
