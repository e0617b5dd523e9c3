// /proc/<pid>/exe, cwd and root: links that lead to the object itself, whatever became of its name.
#include "guest/fs/fs_struct.hpp"
#include "guest/fs/proc/pid_files.hpp"

namespace guest {

Result<path> exe_jump(task_struct& task) {
    const auto mm = get_task_mm(task);
    if (!mm) return Errno::NoEnt;
    const read_guard guard(mm->mmap_sem);
    if (!mm->exe_file) return Errno::NoEnt;
    return mm->exe_file->f_path;
}

Result<path> cwd_jump(task_struct& task) {
    const auto fs = get_task_fs(task);
    if (!fs) return Errno::NoEnt;
    return get_fs_pwd(*fs);
}

Result<path> root_jump(task_struct& task) {
    const auto fs = get_task_fs(task);
    if (!fs) return Errno::NoEnt;
    return get_fs_root(*fs);
}

}  // namespace guest
