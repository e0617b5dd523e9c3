// Failure injection by task: fail-nth, as Linux has it, and fail-step.
#include "guest/fs/proc/pid_files.hpp"
#include "guest/kernel/cred.hpp"
#include "guest/lib/string.hpp"
#include "guest/mm/fault_inject.hpp"

namespace guest {

// Allocations from now on until the one that fails; 0: none will, or it has failed.
Result<> fail_nth_show(proc_text& m, task_struct& task) {
    m.printf("%lu\n", task.fail_nth);
    return {};
}

Result<size_t> fail_nth_write(task_struct& task, char* text, size_t bytes) {
    if (!capable(kCapSysResource)) return Errno::Perm;
    Result<int64_t> number = proc_parse_int(text);
    if (!number.ok() || number.value() < 0) return Errno::Inval;
    task.fail_nth = static_cast<uint64_t>(number.value());
    return bytes;
}

// The step of copy_process at which the task's next fork fails; an empty line: none.
Result<> fail_step_show(proc_text& m, task_struct& task) {
    if (task.fail_step != nullptr) m.puts(task.fail_step);
    m.putc('\n');
    return {};
}

Result<size_t> fail_step_write(task_struct& task, char* text, size_t bytes) {
    if (!capable(kCapSysResource)) return Errno::Perm;
    const char* newline = strchr(text, '\n');
    const size_t length = newline != nullptr ? static_cast<size_t>(newline - text) : strlen(text);
    const char* step = find_fork_step(text, length);
    if (step == nullptr && length != 0) return Errno::Inval;
    task.fail_step = step;
    return bytes;
}

}  // namespace guest
