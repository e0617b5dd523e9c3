// Reading once, and going to a moment.
#include "tools/panels/model/log_view.hpp"

#include <algorithm>

#include "tools/log/text/numbers.hpp"
#include "tools/log/verbs/query.hpp"

namespace forkscope::panels {

LogView::LogView(log::Reader& reader)
    : reader_(reader), symbols_(reader.symbols()), reading_(reader.events()), going_(reader.events()) {
    going_has_next_ = going_.next();
}

bool LogView::read_on(uint64_t events) {
    for (uint64_t i = 0; i < events && !all_read_; ++i) {
        if (!reading_.next()) {
            all_read_ = true;
            overview_.finish();
            break;
        }
        overview_.apply(reading_.event(), reading_.number());
        const uint64_t last = checkpoints_.empty() ? 0 : checkpoints_.back().next_event();
        if (overview_.next_event() - last >= distance_) keep_checkpoint();
    }
    return all_read_;
}

void LogView::keep_checkpoint() {
    checkpoints_.push_back(overview_.checkpoint());
    checkpoint_bytes_ += checkpoints_.back().bytes();
    while (checkpoint_bytes_ > kCheckpointBytes && checkpoints_.size() > 1) {
        // Every second one goes.
        std::vector<Checkpoint> kept;
        checkpoint_bytes_ = 0;
        for (size_t i = 1; i < checkpoints_.size(); i += 2) {
            checkpoint_bytes_ += checkpoints_[i].bytes();
            kept.push_back(std::move(checkpoints_[i]));
        }
        checkpoints_ = std::move(kept);
        distance_ *= 2;
    }
}

const Checkpoint* LogView::checkpoint_before(uint64_t events) const {
    const auto after = std::ranges::upper_bound(checkpoints_, events, {}, &Checkpoint::next_event);
    return after == checkpoints_.begin() ? nullptr : &*std::prev(after);
}

void LogView::restart_before(uint64_t events) {
    // So that the events that led to the moment are known.
    const uint64_t wanted = events - std::min<uint64_t>(events, RecentEvents::kMost);
    const Checkpoint* checkpoint = checkpoint_before(wanted);
    now_ = checkpoint == nullptr ? Moment() : Moment(*checkpoint);
    going_ = reader_.events({.from_event = now_.next_event()});
    going_has_next_ = going_.next();
}

void LogView::go_to(uint64_t events) {
    events = std::min(events, read_events());
    if (events == at_) return;
    const Checkpoint* nearest = checkpoint_before(events - std::min<uint64_t>(events, RecentEvents::kMost));
    const bool nearer = nearest != nullptr && nearest->next_event() > at_;
    if (events < at_ || nearer) restart_before(events);
    while (going_has_next_ && going_.number() < events) {
        now_.apply(going_.event(), going_.number());
        going_has_next_ = going_.next();
    }
    now_.settle_at(events);
    at_ = events;
    ++revision_;
}

void LogView::step_forward(log::KindMask kinds, uint64_t count) {
    if ((kinds & log::kKnownKinds) == log::kKnownKinds) return go_to(at_ + count);
    auto cursor = reader_.events({.from_event = at_, .kinds = kinds});
    uint64_t to = at_;
    for (; count != 0 && cursor.next() && cursor.number() < read_events(); --count) to = cursor.number() + 1;
    go_to(to);
}

void LogView::step_back(log::KindMask kinds, uint64_t count) {
    if (at_ == 0 || count == 0) return;
    if ((kinds & log::kKnownKinds) == log::kKnownKinds) return go_to(at_ - std::min(at_, count));
    // The last event is the one that stands there now.
    uint64_t end = at_ - 1;
    const RecentEvents& recent = now_.recent();
    for (size_t i = recent.size(); i > 0; --i) {
        const NumberedEvent& one = recent.at(i - 1);
        if (one.number >= end || (log::mask_of(one.event.kind) & kinds) == 0) continue;
        if (--count == 0) return go_to(one.number + 1);
    }
    if (recent.size() != 0) end = std::min(end, recent.at(0).number);
    for (uint64_t span = 65'536; end != 0; span *= 2) {
        const uint64_t begin = end - std::min(end, span);
        std::vector<uint64_t> numbers;
        auto cursor = reader_.events({.from_event = begin, .to_event = end - 1, .kinds = kinds});
        while (cursor.next()) numbers.push_back(cursor.number());
        if (numbers.size() >= count) return go_to(numbers[numbers.size() - count] + 1);
        count -= numbers.size();
        end = begin;
    }
    go_to(0);
}

void LogView::go_to_icount(uint64_t icount) { go_to(tools::events_until({icount, {}}, reader_)); }

std::string LogView::when() const {
    if (at_ == 0) return "before the first event";
    const std::string time = tools::duration_text(now_.icount(), reader_.meta().instructions_per_second);
    return fmt::format("event {} · instruction {}{}{}", tools::grouped(at_ - 1),
                       tools::grouped(now_.icount()), time.empty() ? "" : " · ", time);
}

}  // namespace forkscope::panels
