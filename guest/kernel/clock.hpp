// Clocks by their number: those of the machine, and CPU clocks of threads and processes.
#pragma once

#include <stdint.h>

#include "guest/abi/process.hpp"
#include "guest/kernel/cputime.hpp"
#include "guest/kernel/pid.hpp"
#include "guest/lib/result.hpp"

namespace guest {

// The clock that a number stands for.
struct clock_ref {
    bool cpu = false;
    abi::ClockId id = abi::ClockId::Realtime;  // if it is not a CPU clock
    CpuClock which = CpuClock::Sched;          // if it is one
    CpuTimerOf of = CpuTimerOf::Process;
    pid_nr_t nr = 0;  // of the thread or process; 0: the caller's own
};

// Inval: there is no such clock.
Result<clock_ref> find_clock(int clock);
// Its number says that it counts somebody's CPU time, whether there is such a one or not.
[[nodiscard]] constexpr bool counts_cpu_time(int clock) { return clock < 0 && (clock & 7) != 3; }
// ns. Inval: its task is gone, or is a thread of another process.
Result<uint64_t> clock_now(const clock_ref& clock);
// The task of a CPU clock. Inval as above. tasklist_lock is held.
Result<task_struct*> clock_task(const clock_ref& clock);
// The clocks that would wake a suspended machine. There is no such device: as on Linux they cannot be read,
// slept on or have POSIX timers then, but timerfd takes them.
[[nodiscard]] bool is_alarm(const clock_ref& clock);
// Whether it is CLOCK_REALTIME by another name or not: what can be set.
[[nodiscard]] bool is_realtime(const clock_ref& clock);
// Whether one can sleep on it and set timers by it.
[[nodiscard]] bool has_timers(const clock_ref& clock);

}  // namespace guest
