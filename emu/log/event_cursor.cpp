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
    // Of the chunks that begin at or before the first event, the last one.
    const auto& chunks = reader.chunks_;
    size_t first = chunks.size();
    while (filter.from_event != 0 && first > next_chunk_) {
        const IndexEntry& entry = chunks[--first];
        if (entry.kind == ChunkKind::Events && entry.first_event <= filter.from_event) break;
    }
    if (filter.from_event != 0) next_chunk_ = std::max(next_chunk_, first);
}

bool EventCursor::next_in_later_chunk() {
    for (;;) {
        if (!load_next_chunk()) return false;
        while (at_ < events_.size())
            if (filter_.passes(events_[at_++])) return true;
    }
}

bool EventCursor::may_hold(const EventsSummary& s) const {
    if (s.first_event + s.count <= filter_.from_event || s.first_event > filter_.to_event) return false;
    const auto may_be_there = [&s](uint32_t task) { return (s.task_mask & task_bit(task)) != 0; };
    if (!filter_.tasks.empty() && std::ranges::none_of(filter_.tasks, may_be_there)) return false;
    if (filter_.root && (s.root_mask & root_bit(*filter_.root)) == 0) return false;
    return std::ranges::any_of(s.kinds, [this](const auto& kind) { return kinds_.test(kind.first); });
}

// Whether every event of a wanted kind passes.
bool EventCursor::holds_only(const EventsSummary& s) const {
    return filter_.looks_at_no_field() && s.first_icount >= filter_.from_icount &&
           s.last_icount <= filter_.to_icount && s.first_event >= filter_.from_event &&
           (s.count == 0 || s.first_event + (s.count - 1) <= filter_.to_event);
}

uint64_t EventCursor::count_chunk(const EventsSummary& s) const {
    uint64_t count = 0;
    for (const auto& [kind, events] : s.kinds) count += kinds_.test(kind) ? events : 0;
    return count;
}

uint64_t EventCursor::count_rest() {
    uint64_t count = 0;
    for (; at_ < events_.size(); ++at_) count += filter_.passes(events_[at_]) ? 1u : 0u;
    while (next_chunk_ < reader_->chunks_.size()) {
        const IndexEntry& entry = reader_->chunks_[next_chunk_];
        const bool readable =
            entry.kind == ChunkKind::Events && entry.version <= known_version(ChunkKind::Events);
        const auto head = readable ? reader_->head_at(entry.offset) : std::nullopt;
        const auto summary = head ? decode_events_summary(head->summary) : std::nullopt;
        if (summary && holds_only(*summary)) {
            count += count_chunk(*summary);
            ++next_chunk_;
        } else if (!readable) {
            ++next_chunk_;
        } else if (load_next_chunk()) {
            for (; at_ < events_.size(); ++at_) count += filter_.passes(events_[at_]) ? 1u : 0u;
        }
    }
    return count;
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
        keep_numbers_in_range();
        return true;
    }
    events_.clear();
    at_ = 0;
    return false;
}

void EventCursor::keep_numbers_in_range() {
    if (filter_.from_event > first_event_) {
        const auto first = std::ranges::lower_bound(positions_, filter_.from_event - first_event_);
        at_ = static_cast<size_t>(first - positions_.begin());
    }
    if (filter_.to_event - first_event_ >= kMaxChunkEvents) return;
    const auto after = std::ranges::upper_bound(positions_, filter_.to_event - first_event_);
    events_.resize(static_cast<size_t>(after - positions_.begin()));
    at_ = std::min(at_, events_.size());
}

}  // namespace forkscope::log
