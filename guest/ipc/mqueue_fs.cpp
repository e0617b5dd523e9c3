// The file system of POSIX message queues: one for all, which programs see where it is mounted. Reading a
// queue's file tells how full it is.
#include "guest/fs/dentry.hpp"
#include "guest/fs/inode.hpp"
#include "guest/fs/mount.hpp"
#include "guest/fs/namei.hpp"
#include "guest/fs/poll.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/ipc/mqueue.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/format.hpp"
#include "guest/lib/string.hpp"

namespace guest {

namespace {

constexpr uint64_t kMqueueMagic = 0x19800202;
constexpr abi::loff_t kFileSize = 80;  // of a queue's text, as stat shows it
constexpr abi::loff_t kEntrySize = 20;

// Never let go.
constinit vfsmount* mq_mnt = nullptr;

mqueue_inode_info& info_of(const inode& node) { return *static_cast<mqueue_inode_info*>(node.i_private); }

Result<size_t> mqueue_read(file& f, iov_iter& to, abi::loff_t& pos) {
    char text[kFileSize];
    size_t length;
    {
        mqueue_inode_info& info = info_of(f.node());
        const spinlock_guard guard(info.lock);
        const bool registered = static_cast<bool>(info.notify_owner);
        const bool signals =
            registered && static_cast<abi::SigevNotify>(info.notify.notify) == abi::SigevNotify::Signal;
        length = scnprintf(text, sizeof(text), "QSIZE:%-10lu NOTIFY:%-5d SIGNO:%-5d NOTIFY_PID:%-6d\n",
                           info.qsize, registered ? info.notify.notify : 0, signals ? info.notify.signo : 0,
                           pid_vnr(info.notify_owner.get()));
    }
    const auto from = static_cast<uint64_t>(pos);
    if (from >= length) return size_t{0};
    const size_t rest = length - from;
    const size_t wanted = to.count() < rest ? to.count() : rest;
    const size_t moved = to.copy_to(text + from, wanted);
    if (moved == 0 && wanted != 0) return Errno::Fault;
    pos += static_cast<abi::loff_t>(moved);
    inode_update_atime(f.node());
    return moved;
}

uint32_t mqueue_poll(file& f, poll_table* table) {
    mqueue_inode_info& info = info_of(f.node());
    poll_wait(f, info.wait_q, table);
    const spinlock_guard guard(info.lock);
    uint32_t mask = 0;
    if (info.attr.mq_curmsgs > 0) mask |= abi::kPollIn | abi::kPollRdNorm;
    if (info.attr.mq_curmsgs < info.attr.mq_maxmsg) mask |= abi::kPollOut | abi::kPollWrNorm;
    return mask;
}

// A process that closes any descriptor of the queue is told no more.
void mqueue_flush(file& f) {
    mqueue_inode_info& info = info_of(f.node());
    const spinlock_guard guard(info.lock);
    if (info.notify_owner.get() == current()->group_leader->thread_pid.get()) remove_notification(info);
}

constexpr inode_operations kFileInode{};

Result<RefPtr<inode>> queue_inode(const inode& dir, abi::umode_t mode, const abi::MqAttr* attr) {
    RefPtr<inode> node = TRY(new_inode(*dir.i_sb, &dir, abi::kIfReg | mode));
    node->i_op = &kFileInode;
    node->i_fop = &mqueue_file_operations;
    node->i_size = kFileSize;
    node->i_private = TRY(mqueue_alloc(attr)).leak();
    return node;
}

// As in tmpfs, the name keeps its dentry.
Result<> add_queue(inode& dir, dentry& child, abi::umode_t mode, const abi::MqAttr* attr) {
    d_instantiate(child, TRY(queue_inode(dir, mode, attr)));
    child.get();
    dir.i_size += kEntrySize;
    inode_update_mtime(dir);
    return {};
}

Result<> mqueue_create(inode& dir, dentry& child, abi::umode_t mode) {
    return add_queue(dir, child, mode & abi::kIAllUgo, nullptr);
}

Result<> mqueue_unlink_child(inode& dir, dentry& child) {
    drop_nlink(*child.d_inode);
    dir.i_size -= kEntrySize;
    inode_update_mtime(dir);
    child.put();
    return {};
}

Result<> mqueue_lookup(inode&, dentry& child) {
    d_add(child, nullptr);
    return {};
}

constexpr inode_operations kDirectoryInode{
    .lookup = mqueue_lookup, .create = mqueue_create, .unlink = mqueue_unlink_child};
constexpr file_operations kDirectoryFile{
    .llseek = dcache_dir_llseek, .read = generic_read_dir, .iterate = dcache_readdir, .fsync = noop_fsync};

void mqueue_evict(inode& node) { delete static_cast<mqueue_inode_info*>(node.i_private); }

constexpr super_operations kSuper{.evict_inode = mqueue_evict};

// All mounts show the same queues.
Result<RefPtr<dentry>> mqueue_mount(const file_system_type&, const char*) { return mq_mnt->mnt_root; }

constexpr file_system_type kMqueueType{"mqueue", mqueue_mount};

Result<> make_file_system() {
    RefPtr<super_block> sb = TRY(make_ref<super_block>(kMqueueType, kSuper, kMqueueMagic));
    RefPtr<inode> dir = TRY(new_inode(*sb, nullptr, abi::kIfDir | abi::kIsVtx | abi::kIrwxUgo));
    dir->i_op = &kDirectoryInode;
    dir->i_fop = &kDirectoryFile;
    dir->i_nlink = 2;
    dir->i_size = 2 * kEntrySize;
    RefPtr<dentry> root = TRY(d_make_root(std::move(dir)));
    sb->s_root = root.get();
    mq_mnt = TRY(make_ref<vfsmount>(std::move(root))).leak();
    return {};
}

// The C library has taken the slash at the beginning away.
Result<> check_name(const char* name) {
    if (name[0] == '\0') return Errno::NoEnt;
    if (strcmp(name, ".") == 0 || strcmp(name, "..") == 0) return Errno::Access;
    for (const char* at = name; *at != '\0'; ++at) {
        if (*at == '/') return Errno::Access;
    }
    return {};
}

uint32_t rights_for(uint32_t flags) {
    switch (flags & abi::kOAccMode) {
        case abi::kORdOnly:
            return abi::kReadOk;
        case abi::kOWrOnly:
            return abi::kWriteOk;
        default:
            return abi::kReadOk | abi::kWriteOk;
    }
}

}  // namespace

constinit const file_operations mqueue_file_operations{
    .llseek = generic_file_llseek, .read = mqueue_read, .poll = mqueue_poll, .flush = mqueue_flush};

Result<mqueue_inode_info*> mqueue_of(const file& f) {
    if (f.f_op != &mqueue_file_operations) return Errno::BadF;
    return &info_of(f.node());
}

Result<RefPtr<file>> mqueue_open(const char* name, uint32_t flags, abi::umode_t mode,
                                 const abi::MqAttr* attr) {
    TRY(check_name(name));
    dentry& root = *mq_mnt->mnt_root;
    RefPtr<dentry> child;
    {
        const mutex_guard guard(root.d_inode->i_mutex);
        child = TRY(lookup_child_locked(root, qstr(name, strlen(name))));
        if (child->is_negative()) {
            if ((flags & abi::kOCreat) == 0) return Errno::NoEnt;
            TRY(inode_permission(*root.d_inode, abi::kWriteOk | abi::kExecOk));
            TRY(add_queue(*root.d_inode, *child, mode & abi::kIAllUgo, attr));
        } else {
            if ((flags & abi::kOCreat) != 0 && (flags & abi::kOExcl) != 0) return Errno::Exist;
            if ((flags & abi::kOAccMode) == abi::kOAccMode) return Errno::Inval;
            TRY(inode_permission(*child->d_inode, rights_for(flags)));
        }
    }
    return dentry_open(path(RefPtr<vfsmount>(mq_mnt), std::move(child)), flags);
}

Result<> mqueue_unlink(const char* name) {
    TRY(check_name(name));
    const path root(RefPtr<vfsmount>(mq_mnt), mq_mnt->mnt_root);
    return vfs_unlinkat({root, root}, name);
}

void mqueue_init() {
    register_filesystem(kMqueueType);
    if (!make_file_system()) panic("too little memory for message queues");
}

}  // namespace guest
