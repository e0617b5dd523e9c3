// Virtual time and the timers that run on it. Every device clock derives from this.
#pragma once

#include <cstddef>
#include <cstdint>
#include <functional>
#include <limits>
#include <vector>

#include "emu/base/units.hpp"

namespace forkscope::bus {

// A deadline that never comes.
inline constexpr VirtualNs kNever = std::numeric_limits<VirtualNs>::max();

// Who knows the time: the machine, from the instructions that its CPUs retired, exact also in mid-block.
class TimeSource {
public:
    virtual ~TimeSource() = default;
    // Never decreases.
    [[nodiscard]] virtual VirtualNs now() const = 0;
};

// What devices ask for the time. It is asked of the source each time, so a counter that is read in the
// middle of a block sees the instruction that reads it. Without a source it stands at 0.
class VirtualClock {
public:
    VirtualClock() = default;
    VirtualClock(const VirtualClock&) = delete;
    VirtualClock& operator=(const VirtualClock&) = delete;

    // The source must outlive the clock.
    void set_source(const TimeSource& source) { source_ = &source; }
    [[nodiscard]] VirtualNs now() const { return source_ != nullptr ? source_->now() : 0; }

private:
    const TimeSource* source_ = nullptr;
};

class Timer;

// The armed timers of a machine. The CPU's run loop compares next_deadline() with its time before each
// block and calls run_due() when it is reached.
class TimerQueue {
public:
    explicit TimerQueue(const VirtualClock& clock) : clock_(clock) {}
    TimerQueue(const TimerQueue&) = delete;
    TimerQueue& operator=(const TimerQueue&) = delete;

    [[nodiscard]] const VirtualClock& clock() const { return clock_; }

    // Earliest deadline, kNever without an armed timer. A plain load; a callback or a device access may
    // bring it forward at any time.
    [[nodiscard]] VirtualNs next_deadline() const { return next_deadline_; }

    // Calls every timer whose deadline is at or before now, earliest first, and among equal deadlines the
    // one constructed first (so that a restored snapshot runs them in the same order). A timer that a
    // callback arms within now is called as well. Not to be called from a callback.
    void run_due(VirtualNs now);

private:
    friend class Timer;
    void add(Timer& timer);
    void remove(Timer& timer);
    void update_next();

    const VirtualClock& clock_;
    std::vector<Timer*> timers_;  // in order of construction; a handful, so scanned
    Timer* next_ = nullptr;
    VirtualNs next_deadline_ = kNever;
    bool running_ = false;
};

// One timer of a device. Disarmed when constructed and when its callback begins.
class Timer {
public:
    // The callback gets the deadline it was armed at; the clock may already be a little later. It may arm
    // and cancel any timer, this one included, but never construct or destroy one.
    using Callback = std::function<void(VirtualNs deadline)>;

    // The queue must outlive the timer.
    Timer(TimerQueue& queue, Callback callback);
    ~Timer();
    Timer(const Timer&) = delete;
    Timer& operator=(const Timer&) = delete;

    // Replaces an earlier deadline. A deadline in the past is due at the next run_due(). In its own
    // callback a timer may be armed only later than the deadline it was called for. kNever disarms.
    void arm(VirtualNs deadline);
    void cancel() { arm(kNever); }
    [[nodiscard]] bool armed() const { return deadline_ != kNever; }
    [[nodiscard]] VirtualNs deadline() const { return deadline_; }

private:
    friend class TimerQueue;
    TimerQueue& queue_;
    Callback callback_;
    VirtualNs deadline_ = kNever;
    VirtualNs running_deadline_ = kNever;  // of the callback in progress
};

}  // namespace forkscope::bus
