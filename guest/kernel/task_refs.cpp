// References to what another task holds.
#include "guest/fs/fdtable.hpp"
#include "guest/fs/fs_struct.hpp"
#include "guest/kernel/sched.hpp"

namespace guest {

MmRef get_task_mm(const task_struct& task) {
    const spinlock_guard guard(task.alloc_lock);
    // A task that has not yet given its address space up counts as a user.
    if (task.mm) task.mm->mm_users.inc();
    return MmRef(task.mm.get());
}

Handle<files_struct, put_files_struct> get_task_files(const task_struct& task) {
    const spinlock_guard guard(task.alloc_lock);
    files_struct* files = task.files.get();
    return Handle<files_struct, put_files_struct>(files != nullptr ? get_files_struct(files) : nullptr);
}

Handle<fs_struct, put_fs_struct> get_task_fs(const task_struct& task) {
    const spinlock_guard guard(task.alloc_lock);
    fs_struct* fs = task.fs.get();
    return Handle<fs_struct, put_fs_struct>(fs != nullptr ? get_fs_struct(fs) : nullptr);
}

RefPtr<nsproxy> get_task_nsproxy(const task_struct& task) {
    const spinlock_guard guard(task.alloc_lock);
    return task.nsproxy;
}

}  // namespace guest
