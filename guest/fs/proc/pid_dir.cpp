// /proc/<pid>, /proc/<pid>/task and /proc/<pid>/task/<tid>.
#include "guest/fs/dentry.hpp"
#include "guest/fs/proc/proc.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/kernel/ptrace.hpp"
#include "guest/lib/format.hpp"
#include "guest/lib/string.hpp"

namespace guest {

namespace {

constexpr abi::loff_t kFirstEntry = 2;
// The "what" of proc_ino: a process, its task directory's threads, then entries.
constexpr unsigned kTgidIno = 1, kTidIno = 2, kTgidEntryIno = 16, kTidEntryIno = 128, kNsEntryIno = 240;
constexpr abi::umode_t kDirMode = abi::kIfDir | 0555;

// The pid of that number, as the mount sees it, if a task goes by it.
RefPtr<pid> find_task_pid(const super_block& sb, int nr) {
    const spinlock_guard guard(tasklist_lock);
    RefPtr<pid> found(find_pid_ns(nr, proc_pid_ns(sb)));
    if (pid_task(found.get(), PIDTYPE_PID) == nullptr) return nullptr;
    return found;
}

// --- the files of a task

Result<> entry_lookup(inode& dir, dentry& child, const pid_entries& entries, unsigned first_ino) {
    const proc_inode& parent = proc_of(dir);
    for (size_t i = 0; i < entries.count(); ++i) {
        const pid_entry& entry = entries[i];
        if (strlen(entry.name) != child.d_name.len ||
            memcmp(entry.name, child.d_name.name, child.d_name.len) != 0)
            continue;
        proc_inode info;
        info.pid = parent.pid;
        info.of_task = &entry;
        const inode_operations* iop = entry.iop;
        if (iop == nullptr)
            iop = entry.jump != nullptr ? &proc_jump_inode_operations : &proc_file_inode_operations;
        const file_operations& fop = entry.fop != nullptr ? *entry.fop : proc_text_file_operations;
        const uint64_t ino = proc_ino(parent.pid.get(), first_ino + static_cast<unsigned>(i));
        return proc_instantiate(child, std::move(info), entry.mode, ino, *iop, fop);
    }
    return Errno::NoEnt;
}

Result<> entry_iterate(file& f, dir_context& ctx, const pid_entries& entries, unsigned first_ino) {
    if (!get_proc_task(f.node())) return Errno::NoEnt;
    if (!dir_emit_dots(f, ctx)) return {};
    const pid* of = proc_of(f.node()).pid.get();
    for (auto i = static_cast<size_t>(ctx.pos - kFirstEntry); i < entries.count(); ++i) {
        const pid_entry& entry = entries[i];
        const uint64_t ino = proc_ino(of, first_ino + static_cast<unsigned>(i));
        if (!dir_emit(ctx, entry.name, ino, entry.mode, static_cast<abi::loff_t>(i) + kFirstEntry + 1))
            return {};
    }
    return {};
}

Result<> tgid_lookup(inode& dir, dentry& child) {
    return entry_lookup(dir, child, tgid_entries, kTgidEntryIno);
}
Result<> tgid_iterate(file& f, dir_context& ctx) {
    return entry_iterate(f, ctx, tgid_entries, kTgidEntryIno);
}
Result<> tid_lookup(inode& dir, dentry& child) { return entry_lookup(dir, child, tid_entries, kTidEntryIno); }
Result<> tid_iterate(file& f, dir_context& ctx) { return entry_iterate(f, ctx, tid_entries, kTidEntryIno); }

Result<> ns_lookup(inode& dir, dentry& child) { return entry_lookup(dir, child, ns_entries, kNsEntryIno); }
Result<> ns_iterate(file& f, dir_context& ctx) { return entry_iterate(f, ctx, ns_entries, kNsEntryIno); }

// Looking for anything below a task that is gone says so.
Result<> pid_permission(const inode& dir, uint32_t mask) {
    if (!get_proc_task(dir)) return Errno::Srch;
    return generic_permission(dir, mask);
}

Result<path> jump_link(inode& link) {
    const TaskRef task = get_proc_task(link);
    if (!task) return Errno::NoEnt;
    if (!ptrace_may_access(*task)) return Errno::Access;
    return proc_of(link).of_task->jump(*task);
}

// --- the threads of a process

Result<> task_lookup(inode& dir, dentry& child) {
    const int nr = name_to_int(child.d_name);
    const TaskRef leader = get_proc_task(dir);
    if (nr <= 0 || !leader) return Errno::NoEnt;
    RefPtr<pid> found = find_task_pid(*dir.i_sb, nr);
    const TaskRef thread = get_pid_task(found.get());
    if (!thread || !same_thread_group(thread.get(), leader.get())) return Errno::NoEnt;
    proc_inode info;
    info.pid = found;
    return proc_instantiate(child, std::move(info), kDirMode, proc_ino(found.get(), kTidIno),
                            proc_tid_inode_operations, proc_tid_file_operations);
}

// The thread with the lowest number at or above nr.
RefPtr<pid> next_thread(const inode& dir, pid_nr_t nr) {
    const pid_namespace& ns = proc_pid_ns(*dir.i_sb);
    const spinlock_guard guard(tasklist_lock);
    const task_struct* leader = pid_task(proc_of(dir).pid.get(), PIDTYPE_PID);
    if (leader == nullptr) return nullptr;
    pid* best = nullptr;
    for_each_thread(leader, [&](const task_struct& thread) {
        pid* candidate = thread.thread_pid.get();
        const pid_nr_t its_nr = pid_nr_ns(candidate, ns);
        if (its_nr >= nr && (best == nullptr || its_nr < pid_nr_ns(best, ns))) best = candidate;
    });
    return RefPtr<pid>(best);
}

// Gives each pid that `next` finds from position first on, and its directory's name.
template <typename Next>
void emit_pids(file& f, dir_context& ctx, abi::loff_t first, unsigned what, Next&& next) {
    const pid_namespace& ns = proc_pid_ns(*f.node().i_sb);
    for (;;) {
        const RefPtr<pid> of = next(static_cast<pid_nr_t>(ctx.pos - first));
        if (!of) return;
        const pid_nr_t nr = pid_nr_ns(of.get(), ns);
        char name[16];
        (void)snprintf(name, sizeof(name), "%d", nr);
        if (!dir_emit(ctx, name, proc_ino(of.get(), what), abi::kIfDir, first + nr + 1)) return;
    }
}

Result<> task_iterate(file& f, dir_context& ctx) {
    if (!get_proc_task(f.node())) return Errno::NoEnt;
    if (!dir_emit_dots(f, ctx)) return {};
    emit_pids(f, ctx, kFirstEntry, kTidIno, [&](pid_nr_t nr) { return next_thread(f.node(), nr); });
    return {};
}

uint32_t task_nlink(const inode& dir) {
    const TaskRef leader = get_proc_task(dir);
    const spinlock_guard guard(tasklist_lock);
    return dir.i_nlink + (leader ? static_cast<uint32_t>(leader->signal->nr_threads) : 0);
}

// The process with the lowest number at or above nr.
RefPtr<pid> next_process(const pid_namespace& ns, pid_nr_t nr) {
    for (;; ++nr) {
        RefPtr<pid> candidate = find_ge_pid(nr, ns);
        if (!candidate) return nullptr;
        const TaskRef task = get_pid_task(candidate.get());
        if (task && thread_group_leader(task.get())) return candidate;
        nr = pid_nr_ns(candidate.get(), ns);
    }
}

}  // namespace

constinit const inode_operations proc_tgid_inode_operations{.lookup = tgid_lookup,
                                                            .permission = pid_permission};
constinit const inode_operations proc_tid_inode_operations{.lookup = tid_lookup,
                                                           .permission = pid_permission};
constinit const inode_operations proc_task_inode_operations{
    .lookup = task_lookup, .permission = pid_permission, .nlink = task_nlink};
constinit const inode_operations proc_ns_inode_operations{.lookup = ns_lookup, .permission = pid_permission};
constinit const inode_operations proc_jump_inode_operations{.jump_link = jump_link};
constinit const file_operations proc_tgid_file_operations{
    .llseek = dcache_dir_llseek, .read = generic_read_dir, .iterate = tgid_iterate};
constinit const file_operations proc_tid_file_operations{
    .llseek = dcache_dir_llseek, .read = generic_read_dir, .iterate = tid_iterate};
constinit const file_operations proc_task_file_operations{
    .llseek = dcache_dir_llseek, .read = generic_read_dir, .iterate = task_iterate};

constinit const file_operations proc_ns_file_operations{
    .llseek = dcache_dir_llseek, .read = generic_read_dir, .iterate = ns_iterate};

pid* tgid_pidfd_pid(const file& f) {
    return f.f_op == &proc_tgid_file_operations ? proc_of(f.node()).pid.get() : nullptr;
}

Result<> proc_pid_lookup(inode& dir, dentry& child) {
    const int nr = name_to_int(child.d_name);
    if (nr <= 0) return Errno::NoEnt;
    RefPtr<pid> found = find_task_pid(*dir.i_sb, nr);
    if (!found) return Errno::NoEnt;
    proc_inode info;
    info.pid = found;
    return proc_instantiate(child, std::move(info), kDirMode, proc_ino(found.get(), kTgidIno),
                            proc_tgid_inode_operations, proc_tgid_file_operations);
}

Result<> proc_pid_readdir(file& f, dir_context& ctx, abi::loff_t first) {
    const pid_namespace& ns = proc_pid_ns(*f.node().i_sb);
    emit_pids(f, ctx, first, kTgidIno, [&](pid_nr_t nr) { return next_process(ns, nr); });
    return {};
}

}  // namespace guest
