// The ring of a pipe: moving bytes in and out of its pages, and waiting for bytes and for room. The pipe's
// lock is held.
#include "guest/fs/pipe_ring.hpp"

#include "guest/abi/signal.hpp"
#include "guest/arch/percpu.hpp"
#include "guest/kernel/signal.hpp"
#include "guest/lib/string.hpp"

namespace guest {

namespace {

size_t part_of_page(uint64_t position, size_t bytes) {
    const size_t room = kPageSize - position % kPageSize;
    return bytes < room ? bytes : room;
}

char* byte_at(pipe_inode_info& pipe, uint64_t position) {
    return static_cast<char*>(page_address(pipe.slot_of(position))) + position % kPageSize;
}

}  // namespace

size_t pipe_read_part(pipe_inode_info& pipe, iov_iter& to, size_t bytes) {
    const size_t moved = to.copy_to(byte_at(pipe, pipe.tail), part_of_page(pipe.tail, bytes));
    pipe_drop(pipe, moved);
    return moved;
}

void pipe_drop(pipe_inode_info& pipe, size_t bytes) {
    while (bytes != 0) {
        const size_t part = part_of_page(pipe.tail, bytes);
        page*& slot = pipe.slot_of(pipe.tail);
        pipe.tail += part;
        bytes -= part;
        // A full ring has its newest bytes in front of its oldest, in one page.
        const bool page_done = pipe.tail % kPageSize == 0 && pipe.used() <= pipe.capacity() - kPageSize;
        if (page_done || pipe.used() == 0) put_page(std::exchange(slot, nullptr));
    }
}

size_t pipe_peek(pipe_inode_info& pipe, size_t offset, void* to, size_t bytes) {
    const size_t there = offset < pipe.used() ? pipe.used() - offset : 0;
    if (bytes > there) bytes = there;
    for (size_t done = 0; done < bytes;) {
        const uint64_t position = pipe.tail + offset + done;
        const size_t part = part_of_page(position, bytes - done);
        memcpy(static_cast<char*>(to) + done, byte_at(pipe, position), part);
        done += part;
    }
    return bytes;
}

Result<size_t> pipe_write_part(pipe_inode_info& pipe, iov_iter& from, size_t bytes) {
    page*& slot = pipe.slot_of(pipe.head);
    if (slot == nullptr) slot = alloc_page(FrameUse::Other);
    if (slot == nullptr) return Errno::NoMem;
    const size_t moved = from.copy_from(byte_at(pipe, pipe.head), part_of_page(pipe.head, bytes));
    pipe.head += moved;
    if (pipe.used() == 0) put_page(std::exchange(slot, nullptr));
    return moved;
}

Result<> pipe_wait_for_bytes(pipe_inode_info& pipe, IfNotReady otherwise) {
    while (pipe.used() == 0 && pipe.writers != 0) {
        if (otherwise == IfNotReady::Fail) return Errno::Again;
        TRY(pipe_wait(pipe, [&] { return pipe.used() != 0 || pipe.writers == 0; }));
    }
    return {};
}

Result<> pipe_wait_for_room(pipe_inode_info& pipe, size_t need, IfNotReady otherwise) {
    for (;;) {
        if (pipe.readers == 0) {
            send_sig(abi::kSigPipe, current());
            return Errno::Pipe;
        }
        if (pipe.room() >= need) return {};
        if (otherwise == IfNotReady::Fail) return Errno::Again;
        TRY(pipe_wait(pipe, [&] { return pipe.room() >= need || pipe.readers == 0; }));
    }
}

}  // namespace guest
