// Making allocations fail on purpose.
#include "guest/mm/fault_inject.hpp"

#include "guest/arch/percpu.hpp"
#include "guest/kernel/sched.hpp"

namespace guest {

namespace {
constinit uint64_t interval = 0;
constinit uint64_t count = 0;
constinit uint64_t failures = 0;
}  // namespace

void set_failslab(uint64_t every) { interval = every; }
uint64_t failslab_failures() { return failures; }

bool should_fail_alloc() {
    task_struct* task = current();
    if (task->tgid <= 1 || in_interrupt()) return false;
    const bool chosen = task->fail_nth != 0 && --task->fail_nth == 0;
    const bool due = interval != 0 && ++count % interval == 0;
    if (!chosen && !due) return false;
    ++failures;
    return true;
}

}  // namespace guest
