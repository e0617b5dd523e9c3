// procfs: what the kernel knows, as files. Each mount shows the tasks of one pid namespace: that of the task
// that mounted it. The formats are those of man 5 proc.
//
// Adding a file: a function that writes its text, and a row in a table.
//
//   in the root or in sys/: kRootEntries (root_entries.cpp), kSysEntries (sysctl.cpp)
//       {.name = "version", .mode = kIfReg | 0444, .show = version_show}
//   of a task: kTaskEntries (pid_entries.cpp)
//       {.name = "limits", .mode = kIfReg | 0444, .show = limits_show}
//       {.name = "comm", .mode = kIfReg | 0644, .show = comm_show, .write = comm_write}
#pragma once

#include "guest/fs/dentry.hpp"
#include "guest/fs/inode.hpp"
#include "guest/fs/proc/proc_text.hpp"
#include "guest/kernel/pid.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/result.hpp"

namespace guest {

// A file or directory that is always there.
struct proc_entry {
    const char* name;
    abi::umode_t mode;
    Result<> (*show)(proc_text& m) = nullptr;
    // text is closed by a zero and may be changed; how many of its bytes were taken.
    Result<size_t> (*write)(char* text, size_t bytes) = nullptr;
    // Of a symbolic link; ns is that of the mount.
    Result<size_t> (*readlink)(const pid_namespace& ns, char* buffer, size_t size) = nullptr;
    // Of a directory.
    const proc_entry* children = nullptr;
    size_t nr_children = 0;
};

// A file or directory of each task. The functions get a task that is referenced, and may be a zombie.
struct pid_entry {
    const char* name;
    abi::umode_t mode;
    // Srch is answered for them when the task is gone.
    Result<> (*show)(proc_text& m, task_struct& task) = nullptr;
    Result<size_t> (*write)(task_struct& task, char* text, size_t bytes) = nullptr;
    // Whether it can be opened now; any error.
    Result<> (*open)(task_struct& task) = nullptr;
    // Of a link that leads to an object; whether the caller may follow it has been checked. NoEnt.
    Result<path> (*jump)(task_struct& task) = nullptr;
    // The file is about the address space that the task has when it is opened: proc_text::mm. Opening it
    // takes the right to trace the task.
    bool of_mm = false;
    // Instead of the above, for directories and files with a form of their own.
    const inode_operations* iop = nullptr;
    const file_operations* fop = nullptr;
};

// What stands behind an inode of this file system.
struct proc_inode {
    KMEM_CACHED()
    RefPtr<struct pid> pid;              // of a task's
    const proc_entry* global = nullptr;  // one of these two,
    const pid_entry* of_task = nullptr;  // or neither for a task's own directory
    int fd = -1;                         // below fd/ and fdinfo/
};
[[nodiscard]] inline proc_inode& proc_of(const inode& node) {
    return *static_cast<proc_inode*>(node.i_private);
}

// The namespace whose tasks this mount shows.
[[nodiscard]] pid_namespace& proc_pid_ns(const super_block& sb);
// The task, referenced; null if it is gone.
[[nodiscard]] TaskRef get_proc_task(const inode& node);
[[nodiscard]] TaskRef get_pid_task(pid* of);

// Numbers of inodes stay the same however often a name is looked up.
[[nodiscard]] uint64_t proc_ino(const pid* of, unsigned what, unsigned fd = 0);
// A new inode, filled in as its entry says, and attached to child. NoMem.
Result<> proc_instantiate(dentry& child, proc_inode init, abi::umode_t mode, uint64_t ino,
                          const inode_operations& iop, const file_operations& fop);
// One name of a directory; false when the reader has no more room.
[[nodiscard]] bool dir_emit(dir_context& ctx, const char* name, uint64_t ino, abi::umode_t mode,
                            abi::loff_t next);
// "." and "..", for a directory whose positions 0 and 1 they are.
[[nodiscard]] bool dir_emit_dots(file& f, dir_context& ctx);
// A decimal number that is written as Linux writes it: no sign, no leading zeros. -1 otherwise.
[[nodiscard]] int name_to_int(const qstr& name);

// The number that is all of text but for blanks around it: Inval, Range.
Result<int64_t> proc_parse_int(const char* text);

// A path as in maps and mounts: d_path from root, with `escape` in octal. A placeholder where there is no
// room.
void seq_path(seq_file& m, const path& p, const path& root, const char* escape);

// The owner of a task's files.
void task_dump_owner(const task_struct& task, inode& node);

// Before any task runs.
void proc_init();

extern const file_operations proc_text_file_operations;
extern const file_operations proc_dir_file_operations;  // of a proc_entry with children
extern const inode_operations proc_dir_inode_operations;
extern const inode_operations proc_file_inode_operations;  // of plain files
extern const inode_operations proc_link_inode_operations;  // of a proc_entry with readlink
extern const inode_operations proc_jump_inode_operations;  // of a pid_entry with jump
extern const proc_entry proc_root;

// pid_dir.cpp: /proc/<pid> and /proc/<pid>/task/<tid>.
// What a directory /proc/<pid>, opened as f, names; null if f is something else. Valid while f is.
[[nodiscard]] pid* tgid_pidfd_pid(const file& f);
extern const inode_operations proc_tgid_inode_operations, proc_tid_inode_operations,
    proc_task_inode_operations, proc_ns_inode_operations;
extern const file_operations proc_tgid_file_operations, proc_tid_file_operations, proc_task_file_operations,
    proc_ns_file_operations;
// The directory of the process with that number, or of any thread if it is asked for by its own. NoEnt.
Result<> proc_pid_lookup(inode& dir, dentry& child);
// All processes from position ctx.pos - first on.
Result<> proc_pid_readdir(file& f, dir_context& ctx, abi::loff_t first);
// What the tables of pid_entries.cpp hold: of one kind of directory, and of both.
struct pid_entries {
    const pid_entry* own;
    size_t nr_own;
    const pid_entry* common;
    size_t nr_common;

    [[nodiscard]] size_t count() const { return nr_own + nr_common; }
    [[nodiscard]] const pid_entry& operator[](size_t i) const {
        return i < nr_own ? own[i] : common[i - nr_own];
    }
};
extern const pid_entries tgid_entries, tid_entries;
// Of ns/ (pid_ns.cpp).
extern const pid_entries ns_entries;

// pid_fd.cpp
extern const inode_operations proc_fd_inode_operations, proc_fdinfo_inode_operations;
extern const file_operations proc_fd_file_operations, proc_fdinfo_file_operations;
// Whether the descriptor that a dentry below fd/ or fdinfo/ stands for is still open.
[[nodiscard]] bool proc_fd_is_open(const inode& node);

}  // namespace guest
