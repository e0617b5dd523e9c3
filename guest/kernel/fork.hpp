// Making tasks: fork, vfork, clone and kernel threads are all do_fork.
#pragma once

#include <stdint.h>

#include "guest/arch/process.hpp"
#include "guest/lib/result.hpp"

namespace guest {

struct mm_struct;
struct task_struct;

// The child's tid, as the caller's pid namespace numbers it.
Result<long> do_fork(const CloneArguments& args);
// A task that runs function(argument) in the kernel.
Result<long> kernel_thread(void (*function)(void* argument), void* argument, uint64_t flags);

// One step of copy_process each; the child's member stays empty on failure.
Result<> copy_creds(uint64_t flags, task_struct& child);
Result<> copy_semundo(uint64_t flags, task_struct& child);
Result<> copy_files(uint64_t flags, task_struct& child);
Result<> copy_fs(uint64_t flags, task_struct& child);
Result<> copy_sighand(uint64_t flags, task_struct& child);
Result<> copy_signal(uint64_t flags, task_struct& child);
Result<> copy_mm(uint64_t flags, task_struct& child);
Result<> copy_namespaces(uint64_t flags, task_struct& child);
Result<> copy_io(uint64_t flags, task_struct& child);

// A copy of current's address space, copy-on-write.
Result<mm_struct*> dup_mm(task_struct& parent);
// Ends current's use of mm, by exit or execve: tells vfork's parent and whoever waits for the thread id.
void mm_release(task_struct& task, mm_struct* mm);

extern int nr_threads;
extern uint64_t total_forks;
extern int max_threads;
void fork_init();

}  // namespace guest
