// Making allocations and steps of fork fail on purpose.
#include "guest/mm/fault_inject.hpp"

#include "guest/arch/percpu.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/string.hpp"

namespace guest {

namespace {
constinit uint64_t interval = 0;
constinit uint64_t count = 0;
constinit uint64_t failures = 0;

constinit const char* failing_step = nullptr;
constinit uint64_t step_interval = 0;
constinit uint64_t step_count = 0;
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

const char* const fork_steps[] = {
    "dup_task_struct", "copy_creds",   "sched_fork",  "copy_semundo", "copy_files",
    "copy_fs",         "copy_sighand", "copy_signal", "copy_mm",      "copy_namespaces",
    "copy_io",         "copy_thread",  "alloc_pid",   nullptr};

const char* find_fork_step(const char* name, size_t length) {
    for (const char* const* step = fork_steps; *step != nullptr; ++step) {
        if (strlen(*step) == length && strncmp(*step, name, length) == 0) return *step;
    }
    return nullptr;
}

void set_fail_step(const char* step, uint64_t every) {
    failing_step = step;
    step_interval = every;
    step_count = 0;
}

Result<> enter_fork_step(const char* step) {
    task_struct* task = current();
    if (task->fail_step != nullptr && strcmp(task->fail_step, step) == 0) {
        task->fail_step = nullptr;
        return Errno::NoMem;
    }
    if (failing_step == nullptr || task->tgid <= 1 || strcmp(failing_step, step) != 0) return {};
    return ++step_count % step_interval == 0 ? Result<>(Errno::NoMem) : Result<>();
}

}  // namespace guest
