// Whether programs may read the time-stamp counter (PR_SET_TSC). Intel SDM vol. 3A, 2.5: CR4.TSD.
#pragma once

#include "guest/abi/prctl.hpp"
#include "guest/arch/thread.hpp"

namespace guest {

abi::PrTsc tsc_mode(const task_struct& task);
// Of current.
void set_tsc_mode(abi::PrTsc mode);
// On the way from one task to another, with interrupts off.
void switch_tsc(const thread_struct& from, const thread_struct& to);

}  // namespace guest
