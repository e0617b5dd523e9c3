// The timer queue. A machine has about ten timers, so a scan beats any tree.
#include "emu/bus/clock.hpp"

#include <algorithm>
#include <cassert>
#include <utility>

namespace forkscope::bus {

void TimerQueue::add(Timer& timer) {
    assert(!running_);
    timers_.push_back(&timer);
}

void TimerQueue::remove(Timer& timer) {
    assert(!running_);
    std::erase(timers_, &timer);
    update_next();
}

void TimerQueue::update_next() {
    next_ = nullptr;
    next_deadline_ = kNever;
    for (Timer* timer : timers_) {
        if (timer->deadline_ >= next_deadline_) continue;
        next_ = timer;
        next_deadline_ = timer->deadline_;
    }
}

void TimerQueue::run_due(VirtualNs now) {
    assert(!running_);
    running_ = true;
    while (next_ != nullptr && next_deadline_ <= now) {
        Timer& timer = *next_;
        timer.running_deadline_ = std::exchange(timer.deadline_, kNever);
        update_next();
        timer.callback_(timer.running_deadline_);
        timer.running_deadline_ = kNever;
    }
    running_ = false;
}

Timer::Timer(TimerQueue& queue, Callback callback) : queue_(queue), callback_(std::move(callback)) {
    queue_.add(*this);
}

Timer::~Timer() { queue_.remove(*this); }

void Timer::arm(VirtualNs deadline) {
    assert(running_deadline_ == kNever || deadline > running_deadline_);
    if (deadline == deadline_) return;
    deadline_ = deadline;
    queue_.update_next();
}

}  // namespace forkscope::bus
