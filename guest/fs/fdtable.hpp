// The descriptor table of a task: which small number means which open file description, and which of
// them execve closes. Shared between tasks by CLONE_FILES (row C4), copied by fork (row F10).
#pragma once

#include "guest/fs/file.hpp"
#include "guest/lib/refcount.hpp"
#include "guest/lib/result.hpp"
#include "guest/lib/spinlock.hpp"

namespace guest {

// Descriptors that a table can hold at most, whatever RLIMIT_NOFILE says (Linux: fs.nr_open).
inline constexpr unsigned kNrOpenMax = 1U << 20;

// The arrays, grown together.
struct fdtable {
    unsigned max_fds = 0;               // a multiple of 64
    file** fd = nullptr;                // each holds a reference; null: free, or reserved by alloc_fd
    uint64_t* open_fds = nullptr;       // bit set: taken
    uint64_t* close_on_exec = nullptr;  // bit set: FD_CLOEXEC
};

struct files_struct : RefCounted<files_struct> {
    KMEM_CACHED()
    static constexpr unsigned kInline = 64;

    files_struct();
    // Closes every descriptor. May sleep.
    ~files_struct();

    mutable spinlock_t file_lock;  // everything below
    fdtable fdt;
    unsigned next_fd = 0;  // none below is free
    file* fd_array[kInline] = {};
    uint64_t open_fds_init = 0;
    uint64_t close_on_exec_init = 0;
};

// For owners that hold plain pointers. The last put closes every descriptor; it may sleep.
files_struct* get_files_struct(files_struct* files);
void put_files_struct(files_struct* files);

// A copy: the same descriptions, each with one reference more, and the same close-on-exec bits. Descriptors
// from limit on are left out. NoMem leaves nothing behind.
Result<RefPtr<files_struct>> dup_fd(const files_struct& old, unsigned limit = kNrOpenMax);

// execve: closes what is marked. The table must be this task's alone.
void do_close_on_exec(files_struct& files);

// The lowest free descriptor at or above start and below limit, reserved: fd_install or put_unused_fd must
// follow. flags: kOCloExec or 0. MFile, NoMem.
Result<int> alloc_fd(files_struct& files, unsigned start, unsigned limit, uint32_t flags);
void put_unused_fd(files_struct& files, int fd);
// Fills the reserved descriptor.
void fd_install(files_struct& files, int fd, RefPtr<file> f);

// The description behind fd; null if fd is not open, or names an O_PATH one.
[[nodiscard]] RefPtr<file> fget(const files_struct& files, int fd);
// The same, O_PATH descriptions too.
[[nodiscard]] RefPtr<file> fget_raw(const files_struct& files, int fd);
// Takes fd out of the table and hands over what it held; null if it was not open.
[[nodiscard]] RefPtr<file> take_fd(files_struct& files, int fd);
// close(2). BadF.
Result<> close_fd(files_struct& files, int fd);
// Puts f at fd, closing what was there. BadF beyond limit, Busy while another thread fills fd, NoMem.
Result<> replace_fd(files_struct& files, int fd, RefPtr<file> f, uint32_t flags, unsigned limit);

// fd is open.
[[nodiscard]] bool get_close_on_exec(const files_struct& files, int fd);
void set_close_on_exec(files_struct& files, int fd, bool on);
// The lowest open descriptor at or above start, or -1.
[[nodiscard]] int next_open_fd(const files_struct& files, unsigned start);

// The running task's. BadF.
Result<RefPtr<file>> current_file(int fd);
// The same, O_PATH descriptions too.
Result<RefPtr<file>> current_file_raw(int fd);
// A free descriptor of the running task, at or above start. MFile, NoMem.
class ReservedFd;
Result<ReservedFd> reserve_fd(uint32_t flags, unsigned start = 0);

// Its RLIMIT_NOFILE.
[[nodiscard]] unsigned nofile_limit();
// RLIMIT_FSIZE of the caller, bytes.
[[nodiscard]] uint64_t file_size_limit();

// What close(2), dup2(2) and exit do once a descriptor of files lost f.
void filp_close(const files_struct& files, RefPtr<file> f);

// A descriptor that is reserved until it is installed; given back if that does not happen.
class ReservedFd {
public:
    ReservedFd(files_struct& files, int fd) : files_(&files), fd_(fd) {}
    ReservedFd(ReservedFd&& other) noexcept : files_(std::exchange(other.files_, nullptr)), fd_(other.fd_) {}
    ReservedFd& operator=(ReservedFd&&) = delete;
    ~ReservedFd() {
        if (files_ != nullptr) put_unused_fd(*files_, fd_);
    }
    [[nodiscard]] int number() const { return fd_; }
    // Cannot fail.
    int install(RefPtr<file> f) {
        fd_install(*std::exchange(files_, nullptr), fd_, std::move(f));
        return fd_;
    }

private:
    files_struct* files_;
    int fd_;
};

}  // namespace guest
