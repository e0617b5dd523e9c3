// /proc/<pid>/fd and fdinfo: the descriptors of a task.
#include "guest/fs/dentry.hpp"
#include "guest/fs/fdtable.hpp"
#include "guest/fs/mount.hpp"
#include "guest/fs/proc/pid_files.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/kernel/ptrace.hpp"
#include "guest/lib/format.hpp"

namespace guest {

namespace {

constexpr abi::loff_t kFirstEntry = 2;
constexpr unsigned kFdIno = 3, kFdInfoIno = 4;  // the "what" of proc_ino

RefPtr<file> task_file(const task_struct& task, int fd) {
    const auto files = get_task_files(task);
    return files ? fget_raw(*files, fd) : nullptr;
}

// Rights of a link: those with which the file was opened.
abi::umode_t link_mode(const file& f) {
    abi::umode_t mode = abi::kIfLnk;
    if ((f.f_mode & file::kRead) != 0) mode |= 0500;
    if ((f.f_mode & file::kWrite) != 0) mode |= 0300;
    return mode;
}

Result<path> fd_jump_link(inode& link) {
    const TaskRef task = get_proc_task(link);
    if (!task) return Errno::NoEnt;
    if (!ptrace_may_access(*task)) return Errno::Access;
    const RefPtr<file> f = task_file(*task, proc_of(link).fd);
    if (!f) return Errno::NoEnt;
    return f->f_path;
}

constexpr inode_operations kFdLinkInode{.jump_link = fd_jump_link};
constexpr file_operations kNoFile{};
constexpr abi::loff_t kLinkSize = 64;  // as Linux shows it

// What fdinfo's files are: text, as for any other file of a task.
Result<> fdinfo_show(proc_text& m, task_struct& task) {
    const auto files = get_task_files(task);
    const int fd = proc_of(m.f.node()).fd;
    const RefPtr<file> f = files ? fget_raw(*files, fd) : nullptr;
    if (!f) return Errno::NoEnt;
    uint32_t flags = f->f_flags;
    if (get_close_on_exec(*files, fd)) flags |= abi::kOCloExec;
    m.printf("pos:\t%ld\nflags:\t0%o\nmnt_id:\t%d\nino:\t%lu\n", f->f_pos, flags, f->f_path.mnt->mnt_id,
             f->node().i_ino);
    fdinfo_locks_show(m, *files, *f);
    if (f->f_op->show_fdinfo != nullptr) f->f_op->show_fdinfo(*f, m);
    return {};
}

constexpr pid_entry kFdInfoEntry{.name = "", .mode = abi::kIfReg | 0444, .show = fdinfo_show};

// The open descriptor that child's name says.
struct found_fd {
    TaskRef task;
    int fd = -1;
    RefPtr<file> f;
};
Result<found_fd> find_fd(const inode& dir, const dentry& child) {
    found_fd found{get_proc_task(dir), name_to_int(child.d_name), nullptr};
    if (!found.task || found.fd < 0) return Errno::NoEnt;
    found.f = task_file(*found.task, found.fd);
    if (!found.f) return Errno::NoEnt;
    return found;
}

proc_inode info_of(const inode& dir, int fd) {
    proc_inode info;
    info.pid = proc_of(dir).pid;
    info.of_task = &kFdInfoEntry;
    info.fd = fd;
    return info;
}

Result<> fd_lookup(inode& dir, dentry& child) {
    const found_fd found = TRY(find_fd(dir, child));
    const uint64_t ino = proc_ino(proc_of(dir).pid.get(), kFdIno, static_cast<unsigned>(found.fd));
    TRY(proc_instantiate(child, info_of(dir, found.fd), link_mode(*found.f), ino, kFdLinkInode, kNoFile));
    child.d_inode->i_size = kLinkSize;
    return {};
}

Result<> fdinfo_lookup(inode& dir, dentry& child) {
    const found_fd found = TRY(find_fd(dir, child));
    const uint64_t ino = proc_ino(proc_of(dir).pid.get(), kFdInfoIno, static_cast<unsigned>(found.fd));
    return proc_instantiate(child, info_of(dir, found.fd), kFdInfoEntry.mode, ino, proc_file_inode_operations,
                            proc_text_file_operations);
}

Result<> emit_fds(file& f, dir_context& ctx, unsigned what, abi::umode_t type) {
    const TaskRef task = get_proc_task(f.node());
    if (!task) return Errno::NoEnt;
    if (!dir_emit_dots(f, ctx)) return {};
    const auto files = get_task_files(*task);
    if (!files) return {};
    const pid* of = proc_of(f.node()).pid.get();
    for (;;) {
        const int fd = next_open_fd(*files, static_cast<unsigned>(ctx.pos - kFirstEntry));
        if (fd < 0) return {};
        char name[16];
        (void)snprintf(name, sizeof(name), "%d", fd);
        const uint64_t ino = proc_ino(of, what, static_cast<unsigned>(fd));
        if (!dir_emit(ctx, name, ino, type, kFirstEntry + fd + 1)) return {};
    }
}

Result<> fd_iterate(file& f, dir_context& ctx) { return emit_fds(f, ctx, kFdIno, abi::kIfLnk); }
Result<> fdinfo_iterate(file& f, dir_context& ctx) { return emit_fds(f, ctx, kFdInfoIno, abi::kIfReg); }

// A process may always look at its own descriptors, whoever it is now.
Result<> fd_permission(const inode& dir, uint32_t mask) {
    Result<> by_mode = generic_permission(dir, mask);
    if (by_mode.ok()) return by_mode;
    const TaskRef task = get_proc_task(dir);
    if (task && same_thread_group(task.get(), current())) return {};
    return by_mode;
}

// fdinfo tells as much as fd does.
Result<> fdinfo_permission(const inode& dir, uint32_t mask) {
    const TaskRef task = get_proc_task(dir);
    if (!task) return Errno::Srch;
    if (!ptrace_may_access(*task)) return Errno::Access;
    return generic_permission(dir, mask);
}

}  // namespace

bool proc_fd_is_open(const inode& node) {
    const TaskRef task = get_proc_task(node);
    return task && task_file(*task, proc_of(node).fd);
}

constinit const inode_operations proc_fd_inode_operations{.lookup = fd_lookup, .permission = fd_permission};
constinit const inode_operations proc_fdinfo_inode_operations{.lookup = fdinfo_lookup,
                                                              .permission = fdinfo_permission};
constinit const file_operations proc_fd_file_operations{
    .llseek = dcache_dir_llseek, .read = generic_read_dir, .iterate = fd_iterate};
constinit const file_operations proc_fdinfo_file_operations{
    .llseek = dcache_dir_llseek, .read = generic_read_dir, .iterate = fdinfo_iterate};

}  // namespace guest
