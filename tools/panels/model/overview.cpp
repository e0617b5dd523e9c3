// Reading a run once, from its beginning.
#include "tools/panels/model/overview.hpp"

#include <algorithm>

#include "emu/base/address.hpp"

namespace forkscope::panels {

using log::Event;
using log::EventKind;

void EventClock::add(uint64_t number, uint64_t icount) {
    last_ = {number, icount};
    if (!samples_.empty() && number < samples_.back().number + step_) return;
    samples_.push_back(last_);
    if (samples_.size() < kMost) return;
    step_ *= 2;
    for (size_t i = 0; 2 * i < samples_.size(); ++i) samples_[i] = samples_[2 * i];
    samples_.resize((samples_.size() + 1) / 2);
}

uint64_t EventClock::icount_at(uint64_t number) const {
    if (samples_.empty()) return 0;
    if (number >= last_.number) return last_.icount;
    const auto after = std::ranges::upper_bound(samples_, number, {}, &Sample::number);
    if (after == samples_.begin()) return samples_.front().icount;
    const Sample& before = *std::prev(after);
    const Sample next = after == samples_.end() ? last_ : *after;
    // Counts of several CPUs need not ascend.
    if (next.number <= before.number || next.icount <= before.icount) return before.icount;
    const double part =
        static_cast<double>(number - before.number) / static_cast<double>(next.number - before.number);
    return before.icount + static_cast<uint64_t>(part * static_cast<double>(next.icount - before.icount));
}

void Overview::apply(const Event& e, uint64_t number) {
    tracker_.apply(e, number);
    if (e.kind != EventKind::Announce) tlb_.apply(e, number);
    frames_.apply(e);
    waits_.apply(e, number, tracker_.tasks());
    activity_.apply(e);
    clock_.add(number, e.icount);
    next_event_ = number + 1;
    see(e);
    last_icount_ = std::max(last_icount_, e.icount);
}

void Overview::see_frames(uint64_t frame, uint64_t count) {
    // More than a frame map can show, and only a damaged entry says so.
    constexpr size_t kMostSeen = size_t{1} << 20;
    frame &= ~kPageOffsetMask;
    for (uint64_t i = 0; i < count && seen_.size() < kMostSeen; ++i) seen_.insert(frame + i * kPageSize);
}

void Overview::see(const Event& e) {
    switch (e.kind) {
        case EventKind::TableLink:
            return see_frames(e.pa, 1);
        case EventKind::PteWrite:
        case EventKind::PteFound:
            if (log::is_lower_half(e.va) && log::is_user(e.b) && log::is_leaf(e.b, e.level))
                see_frames(log::frame_of(e.b, e.level), log::span_bytes(e.level) >> kPageShift);
            return;
        case EventKind::Announce:
            if (e.aux == static_cast<uint16_t>(abi::Announcement::FrameAlloc)) see_frames(e.a, 1);
            if (e.aux == static_cast<uint16_t>(abi::Announcement::TaskCreate) && e.a != 0 && first_task_ == 0)
                first_task_ = e.icount;
            return;
        case EventKind::Finding:
            if (mistakes_.size() < kMostMistakes) mistakes_.push_back({next_event_ - 1, e.icount, e.aux});
            return;
        default:
            return;
    }
}

}  // namespace forkscope::panels
