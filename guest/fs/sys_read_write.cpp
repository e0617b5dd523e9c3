// read, write and their kin.
#include "guest/fs/fdtable.hpp"
#include "guest/fs/syscalls.hpp"
#include "guest/fs/user_segments.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

// Failures count as calls too.
Result<size_t> account_read(Result<size_t> moved) {
    io_accounting& ioac = current()->ioac;
    ++ioac.syscr;
    if (moved.ok()) ioac.rchar += moved.value();
    return moved;
}

Result<size_t> account_write(Result<size_t> moved) {
    io_accounting& ioac = current()->ioac;
    ++ioac.syscw;
    if (moved.ok()) ioac.wchar += moved.value();
    return moved;
}

Result<long> do_read(file& f, iov_iter& to) {
    return static_cast<long>(TRY(account_read(vfs_read_at_pos(f, to))));
}

Result<long> do_write(file& f, iov_iter& from) {
    return static_cast<long>(TRY(account_write(vfs_write_at_pos(f, from))));
}

Result<> check_positioned(const file& f, int64_t offset) {
    if (offset < 0) return Errno::Inval;
    if ((f.f_mode & file::kSeek) == 0) return Errno::SPipe;
    return {};
}

Result<long> do_pread(file& f, iov_iter& to, int64_t offset) {
    TRY(check_positioned(f, offset));
    return static_cast<long>(TRY(account_read(vfs_read(f, to, offset))));
}

Result<long> do_pwrite(file& f, iov_iter& from, int64_t offset) {
    TRY(check_positioned(f, offset));
    return static_cast<long>(TRY(account_write(vfs_write(f, from, offset))));
}

// One page after the other through the kernel. What was read but could not be written is not lost: the
// source's position is where writing stopped.
Result<size_t> copy_between(file& in, abi::loff_t& in_pos, file& out, abi::loff_t& out_pos, size_t bytes) {
    KBuffer buffer = TRY(KBuffer::allocate(kPageSize));
    size_t done = 0;
    while (done < bytes) {
        const size_t part = bytes - done < kPageSize ? bytes - done : kPageSize;
        const abi::loff_t before = in_pos;
        iov_iter to(buffer.data(), part);
        Result<size_t> got = vfs_read(in, to, in_pos);
        if (!got.ok()) return done != 0 ? Result<size_t>(done) : got.error();
        if (got.value() == 0) break;
        iov_iter from(buffer.data(), got.value());
        Result<size_t> put = vfs_write(out, from, out_pos);
        const size_t written = put.ok() ? put.value() : 0;
        in_pos = before + static_cast<abi::loff_t>(written);
        done += written;
        if (!put.ok() && done == 0) return put.error();
        if (written < got.value() || signal_pending(current())) break;
    }
    return done;
}

}  // namespace

Result<long> sys_read(int fd, VirtAddr buffer, size_t bytes) {
    const RefPtr<file> f = TRY(current_file(fd));
    if (!access_ok(buffer, bytes)) return Errno::Fault;
    iov_iter to(buffer, bytes);
    return do_read(*f, to);
}

Result<long> sys_write(int fd, VirtAddr buffer, size_t bytes) {
    const RefPtr<file> f = TRY(current_file(fd));
    if (!access_ok(buffer, bytes)) return Errno::Fault;
    iov_iter from(buffer, bytes);
    return do_write(*f, from);
}

Result<long> sys_pread64(int fd, VirtAddr buffer, size_t bytes, int64_t offset) {
    if (offset < 0) return Errno::Inval;
    const RefPtr<file> f = TRY(current_file(fd));
    if (!access_ok(buffer, bytes)) return Errno::Fault;
    iov_iter to(buffer, bytes);
    return do_pread(*f, to, offset);
}

Result<long> sys_pwrite64(int fd, VirtAddr buffer, size_t bytes, int64_t offset) {
    if (offset < 0) return Errno::Inval;
    const RefPtr<file> f = TRY(current_file(fd));
    if (!access_ok(buffer, bytes)) return Errno::Fault;
    iov_iter from(buffer, bytes);
    return do_pwrite(*f, from, offset);
}

Result<long> sys_readv(int fd, UserPtr<const abi::Iovec> segments, int count) {
    const RefPtr<file> f = TRY(current_file(fd));
    const UserSegments copied = TRY(UserSegments::copy(segments, count));
    iov_iter to(copied.data(), copied.count());
    return do_read(*f, to);
}

Result<long> sys_writev(int fd, UserPtr<const abi::Iovec> segments, int count) {
    const RefPtr<file> f = TRY(current_file(fd));
    const UserSegments copied = TRY(UserSegments::copy(segments, count));
    iov_iter from(copied.data(), copied.count());
    return do_write(*f, from);
}

Result<long> sys_preadv(int fd, UserPtr<const abi::Iovec> segments, int count, uint64_t offset) {
    if (static_cast<int64_t>(offset) < 0) return Errno::Inval;
    const RefPtr<file> f = TRY(current_file(fd));
    const UserSegments copied = TRY(UserSegments::copy(segments, count));
    iov_iter to(copied.data(), copied.count());
    return do_pread(*f, to, static_cast<int64_t>(offset));
}

Result<long> sys_pwritev(int fd, UserPtr<const abi::Iovec> segments, int count, uint64_t offset) {
    if (static_cast<int64_t>(offset) < 0) return Errno::Inval;
    const RefPtr<file> f = TRY(current_file(fd));
    const UserSegments copied = TRY(UserSegments::copy(segments, count));
    iov_iter from(copied.data(), copied.count());
    return do_pwrite(*f, from, static_cast<int64_t>(offset));
}

