// The requests whose answer has a form of its own: siginfo, system calls, register sets.
#pragma once

#include "guest/abi/ptrace.hpp"
#include "guest/lib/result.hpp"

namespace guest {

struct task_struct;

// Io: no such request.
Result<long> ptrace_info_request(task_struct& task, abi::PtraceRequest request, uint64_t address,
                                 uint64_t data);

}  // namespace guest
