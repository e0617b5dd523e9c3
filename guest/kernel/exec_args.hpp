// What execve puts on the first stack of a new program, whose address space is not loaded yet.
#pragma once

#include "guest/kernel/exec.hpp"

namespace guest {

// An address space with the stack: an area at the top that grows downwards. NoMem.
Result<> bprm_mm_init(linux_binprm& bprm);
// How many pointers stand before the null. TooBig, Fault.
Result<int> count_strings(const ArgVector& vector);
// The first `count` strings, which come to stand in order. TooBig, Fault, NoMem.
Result<> push_strings(linux_binprm& bprm, const ArgVector& vector, int count);

}  // namespace guest
