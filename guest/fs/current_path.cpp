// Paths and descriptors of the running task.
#include "guest/fs/fdtable.hpp"
#include "guest/fs/fs_struct.hpp"
#include "guest/fs/namei.hpp"
#include "guest/kernel/sched.hpp"

namespace guest {

namespace {

// No path is no path, whatever the descriptor is.
Result<> check_not_empty(const char* name, lookup_flags flags) {
    if (name[0] == '\0' && !flags.empty) return Errno::NoEnt;
    return {};
}

}  // namespace

Result<walk_start> start_walk_at(int dirfd, const char* name) {
    TRY(check_not_empty(name, {}));
    return start_walk(*current()->fs, *current()->files, dirfd, name);
}

Result<path> user_path_at(int dirfd, const char* name, lookup_flags flags) {
    TRY(check_not_empty(name, flags));
    return path_lookup(TRY(start_walk(*current()->fs, *current()->files, dirfd, name)), name, flags);
}

Result<RefPtr<file>> filp_open(const char* name, uint32_t flags, abi::umode_t mode) {
    return do_filp_open(TRY(start_walk_at(abi::kAtFdCwd, name)), name, flags, mode);
}

Result<RefPtr<file>> open_exec(int dirfd, const char* name, lookup_flags flags) {
    TRY(check_not_empty(name, flags));
    return do_open_exec(TRY(start_walk(*current()->fs, *current()->files, dirfd, name)), name, flags);
}

Result<RefPtr<file>> current_file(int fd) {
    RefPtr<file> f = fget(*current()->files, fd);
    if (!f) return Errno::BadF;
    return f;
}

Result<RefPtr<file>> current_file_raw(int fd) {
    RefPtr<file> f = fget_raw(*current()->files, fd);
    if (!f) return Errno::BadF;
    return f;
}

Result<ReservedFd> reserve_fd(uint32_t flags, unsigned start) {
    files_struct& files = *current()->files;
    return ReservedFd(files, TRY(alloc_fd(files, start, nofile_limit(), flags)));
}

uint64_t file_size_limit() { return rlimit(abi::Rlimit::FSize); }

unsigned nofile_limit() {
    const uint64_t limit = rlimit(abi::Rlimit::NoFile);
    return limit < kNrOpenMax ? static_cast<unsigned>(limit) : kNrOpenMax;
}

}  // namespace guest
