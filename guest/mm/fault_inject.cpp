// Making allocations fail on purpose.
#include "guest/mm/fault_inject.hpp"

#include "guest/arch/percpu.hpp"
#include "guest/kernel/sched.hpp"

namespace guest {

namespace {
constinit uint64_t failslab_nth = 0;
constinit uint64_t count = 0;
constinit bool armed = false;
}  // namespace

void set_failslab(uint64_t nth) { failslab_nth = nth; }
void arm_failslab() { armed = true; }
uint64_t failslab_count() { return count; }

bool should_fail_alloc() {
    if (!armed || in_interrupt()) return false;
    task_struct* task = current();
    if (task->fail_nth != 0 && --task->fail_nth == 0) return true;
    return ++count == failslab_nth;
}

}  // namespace guest
