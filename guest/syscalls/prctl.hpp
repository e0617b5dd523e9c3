// The parts of prctl(2).
#pragma once

#include "guest/abi/prctl.hpp"
#include "guest/lib/result.hpp"

namespace guest {

// Options about the address space, and all that are not known before.
Result<long> prctl_memory(abi::Prctl option, uint64_t arg2, uint64_t arg3, uint64_t arg4, uint64_t arg5);
// Options about the machine and about checkpoints. Inval: none of them.
Result<long> prctl_machine(abi::Prctl option, uint64_t arg2, uint64_t arg3, uint64_t arg4, uint64_t arg5);

}  // namespace guest
