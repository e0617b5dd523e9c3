// Open file descriptions: made by open and its like, ended by the last close.
#include "guest/fs/file.hpp"

#include "guest/fs/dentry.hpp"
#include "guest/fs/eventpoll.hpp"
#include "guest/fs/inode.hpp"
#include "guest/fs/locks.hpp"
#include "guest/fs/mount.hpp"
#include "guest/kernel/cred.hpp"

namespace guest {

DEFINE_KMEM_CACHE(file)

namespace {

// More than this many at once only the privileged may open (Linux: fs.file-max).
constexpr uint64_t kMaxFiles = 65536;
constinit Atomic<uint64_t> nr_files{0};

// What open(2) acts on once and F_GETFL does not show.
constexpr uint32_t kOpenOnly = abi::kOCreat | abi::kOExcl | abi::kONoCtty | abi::kOTrunc | abi::kOCloExec;

constexpr file_operations kPathOperations{};

uint32_t mode_of(uint32_t flags) {
    switch (flags & abi::kOAccMode) {
        case abi::kORdOnly:
            return file::kRead;
        case abi::kOWrOnly:
            return file::kWrite;
        case abi::kORdWr:
            return file::kRead | file::kWrite;
        default:  // 3: for ioctl alone
            return 0;
    }
}

}  // namespace

file::file(path p, uint32_t mode, uint32_t flags, const file_operations& ops)
    : f_path(std::move(p)),
      f_inode(f_path.dentry->d_inode.get()),
      f_op(&ops),
      f_mapping(&f_inode->i_data),
      f_mode(mode),
      f_flags(flags) {
    nr_files.fetch_add(1);
}

file::~file() {
    eventpoll_release(*this);
    locks_remove_file(*this);
    fasync_remove(*this);
    if ((f_mode & kOpened) != 0 && f_op->release != nullptr) f_op->release(*f_inode, *this);
    if ((f_mode & kWriter) != 0) {
        put_write_access(*f_inode);
        f_path.mnt->mnt_writers.fetch_sub(1);
    }
    if ((f_mode & kExec) != 0) allow_write_access(*f_inode);
    nr_files.fetch_sub(1);
}

file* get_file(file* f) {
    f->get();
    return f;
}

void put_file(file* f) { f->put(); }

Result<RefPtr<file>> alloc_file(path p, uint32_t mode, uint32_t flags, const file_operations& ops) {
    if (nr_files.load() >= kMaxFiles && !capable(kCapSysAdmin)) return Errno::NFile;
    return make_ref<file>(std::move(p), mode, flags, ops);
}

Result<RefPtr<file>> dentry_open(path p, uint32_t flags) {
    if ((flags & abi::kOPath) != 0) {
        constexpr uint32_t kShown = abi::kOPath | abi::kODirectory | abi::kONoFollow;
        return alloc_file(std::move(p), file::kPath, flags & kShown, kPathOperations);
    }
    inode& node = *p.dentry->d_inode;
    RefPtr<file> f = TRY(alloc_file(std::move(p), mode_of(flags), flags, *node.i_fop));
    if ((f->f_mode & file::kWrite) != 0 && abi::is_reg(node.i_mode)) {
        TRY(get_write_access(node));
        f->f_mode |= file::kWriter;
        f->f_path.mnt->mnt_writers.fetch_add(1);
    }
    if (f->f_op->open != nullptr) TRY(f->f_op->open(node, *f));
    f->f_mode |= file::kOpened;
    if (f->f_op->llseek != nullptr) f->f_mode |= file::kSeek;
    f->f_flags &= ~kOpenOnly;
    return f;
}

void file_accessed(const file& f) {
    constexpr int64_t kDay = 24 * 60 * 60;  // seconds
    inode& node = f.node();
    const uint32_t flags = f.f_path.mnt->mnt_flags;
    if ((f.f_flags & abi::kONoAtime) != 0 || (flags & MNT_NOATIME) != 0) return;
    if ((flags & MNT_NODIRATIME) != 0 && abi::is_dir(node.i_mode)) return;
    if (!mnt_may_write(*f.f_path.mnt).ok()) return;
    if ((flags & MNT_RELATIME) != 0) {
        const auto later = [](const abi::Timespec& a, const abi::Timespec& b) {
            return a.tv_sec != b.tv_sec ? a.tv_sec > b.tv_sec : a.tv_nsec > b.tv_nsec;
        };
        const spinlock_guard guard(node.i_lock);
        const bool fresh = later(node.i_atime, node.i_mtime) && later(node.i_atime, node.i_ctime);
        if (fresh && current_time().tv_sec - node.i_atime.tv_sec < kDay) return;
    }
    inode_update_atime(node);
}

uint64_t files_max() { return kMaxFiles; }
uint64_t files_open() { return nr_files.load(); }

}  // namespace guest
