// The registers of a task that does not run, as debuggers see them.
#pragma once

#include <stdint.h>

#include "guest/abi/ptrace.hpp"
#include "guest/arch/thread.hpp"
#include "guest/lib/result.hpp"

namespace guest {

[[nodiscard]] abi::UserRegs get_user_regs(task_struct& task);
// `words` registers in the order of abi::UserRegs from `first` on. Io at the first that cannot have its
// value; those before it are set.
Result<> set_user_regs(task_struct& task, unsigned first, const uint64_t* values, unsigned words);

// The word at an offset of struct user. Io: there is none.
Result<uint64_t> peek_user(task_struct& task, uint64_t offset);
Result<> poke_user(task_struct& task, uint64_t offset, uint64_t value);

// x87 and SSE state. Inval: MXCSR has bits that the CPU does not know.
[[nodiscard]] const fxregs_state& get_fpregs(const task_struct& task);
Result<> set_fpregs(task_struct& task, const fxregs_state& state);

}  // namespace guest
