// Moving bytes through pipes, and waiting for them.
#include "guest/fs/pipe.hpp"

#include "guest/abi/signal.hpp"
#include "guest/abi/termios.hpp"
#include "guest/arch/percpu.hpp"
#include "guest/fs/pipe_ring.hpp"
#include "guest/kernel/signal.hpp"
#include "guest/lib/string.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

pipe_inode_info& pipe_of(const file& f) { return *f.node().i_pipe; }

Result<size_t> pipe_read(file& f, iov_iter& to, abi::loff_t&) {
    if (to.count() == 0) return size_t{0};
    pipe_inode_info& pipe = pipe_of(f);
    const mutex_guard guard(pipe.lock);
    TRY(pipe_wait_for_bytes(pipe, f.nonblocking() ? IfNotReady::Fail : IfNotReady::Wait));
    if (pipe.used() == 0) return size_t{0};
    // Who waits to write waits for less than that.
    const bool was_full = pipe.room() < kPipeBuf;
    size_t done = 0;
    while (to.count() != 0 && pipe.used() != 0) {
        const size_t wanted = to.count() < pipe.used() ? to.count() : pipe.used();
        const size_t moved = pipe_read_part(pipe, to, wanted);
        done += moved;
        if (moved == 0) break;
    }
    if (done == 0) return Errno::Fault;
    if (was_full) wake_up_poll(pipe.wait, abi::kPollWritable);
    kill_fasync(pipe.fasync_writers, abi::kPollOutCode);
    return done;
}

Result<size_t> pipe_write(file& f, iov_iter& from, abi::loff_t&) {
    if (from.count() == 0) return size_t{0};
    pipe_inode_info& pipe = pipe_of(f);
    const mutex_guard guard(pipe.lock);
    // Up to PIPE_BUF bytes go in one piece or not at all.
    const size_t need = from.count() <= kPipeBuf ? from.count() : 1;
    size_t done = 0;
    while (from.count() != 0) {
        Result<> room = pipe_wait_for_room(pipe, need < from.count() ? need : from.count(),
                                           f.nonblocking() ? IfNotReady::Fail : IfNotReady::Wait);
        if (!room.ok()) {
            if (done != 0) break;
            return room.error();
        }
        const size_t part = from.count() < pipe.room() ? from.count() : pipe.room();
        Result<size_t> moved = pipe_write_part(pipe, from, part);
        if (!moved.ok() || moved.value() == 0) {
            if (done != 0) break;
            return moved.ok() ? Errno::Fault : moved.error();
        }
        done += moved.value();
        // Readers may run as soon as something is there; we may have to wait for them.
        pipe_bytes_came(pipe);
    }
    return done;
}

uint32_t pipe_poll(file& f, poll_table* table) {
    pipe_inode_info& pipe = pipe_of(f);
    poll_wait(f, pipe.wait, table);
    const mutex_guard guard(pipe.lock);
    uint32_t mask = 0;
    if ((f.f_mode & file::kRead) != 0) {
        if (pipe.used() != 0) mask |= abi::kPollIn | abi::kPollRdNorm;
        // Not for a FIFO that was opened before any writer came.
        if (pipe.writers == 0 && reinterpret_cast<uint64_t>(f.private_data) != pipe.w_counter)
            mask |= abi::kPollHup;
    }
    if ((f.f_mode & file::kWrite) != 0) {
        if (pipe.room() >= kPipeBuf) mask |= abi::kPollOut | abi::kPollWrNorm;
        if (pipe.readers == 0) mask |= abi::kPollErr;
    }
    return mask;
}

Result<int64_t> pipe_ioctl(file& f, uint32_t request, uint64_t argument) {
    if (request != abi::kFioNRead) return Errno::NoTty;
    pipe_inode_info& pipe = pipe_of(f);
    int32_t used;
    {
        const mutex_guard guard(pipe.lock);
        used = static_cast<int32_t>(pipe.used());
    }
    TRY(put_user(UserPtr<int32_t>(argument), used));
    return int64_t{0};
}

void pipe_fasync(file& f, int fd, bool on) {
    fasync_remove(f);
    if (!on) return;
    pipe_inode_info& pipe = pipe_of(f);
    fasync_add(f, (f.f_mode & file::kRead) != 0 ? pipe.fasync_readers : pipe.fasync_writers, fd);
}

