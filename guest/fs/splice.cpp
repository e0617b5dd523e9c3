// splice, tee and vmsplice. Bytes are copied where Linux may move pages: programs cannot tell.
#include "guest/fs/fdtable.hpp"
#include "guest/fs/pipe_ring.hpp"
#include "guest/fs/syscalls.hpp"
#include "guest/fs/user_segments.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

constexpr uint32_t kSpliceNonBlock = 2, kSpliceKnown = 15;
enum class Source { Taken, Kept };  // splice takes the bytes out of the pipe, tee leaves them there

IfNotReady otherwise(const file& end, uint32_t flags) {
    return end.nonblocking() || (flags & kSpliceNonBlock) != 0 ? IfNotReady::Fail : IfNotReady::Wait;
}

// Both pipes locked, in the order of their addresses.
class TwoPipes {
public:
    TwoPipes(pipe_inode_info& a, pipe_inode_info& b) : first_(&a < &b ? a : b), second_(&a < &b ? b : a) {
        first_.lock.lock();
        second_.lock.lock();
    }
    TwoPipes(const TwoPipes&) = delete;
    TwoPipes& operator=(const TwoPipes&) = delete;
    ~TwoPipes() {
        second_.lock.unlock();
        first_.lock.unlock();
    }

private:
    pipe_inode_info& first_;
    pipe_inode_info& second_;
};

// Copies what both rings allow, by way of a page that belongs to neither. The locks are held.
Result<size_t> copy_ring(pipe_inode_info& in, pipe_inode_info& out, size_t bytes, KBuffer& page,
                         Source source) {
    size_t done = 0;
    while (done < bytes && out.room() != 0) {
        const size_t wanted = bytes - done < kPageSize ? bytes - done : kPageSize;
        const size_t there = pipe_peek(in, source == Source::Kept ? done : 0, page.data(),
                                       wanted < out.room() ? wanted : out.room());
        if (there == 0) break;
        iov_iter from(page.data(), there);
        Result<size_t> moved = pipe_write_part(out, from, there);
        if (!moved.ok()) return done != 0 ? Result<size_t>(done) : moved.error();
        if (source == Source::Taken) pipe_drop(in, moved.value());
        done += moved.value();
    }
    return done;
}

Result<size_t> pipe_to_pipe(file& in_end, file& out_end, size_t bytes, uint32_t flags, Source source) {
    pipe_inode_info& in = *get_pipe_info(in_end);
    pipe_inode_info& out = *get_pipe_info(out_end);
    if (&in == &out) return Errno::Inval;
    KBuffer page = TRY(KBuffer::allocate(kPageSize));
    for (;;) {
        {
            const mutex_guard guard(in.lock);
            TRY(pipe_wait_for_bytes(in, otherwise(in_end, flags)));
            if (in.used() == 0) return size_t{0};
        }
        {
            const mutex_guard guard(out.lock);
            TRY(pipe_wait_for_room(out, 1, otherwise(out_end, flags)));
        }
        // Meanwhile somebody else may have been faster.
        const TwoPipes guard(in, out);
        const size_t done = TRY(copy_ring(in, out, bytes, page, source));
        if (done == 0) continue;
        pipe_bytes_came(out);
        if (source == Source::Taken) pipe_bytes_went(in);
        return done;
    }
}

// Until the pipe is empty. What `out` refuses stays in the pipe.
Result<size_t> pipe_to_file(file& end, file& out, abi::loff_t& pos, size_t bytes, uint32_t flags) {
    pipe_inode_info& pipe = *get_pipe_info(end);
    KBuffer page = TRY(KBuffer::allocate(kPageSize));
    const mutex_guard guard(pipe.lock);
    TRY(pipe_wait_for_bytes(pipe, otherwise(end, flags)));
    size_t done = 0;
    while (done < bytes) {
        const size_t wanted = bytes - done < kPageSize ? bytes - done : kPageSize;
        const size_t there = pipe_peek(pipe, 0, page.data(), wanted);
        if (there == 0) break;
        iov_iter from(page.data(), there);
        Result<size_t> put = vfs_write(out, from, pos);
        if (!put.ok() && done == 0) return put.error();
        const size_t written = put.ok() ? put.value() : 0;
        pipe_drop(pipe, written);
        done += written;
        if (written < there) break;
    }
    if (done != 0) pipe_bytes_went(pipe);
    return done;
}

// Until the pipe is full, or once from what is no regular file: it may have to be waited for.
Result<size_t> file_to_pipe(file& in, abi::loff_t& pos, file& end, size_t bytes, uint32_t flags) {
    pipe_inode_info& pipe = *get_pipe_info(end);
    KBuffer page = TRY(KBuffer::allocate(kPageSize));
    const mutex_guard guard(pipe.lock);
    TRY(pipe_wait_for_room(pipe, 1, otherwise(end, flags)));
    size_t done = 0;
    while (done < bytes && pipe.room() != 0) {
        size_t wanted = bytes - done < kPageSize ? bytes - done : kPageSize;
        if (wanted > pipe.room()) wanted = pipe.room();
        const abi::loff_t before = pos;
        iov_iter to(page.data(), wanted);
        Result<size_t> got = vfs_read(in, to, pos);
        if (!got.ok() && done == 0) return got.error();
        if (!got.ok() || got.value() == 0) break;
        iov_iter from(page.data(), got.value());
        size_t put = 0;
        while (put < got.value()) {
            Result<size_t> part = pipe_write_part(pipe, from, got.value() - put);
            if (!part.ok()) break;
            put += part.value();
        }
        pos = before + static_cast<abi::loff_t>(put);
        done += put;
        if (put == 0 && done == 0) return Errno::NoMem;
        if (put < got.value() || !abi::is_reg(in.node().i_mode)) break;
    }
    if (done != 0) pipe_bytes_came(pipe);
    return done;
}

