// Open file descriptions: what open, pipe and dup hand out descriptors for. One description is shared
// by all descriptors that dup or fork made of it: offset and status flags are common (row F10).
#pragma once

#include "guest/abi/file.hpp"
#include "guest/fs/fown.hpp"
#include "guest/fs/iov_iter.hpp"
#include "guest/fs/path.hpp"
#include "guest/kernel/mutex.hpp"
#include "guest/lib/refcount.hpp"
#include "guest/lib/result.hpp"
#include "guest/lib/spinlock.hpp"
#include "guest/mm/slab.hpp"

namespace guest {

struct address_space;
struct dentry;
struct file;
struct inode;
struct poll_table;
class seq_file;
struct vm_area_struct;

// Receives the entries of a directory, one call each. False: the buffer is full, and this entry is to come
// again. pos is where the directory goes on; the directory moves it past each entry that was taken.
struct dir_context {
    bool (*actor)(dir_context& ctx, const char* name, size_t len, uint64_t ino, uint8_t type,
                  abi::loff_t next) = nullptr;
    abi::loff_t pos = 0;
};

// A null operation answers with what its comment says.
struct file_operations {
    Result<abi::loff_t> (*llseek)(file& f, abi::loff_t offset, uint32_t whence) = nullptr;  // SPipe
    // Move bytes between the file at pos and the iterator; pos moves along. How many bytes; 0 at the end. A
    // fault in the middle gives what went before it, Fault if nothing did.
    Result<size_t> (*read)(file& f, iov_iter& to, abi::loff_t& pos) = nullptr;     // Inval
    Result<size_t> (*write)(file& f, iov_iter& from, abi::loff_t& pos) = nullptr;  // Inval
    Result<> (*iterate)(file& f, dir_context& ctx) = nullptr;                      // NotDir
    // What of kPollIn, kPollOut and so on holds now; registers with wait if that is not null.
    uint32_t (*poll)(file& f, poll_table* wait) = nullptr;                             // always ready
    Result<int64_t> (*ioctl)(file& f, uint32_t request, uint64_t argument) = nullptr;  // NoTty
    // Checks and prepares a mapping of the file; the area is filled in but not yet visible. Page faults then
    // take frames from f_mapping (filemap_fault).
    Result<> (*mmap)(file& f, vm_area_struct& area) = nullptr;  // NoDev
    Result<> (*open)(inode& node, file& f) = nullptr;           // fine
    void (*flush)(file& f) = nullptr;                           // at each close of a descriptor
    void (*release)(inode& node, file& f) = nullptr;            // the last reference is gone
    Result<> (*fsync)(file& f) = nullptr;                       // Inval
    // mode: FALLOC_FL_*. The arguments are checked as far as they can be without knowing the file system.
    Result<> (*fallocate)(file& f, int mode, abi::loff_t offset, abi::loff_t bytes) = nullptr;  // OpNotSupp
    // O_ASYNC is set, by fd, or cleared: fasync_add or fasync_remove.
    void (*fasync)(file& f, int fd, bool on) = nullptr;  // nobody is told
    // Adds lines of the file's own to /proc/<pid>/fdinfo/<fd>.
    void (*show_fdinfo)(file& f, seq_file& m) = nullptr;
};

struct file : RefCounted<file> {
    KMEM_CACHED()
    enum : uint32_t {
        kRead = 1,
        kWrite = 2,
        kSeek = 4,       // has an offset: lseek, pread and pwrite work, read and write take f_pos_mutex
        kPath = 8,       // O_PATH: names a file without opening it
        kExec = 16,      // opened by open_exec: writers are kept out until the last reference goes
        kWriter = 32,    // counted in i_writecount
        kOpened = 64,    // f_op->open succeeded: release is due
        kCreated = 128,  // the open that made it also made the file
    };

    file(path p, uint32_t mode, uint32_t flags, const file_operations& ops);
    ~file();

    [[nodiscard]] inode& node() const { return *f_inode; }
    [[nodiscard]] bool nonblocking() const { return (f_flags & abi::kONonBlock) != 0; }

    const path f_path;
    inode* const f_inode;  // kept alive by f_path
    const file_operations* f_op;
    address_space* f_mapping;
    uint32_t f_mode;   // of the bits above; constant after open
    uint32_t f_flags;  // O_*, without those that act at open only; guarded by f_lock
    mutable spinlock_t f_lock;
    mutex f_pos_mutex;
    abi::loff_t f_pos = 0;
    fown_struct f_owner;  // guarded by f_lock
    // With O_ASYNC: in the list of those that are told, and the descriptor that it is about (fown.hpp).
    list_head f_fasync;
    int f_fasync_fd = -1;
    list_head f_ep;  // what watches it (eventpoll.hpp)
    void* private_data = nullptr;
};

// For owners that hold plain pointers.
file* get_file(file* f);
void put_file(file* f);

// A description of something that is not opened by name, such as one end of a pipe; mode is of file::kRead
// and so on. ops->open is not called. NFile, NoMem.
Result<RefPtr<file>> alloc_file(path p, uint32_t mode, uint32_t flags, const file_operations& ops);
// Opens what p names. flags as for open(2); permission has been checked. What the file's own open gives.
Result<RefPtr<file>> dentry_open(path p, uint32_t flags);

// It was read: the time of that is kept, unless the description or its mount says otherwise. With relatime,
// which is usual, only once after each change and once a day.
void file_accessed(const file& f);

// Descriptions that are open now, in the whole system.
[[nodiscard]] uint64_t files_open();
// More than this many only the privileged may open.
[[nodiscard]] uint64_t files_max();

}  // namespace guest
