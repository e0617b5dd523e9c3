// What read, write and splice do with the ring of a pipe. The pipe's lock is held, and given away while
// waiting.
#pragma once

#include "guest/fs/iov_iter.hpp"
#include "guest/fs/pipe.hpp"

namespace guest {

enum class IfNotReady { Wait, Fail };

// Moves unread bytes out, up to the end of a page. 0: the reader's memory refused.
size_t pipe_read_part(pipe_inode_info& pipe, iov_iter& to, size_t bytes);
// Moves bytes in, up to the end of a page; there is room for them. NoMem.
Result<size_t> pipe_write_part(pipe_inode_info& pipe, iov_iter& from, size_t bytes);
// Copies unread bytes from the offset-th on, and leaves them; how many there were, at most `bytes`.
size_t pipe_peek(pipe_inode_info& pipe, size_t offset, void* to, size_t bytes);
// The oldest bytes, as many as that, count as read.
void pipe_drop(pipe_inode_info& pipe, size_t bytes);

// Until there are unread bytes or no writers. Again, RestartSys.
Result<> pipe_wait_for_bytes(pipe_inode_info& pipe, IfNotReady otherwise);
// Until `need` bytes fit. Pipe, and the signal: nobody reads any more. Again, RestartSys.
Result<> pipe_wait_for_room(pipe_inode_info& pipe, size_t need, IfNotReady otherwise);

// Sleeps without the pipe's lock until ready() holds. RestartSys.
template <typename Ready>
Result<> pipe_wait(pipe_inode_info& pipe, Ready ready, const char* where = __builtin_FUNCTION()) {
    pipe.lock.unlock();
    Result<uint64_t> woken =
        wait_event_timeout_state(pipe.wait, TaskState::Interruptible, kNoTimeout, ready, where);
    pipe.lock.lock();
    if (!woken.ok()) return woken.error();
    return {};
}

}  // namespace guest
