// POSIX timers (timer_create): those of one process, and what the signal code tells them.
#pragma once

#include "guest/abi/signal.hpp"
#include "guest/kernel/clock.hpp"
#include "guest/kernel/signal.hpp"
#include "guest/kernel/timer.hpp"
#include "guest/lib/result.hpp"

namespace guest {

// One timer. Guarded by its process's siglock, like the list it is in.
struct k_itimer {
    KMEM_CACHED()
    k_itimer() = default;
    k_itimer(const k_itimer&) = delete;
    k_itimer& operator=(const k_itimer&) = delete;
    ~k_itimer();

    list_head list;  // signal->posix_timers
    int id = 0;
    clock_ref clock;
    int clock_number = 0;   // as it was asked for
    RefPtr<pid> clock_pid;  // whose CPU time it counts; null: of a clock that is no CPU clock
    signal_struct* signal = nullptr;
    abi::SigevNotify notify = abi::SigevNotify::Signal;
    RefPtr<pid> thread;  // who gets the signal; null: the process
    sigqueue* sigq = nullptr;
    uint64_t interval = 0;  // ns; 0: goes off once
    timer_list timer;       // one of the two, by the kind of the clock
    cpu_timer cpu;
    int64_t overrun = 0;       // expirations since the signal was queued
    int64_t overrun_last = 0;  // of the signal that was taken last
};

// Nanoseconds of the timer's clock.
struct timer_setting {
    uint64_t interval = 0;
    uint64_t value = 0;  // until it goes off, or when; 0: never
};

// The calls, for current's process. Inval: no such timer or clock. timer_create: OpNotSupp, Again.
// wanted: the id that it is to have, or below 0. Busy: another has it.
Result<int> do_timer_create(int clock, const abi::Sigevent* event, int wanted);
enum class TimerStart { Relative, Absolute };
// The old setting.
Result<timer_setting> do_timer_settime(int id, TimerStart start, const timer_setting& wanted);
Result<timer_setting> do_timer_gettime(int id);
Result<int> do_timer_getoverrun(int id);
Result<> do_timer_delete(int id);

// The timer's signal is being taken: fills in how many expirations it stands for. siglock is held.
void posix_timer_taken(k_itimer& timer, siginfo& info);
// Deletes all timers of a process: at its end and at execve.
void exit_itimers(task_struct& task);

}  // namespace guest
