// Reading, writing and seeking in open files.
#include "guest/fs/vfs.hpp"

#include "guest/fs/poll.hpp"

namespace guest {

namespace {

constexpr abi::loff_t kMaxOffset = INT64_MAX;

// pos + count may not pass the largest offset.
Result<> check_range(const file& f, abi::loff_t pos, const iov_iter& bytes) {
    if ((f.f_mode & file::kSeek) == 0) return {};
    if (pos < 0) return Errno::Inval;
    if (bytes.count() > static_cast<uint64_t>(kMaxOffset - pos)) return Errno::Overflow;
    return {};
}

}  // namespace

Result<size_t> vfs_read(file& f, iov_iter& to, abi::loff_t& pos) {
    if ((f.f_mode & file::kRead) == 0) return Errno::BadF;
    if (f.f_op->read == nullptr) return Errno::Inval;
    to.truncate(kMaxRwCount);
    TRY(check_range(f, pos, to));
    return f.f_op->read(f, to, pos);
}

Result<size_t> vfs_write(file& f, iov_iter& from, abi::loff_t& pos) {
    if ((f.f_mode & file::kWrite) == 0) return Errno::BadF;
    if (f.f_op->write == nullptr) return Errno::Inval;
    from.truncate(kMaxRwCount);
    TRY(check_range(f, pos, from));
    return f.f_op->write(f, from, pos);
}

// Two threads that read one description get different bytes; what has no offset needs no lock, and may not
// have one: a reader that waits would stop the writer of the same terminal.
Result<size_t> vfs_read_at_pos(file& f, iov_iter& to) {
    if ((f.f_mode & file::kSeek) == 0) {
        abi::loff_t none = 0;
        return vfs_read(f, to, none);
    }
    const mutex_guard guard(f.f_pos_mutex);
    return vfs_read(f, to, f.f_pos);
}

Result<size_t> vfs_write_at_pos(file& f, iov_iter& from) {
    if ((f.f_mode & file::kSeek) == 0) {
        abi::loff_t none = 0;
        return vfs_write(f, from, none);
    }
    const mutex_guard guard(f.f_pos_mutex);
    return vfs_write(f, from, f.f_pos);
}

Result<abi::loff_t> vfs_llseek(file& f, abi::loff_t offset, uint32_t whence) {
    if (whence > abi::kSeekHole) return Errno::Inval;
    if (f.f_op->llseek == nullptr) return Errno::SPipe;
    const mutex_guard guard(f.f_pos_mutex);
    return f.f_op->llseek(f, offset, whence);
}

Result<abi::loff_t> noop_llseek(file& f, abi::loff_t, uint32_t) { return f.f_pos; }

Result<> vfs_fsync(file& f) {
    if (f.f_op->fsync == nullptr) return Errno::Inval;
    return f.f_op->fsync(f);
}

Result<> iterate_dir(file& f, dir_context& ctx) {
    if (f.f_op->iterate == nullptr) return Errno::NotDir;
    const mutex_guard pos_guard(f.f_pos_mutex);
    inode& dir = f.node();
    const mutex_guard guard(dir.i_mutex);
    if (dir.i_nlink == 0) return Errno::NoEnt;
    ctx.pos = f.f_pos;
    Result<> outcome = f.f_op->iterate(f, ctx);
    f.f_pos = ctx.pos;
    return outcome;
}

uint32_t vfs_poll(file& f, poll_table* wait) {
    if (f.f_op->poll == nullptr) return abi::kPollIn | abi::kPollRdNorm | abi::kPollOut | abi::kPollWrNorm;
    return f.f_op->poll(f, wait);
}

Result<size_t> kernel_read(file& f, abi::loff_t& offset, void* buffer, size_t bytes) {
    iov_iter to(buffer, bytes);
    size_t done = 0;
    while (done < bytes) {
        const size_t part = TRY(vfs_read(f, to, offset));
        if (part == 0) break;
        done += part;
    }
    return done;
}

Result<size_t> kernel_write(file& f, abi::loff_t& offset, const void* buffer, size_t bytes) {
    iov_iter from(const_cast<void*>(buffer), bytes);
    size_t done = 0;
    while (done < bytes) {
        Result<size_t> part = vfs_write(f, from, offset);
        if (!part.ok()) {
            if (done != 0) break;
            return part.error();
        }
        done += part.value();
    }
    return done;
}

}  // namespace guest