namespace {

// The flags that change nothing where all contents are in memory: RWF_HIPRI, RWF_DSYNC and RWF_SYNC.
constexpr uint32_t kRwfKnown = 7;
constexpr uint64_t kCurrentOffset = ~uint64_t{0};

// Offset and descriptor are looked at before the flags.
Result<> check_rwf(int fd, uint64_t offset, uint32_t flags) {
    if (offset != kCurrentOffset && static_cast<int64_t>(offset) < 0) return Errno::Inval;
    (void)TRY(current_file(fd));
    if ((flags & ~kRwfKnown) != 0) return Errno::OpNotSupp;
    return {};
}

}  // namespace

// The offset's second half is empty in 64-bit programs.
Result<long> sys_preadv2(int fd, UserPtr<const abi::Iovec> segments, int count, uint64_t offset, uint64_t,
                         uint32_t flags) {
    TRY(check_rwf(fd, offset, flags));
    return offset == kCurrentOffset ? sys_readv(fd, segments, count)
                                    : sys_preadv(fd, segments, count, offset);
}

Result<long> sys_pwritev2(int fd, UserPtr<const abi::Iovec> segments, int count, uint64_t offset, uint64_t,
                          uint32_t flags) {
    TRY(check_rwf(fd, offset, flags));
    return offset == kCurrentOffset ? sys_writev(fd, segments, count)
                                    : sys_pwritev(fd, segments, count, offset);
}

Result<long> sys_lseek(int fd, int64_t offset, uint32_t whence) {
    const RefPtr<file> f = TRY(current_file(fd));
    return TRY(vfs_llseek(*f, offset, whence));
}

Result<long> sys_sendfile(int out_fd, int in_fd, UserPtr<int64_t> offset, size_t bytes) {
    const abi::loff_t given = offset ? TRY(get_user(offset)) : 0;
    const RefPtr<file> in = TRY(current_file(in_fd));
    const RefPtr<file> out = TRY(current_file(out_fd));
    if ((in->f_mode & file::kRead) == 0 || (out->f_mode & file::kWrite) == 0) return Errno::BadF;
    if ((in->f_mode & file::kSeek) == 0 || (out->f_flags & abi::kOAppend) != 0) return Errno::Inval;
    if (bytes > kMaxRwCount) bytes = kMaxRwCount;
    abi::loff_t in_pos = offset ? given : in->f_pos;
    if (in_pos < 0) return Errno::Inval;
    abi::loff_t out_pos = out->f_pos;
    const size_t done = TRY(copy_between(*in, in_pos, *out, out_pos, bytes));
    out->f_pos = out_pos;
    if (offset) {
        TRY(put_user(offset, in_pos));
    } else {
        in->f_pos = in_pos;
    }
    TRY(account_read(done));
    TRY(account_write(done));
    return static_cast<long>(done);
}

namespace {

// What copy_file_range(2) asks of both files, before it looks at offsets.
Result<> check_copy(const file& in, const file& out) {
    if (abi::is_dir(in.node().i_mode) || abi::is_dir(out.node().i_mode)) return Errno::IsDir;
    if (!abi::is_reg(in.node().i_mode) || !abi::is_reg(out.node().i_mode)) return Errno::Inval;
    const bool open_right = (in.f_mode & file::kRead) != 0 && (out.f_mode & file::kWrite) != 0;
    if (!open_right || (out.f_flags & abi::kOAppend) != 0) return Errno::BadF;
    if (in.node().i_sb != out.node().i_sb) return Errno::XDev;
    return {};
}

bool overlap(abi::loff_t a, abi::loff_t b, size_t bytes) {
    const auto distance = static_cast<uint64_t>(a < b ? b - a : a - b);
    return distance < bytes;
}

}  // namespace

Result<long> sys_copy_file_range(int in_fd, UserPtr<int64_t> in_offset, int out_fd,
                                 UserPtr<int64_t> out_offset, size_t bytes, uint32_t flags) {
    const RefPtr<file> in = TRY(current_file(in_fd));
    const RefPtr<file> out = TRY(current_file(out_fd));
    abi::loff_t in_pos = in_offset ? TRY(get_user(in_offset)) : in->f_pos;
    abi::loff_t out_pos = out_offset ? TRY(get_user(out_offset)) : out->f_pos;
    if (flags != 0) return Errno::Inval;
    TRY(check_copy(*in, *out));
    if (in_pos < 0 || out_pos < 0) return Errno::Inval;
    const auto most = static_cast<uint64_t>(INT64_MAX);
    if (bytes > most - static_cast<uint64_t>(in_pos) || bytes > most - static_cast<uint64_t>(out_pos))
        return Errno::Overflow;
    // What lies beyond the end is not copied, and overlaps with nothing.
    const abi::loff_t size = in->node().i_size;
    const uint64_t there = in_pos < size ? static_cast<uint64_t>(size - in_pos) : 0;
    if (bytes > there) bytes = there;
    if (bytes > kMaxRwCount) bytes = kMaxRwCount;
    if (&in->node() == &out->node() && overlap(in_pos, out_pos, bytes)) return Errno::Inval;
    if (bytes == 0) return 0;
    const size_t done = TRY(copy_between(*in, in_pos, *out, out_pos, bytes));
    if (in_offset) {
        TRY(put_user(in_offset, in_pos));
    } else {
        in->f_pos = in_pos;
    }
    if (out_offset) {
        TRY(put_user(out_offset, out_pos));
    } else {
        out->f_pos = out_pos;
    }
    TRY(account_read(done));
    TRY(account_write(done));
    return static_cast<long>(done);
}

}  // namespace guest
