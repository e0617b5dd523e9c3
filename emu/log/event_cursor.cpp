// Going through events: which chunks can be skipped, and what a damaged one leaves out.
#include <algorithm>

#include "emu/log/reader.hpp"

namespace forkscope::log {

EventCursor::EventCursor(Reader& reader, const EventFilter& filter)
    : reader_(&reader),
      filter_(filter),
      kinds_(filter.kinds & kKnownKinds),
      decoder_(std::make_unique<ColumnDecoder>()) {
    const auto& latest = reader.latest_icount_;
    next_chunk_ = static_cast<size_t>(std::ranges::lower_bound(latest, filter.from_icount) - latest.begin());
}

bool EventCursor::next_in_later_chunk() {
    for (;;) {
        if (!load_next_chunk()) return false;
        while (at_ < events_.size())
            if (filter_.passes(events_[at_++])) return true;
    }
}

bool EventCursor::may_hold(const EventsSummary& s) const {
    if (s.first_event + s.count <= filter_.from_event) return false;
    if (filter_.task && (s.task_mask & task_bit(*filter_.task)) == 0) return false;
    if (filter_.root && (s.root_mask & root_bit(*filter_.root)) == 0) return false;
    return std::ranges::any_of(s.kinds, [this](const auto& kind) { return kinds_.test(kind.first); });
}

bool EventCursor::load_next_chunk() {
    while (next_chunk_ < reader_->chunks_.size()) {
        const size_t chunk = next_chunk_++;
        const IndexEntry& entry = reader_->chunks_[chunk];
        if (entry.kind != ChunkKind::Events || entry.version > known_version(ChunkKind::Events)) continue;
        if (entry.last_icount < filter_.from_icount || entry.first_icount > filter_.to_icount) continue;
        const auto head = reader_->head_at(entry.offset);
        const auto summary = head ? decode_events_summary(head->summary) : std::nullopt;
        if (summary && !may_hold(*summary)) continue;
        events_.clear();
        positions_.clear();
        at_ = 0;
        const auto payload = summary ? reader_->payload(entry.offset, *head) : std::nullopt;
        if (!payload || !decoder_->decode(*payload, summary->count, kinds_, events_, positions_)) {
            reader_->chunk_is_damaged(chunk);
            continue;
        }
        first_event_ = summary->first_event;
        if (filter_.from_event > first_event_) {
            const auto first = std::ranges::lower_bound(positions_, filter_.from_event - first_event_);
            at_ = static_cast<size_t>(first - positions_.begin());
        }
        return true;
    }
    events_.clear();
    at_ = 0;
    return false;
}

}  // namespace forkscope::log
