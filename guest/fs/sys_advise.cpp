// What programs say of how they will use a file. All contents are in memory and nothing is read ahead or
// written back: the arguments are checked, and that is all there is to do.
#include "guest/fs/fdtable.hpp"
#include "guest/fs/syscalls.hpp"
#include "guest/fs/vfs.hpp"

namespace guest {

Result<long> sys_readahead(int fd, int64_t, size_t) {
    const RefPtr<file> f = TRY(current_file(fd));
    if ((f->f_mode & file::kRead) == 0) return Errno::BadF;
    if (!abi::is_reg(f->node().i_mode) && !abi::is_blk(f->node().i_mode)) return Errno::Inval;
    return 0;
}

Result<long> sys_fadvise64(int fd, int64_t, int64_t bytes, int advice) {
    constexpr int kLastAdvice = 5;  // POSIX_FADV_NOREUSE
    const RefPtr<file> f = TRY(current_file(fd));
    if (abi::is_fifo(f->node().i_mode)) return Errno::SPipe;
    if (bytes < 0 || advice < 0 || advice > kLastAdvice) return Errno::Inval;
    return 0;
}

Result<long> sys_sync_file_range(int fd, int64_t offset, int64_t bytes, uint32_t flags) {
    constexpr uint32_t kKnown = 7;  // WAIT_BEFORE, WRITE, WAIT_AFTER
    const RefPtr<file> f = TRY(current_file(fd));
    if ((flags & ~kKnown) != 0 || offset < 0 || bytes < 0 || bytes > INT64_MAX - offset) return Errno::Inval;
    const abi::umode_t mode = f->node().i_mode;
    if (!abi::is_reg(mode) && !abi::is_blk(mode) && !abi::is_dir(mode) && !abi::is_lnk(mode))
        return Errno::SPipe;
    return 0;
}

}  // namespace guest
