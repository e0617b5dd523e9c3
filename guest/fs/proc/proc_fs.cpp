// The file system: mounting it, its inodes, its root directory.
#include "guest/fs/dentry.hpp"
#include "guest/fs/mount.hpp"
#include "guest/fs/proc/proc.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/lib/format.hpp"
#include "guest/lib/string.hpp"

namespace guest {

DEFINE_KMEM_CACHE(proc_inode)

namespace {

constexpr uint64_t kProcMagic = 0x9fa0;
constexpr uint64_t kRootIno = 1;
// Positions in the root: dots, its own entries, processes.
constexpr abi::loff_t kFirstEntry = 2;
constexpr abi::loff_t kFirstProcess = 256;

// A name of a task goes away with the task, one below fd/ with the descriptor.
bool proc_revalidate(dentry& d) {
    if (d.is_negative()) return false;
    inode& node = *d.d_inode;
    const proc_inode& info = proc_of(node);
    if (!info.pid) return true;
    const TaskRef task = get_proc_task(node);
    if (!task) return false;
    task_dump_owner(*task, node);
    return info.fd < 0 || proc_fd_is_open(node);
}

constexpr dentry_operations kProcDentry{.d_revalidate = proc_revalidate};

void proc_evict(inode& node) { delete static_cast<proc_inode*>(node.i_private); }

void proc_put_super(super_block& sb) {
    if (sb.s_fs_info != nullptr) static_cast<pid_namespace*>(sb.s_fs_info)->put();
}

constexpr super_operations kProcSuper{.evict_inode = proc_evict, .put_super = proc_put_super};

Result<RefPtr<inode>> make_inode(super_block& sb, proc_inode init, abi::umode_t mode, uint64_t ino,
                                 const inode_operations& iop, const file_operations& fop) {
    RefPtr<inode> node = TRY(make_ref<inode>(sb, ino, mode));
    auto* info = new (nothrow) proc_inode(std::move(init));
    if (info == nullptr) return Errno::NoMem;
    node->i_private = info;
    node->i_op = &iop;
    node->i_fop = &fop;
    if (abi::is_dir(mode)) node->i_nlink = 2;
    node->i_atime = node->i_mtime = node->i_ctime = current_time();
    return node;
}

Result<> root_lookup(inode& dir, dentry& child) {
    Result<> found = proc_dir_inode_operations.lookup(dir, child);
    if (found.ok() || found.error() != Errno::NoEnt) return found;
    return proc_pid_lookup(dir, child);
}

Result<> root_iterate(file& f, dir_context& ctx) {
    if (ctx.pos < kFirstProcess) {
        TRY(proc_dir_file_operations.iterate(f, ctx));
        if (ctx.pos < kFirstEntry + static_cast<abi::loff_t>(proc_root.nr_children)) return {};
        ctx.pos = kFirstProcess;
    }
    return proc_pid_readdir(f, ctx, kFirstProcess);
}

constexpr inode_operations kRootInode{.lookup = root_lookup};
constexpr file_operations kRootFile{
    .llseek = dcache_dir_llseek, .read = generic_read_dir, .iterate = root_iterate};

Result<RefPtr<dentry>> proc_mount(const file_system_type& type, const char*) {
    RefPtr<super_block> sb = TRY(make_ref<super_block>(type, kProcSuper, kProcMagic));
    pid_namespace& ns = task_active_pid_ns(current());
    ns.get();
    sb->s_fs_info = &ns;
    proc_inode info;
    info.global = &proc_root;
    RefPtr<inode> node =
        TRY(make_inode(*sb, std::move(info), abi::kIfDir | 0555, kRootIno, kRootInode, kRootFile));
    RefPtr<dentry> root = TRY(d_make_root(std::move(node), &kProcDentry));
    sb->s_root = root.get();
    return root;
}

constexpr file_system_type kProcType{"proc", proc_mount};

}  // namespace

void proc_init() { register_filesystem(kProcType); }

pid_namespace& proc_pid_ns(const super_block& sb) { return *static_cast<pid_namespace*>(sb.s_fs_info); }

Result<> proc_instantiate(dentry& child, proc_inode init, abi::umode_t mode, uint64_t ino,
                          const inode_operations& iop, const file_operations& fop) {
    RefPtr<inode> node = TRY(make_inode(child.sb(), std::move(init), mode, ino, iop, fop));
    if (proc_of(*node).pid) {
        const TaskRef task = get_proc_task(*node);
        if (!task) return Errno::NoEnt;
        task_dump_owner(*task, *node);
    }
    d_add(child, std::move(node));
    return {};
}

TaskRef get_pid_task(pid* of) {
    const spinlock_guard guard(tasklist_lock);
    task_struct* task = pid_task(of, PIDTYPE_PID);
    if (task != nullptr) get_task_struct(task);
    return TaskRef(task);
}

TaskRef get_proc_task(const inode& node) { return get_pid_task(proc_of(node).pid.get()); }

// Bits: pid from 34 on, entry from 24, descriptor below. The files that are always there have pid 0.
uint64_t proc_ino(const pid* of, unsigned what, unsigned fd) {
    return static_cast<uint64_t>(pid_nr(of)) << 34 | uint64_t{what} << 24 | fd;
}

void task_dump_owner(const task_struct& task, inode& node) {
    const RefPtr<const cred> who = task.cred;
    bool dumpable = true;
    if (const MmRef mm = get_task_mm(task)) dumpable = mm->dumpable.load() == SUID_DUMP_USER;
    const spinlock_guard guard(node.i_lock);
    // Of what may not be looked into only the directory stays its user's.
    const bool hidden = !dumpable && node.i_mode != (abi::kIfDir | 0555);
    node.i_uid = hidden ? 0 : who->euid;
    node.i_gid = hidden ? 0 : who->egid;
}

bool dir_emit(dir_context& ctx, const char* name, uint64_t ino, abi::umode_t mode, abi::loff_t next) {
    if (!ctx.actor(ctx, name, strlen(name), ino, abi::dirent_type(mode), next)) return false;
    ctx.pos = next;
    return true;
}

bool dir_emit_dots(file& f, dir_context& ctx) {
    const dentry& dir = *f.f_path.dentry;
    if (ctx.pos == 0 && !dir_emit(ctx, ".", dir.d_inode->i_ino, abi::kIfDir, 1)) return false;
    if (ctx.pos != 1) return true;
    return dir_emit(ctx, "..", dget_parent(dir)->d_inode->i_ino, abi::kIfDir, 2);
}

int name_to_int(const qstr& name) {
    constexpr int kMost = 0x7fffffff;
    if (name.len == 0 || (name.len > 1 && name.name[0] == '0')) return -1;
    int value = 0;
    for (uint32_t i = 0; i < name.len; ++i) {
        const int digit = name.name[i] - '0';
        if (digit < 0 || digit > 9 || value > (kMost - digit) / 10) return -1;
        value = value * 10 + digit;
    }
    return value;
}

}  // namespace guest
