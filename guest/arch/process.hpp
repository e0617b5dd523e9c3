// The machine's side of tasks.
#pragma once

#include <stdint.h>

#include "guest/arch/ptrace.hpp"
#include "guest/kernel/pid.hpp"
#include "guest/lib/address.hpp"
#include "guest/lib/result.hpp"

namespace guest {

struct task_struct;

// What do_fork was asked for.
struct CloneArguments {
    uint64_t flags = 0;  // CLONE_*, and the exit signal in the low byte
    VirtAddr stack;      // null: the caller's
    UserPtr<int32_t> parent_tid;
    UserPtr<int32_t> child_tid;
    uint64_t tls = 0;
    UserPtr<int32_t> pidfd;  // with CLONE_PIDFD
    WantedTids set_tid;
    // A kernel thread; returning from it enters user mode with the registers that execve left.
    void (*kernel_function)(void* argument) = nullptr;
    void* kernel_argument = nullptr;
};

void init_thread_info(task_struct& task);
// Registers of the child: the caller's, but for what the arguments say. Perm: CLONE_SETTLS with an address
// that is not user space's.
Result<> copy_thread(task_struct& child, const CloneArguments& args);

// execve: forgets the old program's FPU state and segment bases.
void flush_thread();
void start_thread(pt_regs& regs, VirtAddr entry, VirtAddr stack);

// The live FPU state to current's thread_struct, and back.
void fpu_save_current();
void fpu_load_current();
// FS and GS base of current's thread_struct into the CPU.
void load_user_bases();

}  // namespace guest