// One description or opening more; the first one makes the pipe.
Result<pipe_inode_info*> get_pipe(inode& node) {
    const mutex_guard guard(node.i_mutex);
    if (node.i_pipe == nullptr) {
        node.i_pipe = TRY(alloc_pipe_info()).leak();
    }
    ++node.i_pipe->files;
    return node.i_pipe;
}

void put_pipe(inode& node) {
    const mutex_guard guard(node.i_mutex);
    if (--node.i_pipe->files == 0) delete std::exchange(node.i_pipe, nullptr);
}

void join(pipe_inode_info& pipe, uint32_t mode) {
    if ((mode & file::kRead) != 0) {
        ++pipe.readers;
        ++pipe.r_counter;
    }
    if ((mode & file::kWrite) != 0) {
        ++pipe.writers;
        ++pipe.w_counter;
    }
    wake_up_all(pipe.wait);
}

void leave(inode& node, pipe_inode_info& pipe, uint32_t mode) {
    {
        const mutex_guard guard(pipe.lock);
        if ((mode & file::kRead) != 0) --pipe.readers;
        if ((mode & file::kWrite) != 0) --pipe.writers;
        wake_up_all(pipe.wait);
        // Whoever is left hears that the other side may have gone.
        kill_fasync(pipe.fasync_readers, abi::kPollInCode);
        kill_fasync(pipe.fasync_writers, abi::kPollOutCode);
    }
    put_pipe(node);
}

void pipe_release(inode& node, file& f) { leave(node, *node.i_pipe, f.f_mode); }

// Opening one side of a FIFO waits for the other (man 7 fifo).
Result<> wait_for_other_side(file& f, pipe_inode_info& pipe) {
    const mutex_guard guard(pipe.lock);
    const bool reads = (f.f_mode & file::kRead) != 0;
    const bool writes = (f.f_mode & file::kWrite) != 0;
    if (f.node().i_sb->s_magic == kPipefsMagic) {
        // An unnamed one, by /proc/<pid>/fd: nobody is waited for.
        join(pipe, f.f_mode);
        return {};
    }
    const uint64_t writers_before = pipe.w_counter;
    const uint64_t readers_before = pipe.r_counter;
    if (writes && !reads && f.nonblocking() && pipe.readers == 0) return Errno::NxIo;
    join(pipe, f.f_mode);
    Result<> other;
    if (reads && !writes && pipe.writers == 0) {
        if (f.nonblocking()) {
            f.private_data = reinterpret_cast<void*>(pipe.w_counter);
        } else {
            other = pipe_wait(pipe, [&] { return pipe.w_counter != writers_before; });
        }
    } else if (writes && !reads && pipe.readers == 0) {
        other = pipe_wait(pipe, [&] { return pipe.r_counter != readers_before; });
    }
    return other;
}

Result<> fifo_open(inode& node, file& f) {
    if ((f.f_mode & (file::kRead | file::kWrite)) == 0) return Errno::Inval;
    pipe_inode_info& pipe = *TRY(get_pipe(node));
    Result<> open = wait_for_other_side(f, pipe);
    if (open.ok()) return {};
    if (open.error() == Errno::NxIo) {
        put_pipe(node);  // it did not join
    } else {
        leave(node, pipe, f.f_mode);
    }
    return open;
}

}  // namespace

void pipe_bytes_came(pipe_inode_info& pipe) {
    wake_up_poll(pipe.wait, abi::kPollReadable);
    kill_fasync(pipe.fasync_readers, abi::kPollInCode);
}

void pipe_bytes_went(pipe_inode_info& pipe) {
    wake_up_poll(pipe.wait, abi::kPollWritable);
    kill_fasync(pipe.fasync_writers, abi::kPollOutCode);
}

constinit const file_operations pipe_file_operations{.read = pipe_read,
                                                     .write = pipe_write,
                                                     .poll = pipe_poll,
                                                     .ioctl = pipe_ioctl,
                                                     .release = pipe_release,
                                                     .fasync = pipe_fasync};

constinit const file_operations fifo_file_operations{.read = pipe_read,
                                                     .write = pipe_write,
                                                     .poll = pipe_poll,
                                                     .ioctl = pipe_ioctl,
                                                     .open = fifo_open,
                                                     .release = pipe_release,
                                                     .fasync = pipe_fasync};

Result<> pipe_open_end(inode& node, file& f) {
    pipe_inode_info& pipe = *TRY(get_pipe(node));
    const mutex_guard guard(pipe.lock);
    join(pipe, f.f_mode);
    f.f_mode |= file::kOpened;
    return {};
}

}  // namespace guest