// Calls move(position) with the given offset or the file's own, which moves on.
template <typename Move>
Result<long> at_offset(file& f, UserPtr<int64_t> offset, Move&& move) {
    if (!offset) {
        if ((f.f_mode & file::kSeek) == 0) {
            abi::loff_t none = 0;
            return static_cast<long>(TRY(move(none)));
        }
        const mutex_guard guard(f.f_pos_mutex);
        return static_cast<long>(TRY(move(f.f_pos)));
    }
    abi::loff_t at = TRY(get_user(offset));
    if ((f.f_mode & file::kSeek) == 0 || at < 0) return Errno::Inval;
    const size_t done = TRY(move(at));
    TRY(put_user(offset, at));
    return static_cast<long>(done);
}

}  // namespace

Result<long> sys_splice(int in_fd, UserPtr<int64_t> in_offset, int out_fd, UserPtr<int64_t> out_offset,
                        size_t bytes, uint32_t flags) {
    if (bytes == 0) return 0;
    if ((flags & ~kSpliceKnown) != 0) return Errno::Inval;
    const RefPtr<file> in = TRY(current_file(in_fd));
    const RefPtr<file> out = TRY(current_file(out_fd));
    const bool from_pipe = get_pipe_info(*in) != nullptr;
    const bool to_pipe = get_pipe_info(*out) != nullptr;
    if ((from_pipe && in_offset) || (to_pipe && out_offset)) return Errno::SPipe;
    if ((in->f_mode & file::kRead) == 0 || (out->f_mode & file::kWrite) == 0) return Errno::BadF;
    if (from_pipe && to_pipe)
        return static_cast<long>(TRY(pipe_to_pipe(*in, *out, bytes, flags, Source::Taken)));
    if (from_pipe) {
        if ((out->f_flags & abi::kOAppend) != 0) return Errno::Inval;
        return at_offset(*out, out_offset,
                         [&](abi::loff_t& at) { return pipe_to_file(*in, *out, at, bytes, flags); });
    }
    if (to_pipe) {
        return at_offset(*in, in_offset,
                         [&](abi::loff_t& at) { return file_to_pipe(*in, at, *out, bytes, flags); });
    }
    return Errno::Inval;
}

Result<long> sys_tee(int in_fd, int out_fd, size_t bytes, uint32_t flags) {
    if ((flags & ~kSpliceKnown) != 0) return Errno::Inval;
    if (bytes == 0) return 0;
    const RefPtr<file> in = TRY(current_file(in_fd));
    const RefPtr<file> out = TRY(current_file(out_fd));
    if ((in->f_mode & file::kRead) == 0 || (out->f_mode & file::kWrite) == 0) return Errno::BadF;
    if (get_pipe_info(*in) == nullptr || get_pipe_info(*out) == nullptr) return Errno::Inval;
    return static_cast<long>(TRY(pipe_to_pipe(*in, *out, bytes, flags, Source::Kept)));
}

namespace {

// All of the memory, as far as there is room without waiting once something is in.
Result<size_t> memory_to_pipe(file& end, iov_iter& from, uint32_t flags) {
    pipe_inode_info& pipe = *get_pipe_info(end);
    const mutex_guard guard(pipe.lock);
    size_t done = 0;
    while (from.count() != 0) {
        const Result<> room =
            pipe_wait_for_room(pipe, 1, done != 0 ? IfNotReady::Fail : otherwise(end, flags));
        if (!room.ok() && done == 0) return room.error();
        if (!room.ok()) break;
        const size_t wanted = from.count() < pipe.room() ? from.count() : pipe.room();
        Result<size_t> moved = pipe_write_part(pipe, from, wanted);
        const size_t part = moved.ok() ? moved.value() : 0;
        if (part == 0 && done == 0) return moved.ok() ? Errno::Fault : moved.error();
        if (part == 0) break;
        done += part;
    }
    if (done != 0) pipe_bytes_came(pipe);
    return done;
}

Result<size_t> pipe_to_memory(file& end, iov_iter& to, uint32_t flags) {
    pipe_inode_info& pipe = *get_pipe_info(end);
    const mutex_guard guard(pipe.lock);
    TRY(pipe_wait_for_bytes(pipe, otherwise(end, flags)));
    size_t done = 0;
    while (to.count() != 0 && pipe.used() != 0) {
        const size_t wanted = to.count() < pipe.used() ? to.count() : pipe.used();
        const size_t moved = pipe_read_part(pipe, to, wanted);
        if (moved == 0 && done == 0) return Errno::Fault;
        if (moved == 0) break;
        done += moved;
    }
    if (done != 0) pipe_bytes_went(pipe);
    return done;
}

}  // namespace

Result<long> sys_vmsplice(int fd, UserPtr<const abi::Iovec> segments, uint64_t count, uint32_t flags) {
    if ((flags & ~kSpliceKnown) != 0) return Errno::Inval;
    const RefPtr<file> end = TRY(current_file(fd));
    const bool writes = (end->f_mode & file::kWrite) != 0;
    if (!writes && (end->f_mode & file::kRead) == 0) return Errno::BadF;
    const UserSegments memory = TRY(UserSegments::copy(segments, static_cast<int64_t>(count)));
    iov_iter all(memory.data(), memory.count());
    if (all.count() == 0) return 0;
    if (get_pipe_info(*end) == nullptr) return Errno::BadF;
    return static_cast<long>(
        TRY(writes ? memory_to_pipe(*end, all, flags) : pipe_to_memory(*end, all, flags)));
}

}  // namespace guest
