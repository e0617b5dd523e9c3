// Following one frame.
#include "tools/log/analysis/frame_history.hpp"

#include <algorithm>
#include <numeric>

#include "guest/abi/event_port.hpp"

namespace forkscope::analysis {

using abi::Announcement;
using log::Event;
using log::EventKind;

const std::vector<FrameNote>& FrameHistory::apply(const Event& e) {
    notes_.clear();
    switch (e.kind) {
        case EventKind::PteWrite:
            entry_is(e, e.a, e.b, FrameChange::Mapped);
            break;
        case EventKind::PteFound:
            if (!mappings_.contains(e.pa)) entry_is(e, 0, e.b, FrameChange::Found);
            break;
        case EventKind::TableLink:
            table_linked(e);
            break;
        case EventKind::TableUnlink:
            table_unlinked(e);
            break;
        case EventKind::TlbFill:
            if (maps(e.a, e.level))
                note(FrameChange::Filled,
                     {e.b, e.va | (frame_ & (log::span_bytes(e.level) - 1)), e.level, e.root, e.a});
            break;
        case EventKind::Announce:
            announced(e);
            break;
        default:
            break;
    }
    return notes_;
}

void FrameHistory::note(FrameChange change, const FrameMapping& mapping, uint64_t before) {
    most_ = std::max(most_, mappings_.size());
    const uint64_t tables = std::accumulate(references_.begin(), references_.end(), uint64_t{0});
    notes_.push_back({change, mapping, before, mappings_.size(), tables});
}

// An entry can stand in a table that is one at several levels; it maps the frame at one of them at most.
void FrameHistory::entry_is(const Event& e, uint64_t before, uint64_t now, FrameChange how) {
    const auto known = mappings_.find(e.pa);
    if (known != mappings_.end() && known->second.level != e.level) return;
    const bool did = known != mappings_.end() || maps(before, e.level);
    const bool does = maps(now, e.level);
    if (!did && !does) return;
    const uint64_t inside = frame_ & (log::span_bytes(e.level) - 1);
    FrameMapping mapping{e.pa, e.va | inside, e.level, e.space, now};
    if (does) {
        mappings_[e.pa] = mapping;
        note(did ? FrameChange::Changed : how, mapping, before);
    } else {
        mapping.value = before;
        if (known != mappings_.end()) mappings_.erase(known);
        note(FrameChange::Unmapped, mapping, before);
    }
}

void FrameHistory::table_linked(const Event& e) {
    if (e.pa != frame_ || e.level < 1 || e.level > log::kTopLevel) return;
    was_table_ = true;
    references_[e.level] = e.b;
    note(FrameChange::Linked, {e.a, e.va, e.level, e.space, e.b});
}

void FrameHistory::table_unlinked(const Event& e) {
    const bool last = (e.flags & log::kLastLink) != 0;
    if (e.pa == frame_ && e.level >= 1 && e.level <= log::kTopLevel) {
        references_[e.level] = last ? 0 : e.b;
        note(FrameChange::Unlinked, {e.a, e.va, e.level, e.space, e.b});
    }
    if (!last) return;
    const uint64_t table = e.pa & ~kPageOffsetMask;
    for (auto at = mappings_.lower_bound(table); at != mappings_.end() && at->first - table < kPageSize;) {
        if (at->second.level != e.level) {
            ++at;
            continue;
        }
        const FrameMapping gone = at->second;
        at = mappings_.erase(at);
        note(FrameChange::Vanished, gone, gone.value);
    }
}

void FrameHistory::announced(const Event& e) {
    switch (static_cast<Announcement>(e.aux)) {
        case Announcement::FrameAlloc:
        case Announcement::FrameFree:
        case Announcement::FrameRefs:
            if ((e.a & ~kPageOffsetMask) == frame_) note(FrameChange::Announced);
            break;
        case Announcement::CowBreak:
            if ((e.va & ~kPageOffsetMask) == frame_ || (e.pa & ~kPageOffsetMask) == frame_)
                note(FrameChange::Announced);
            break;
        default:
            break;
    }
}

}  // namespace forkscope::analysis
