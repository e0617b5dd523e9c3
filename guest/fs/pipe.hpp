// Pipes: a ring of bytes between descriptors that write and descriptors that read. FIFOs are the same with a
// name.
#pragma once

#include "guest/fs/poll.hpp"
#include "guest/fs/special.hpp"
#include "guest/kernel/mutex.hpp"
#include "guest/mm/page.hpp"
#include "guest/mm/slab.hpp"

namespace guest {

// A write of at most so many bytes is not mixed with others (PIPE_BUF).
inline constexpr size_t kPipeBuf = 4096;

// f_type of the file system that unnamed pipes are in.
inline constexpr uint64_t kPipefsMagic = 0x50495045;

struct pipe_inode_info {
    KMEM_CACHED()
    static constexpr size_t kCapacity = kPipeCapacity;  // of a new one
    static constexpr size_t kPages = kCapacity / kPageSize;

    pipe_inode_info() = default;
    pipe_inode_info(const pipe_inode_info&) = delete;
    pipe_inode_info& operator=(const pipe_inode_info&) = delete;
    ~pipe_inode_info();

    [[nodiscard]] size_t used() const { return static_cast<size_t>(head - tail); }
    [[nodiscard]] size_t capacity() const { return pages * kPageSize; }
    [[nodiscard]] size_t room() const { return capacity() - used(); }
    [[nodiscard]] page*& slot_of(uint64_t position) { return ring[position / kPageSize % pages]; }

    mutex lock;         // everything below but the queues
    uint64_t head = 0;  // bytes ever written
    uint64_t tail = 0;  // bytes ever read
    // Byte n is in ring[n / kPageSize % pages]. A page is there while it holds unread bytes, or is being
    // filled.
    page** ring = nullptr;
    size_t pages = 0;
    unsigned readers = 0;
    unsigned writers = 0;
    // Openings ever, so that an open that waits for the other side notices one that has already gone again.
    uint64_t r_counter = 0;
    uint64_t w_counter = 0;
    unsigned files = 0;  // descriptions and opens in progress; guarded by the inode's i_mutex
    wait_queue_head wait;
    fasync_list fasync_readers, fasync_writers;
};

// A pipe with an empty ring of the usual size. NoMem.
Result<OwnPtr<pipe_inode_info>> alloc_pipe_info();
// fcntl F_GETPIPE_SZ and F_SETPIPE_SZ, in bytes. BadF: it is no pipe. Busy: more is in it than would fit.
// Perm: only the privileged may have more than pipe-max-size. Inval, NoMem.
Result<long> pipe_get_size(file& f);
Result<long> pipe_set_size(file& f, uint64_t bytes);

// The pipe that f is an end of, or null.
[[nodiscard]] pipe_inode_info* get_pipe_info(const file& f);
// Somebody moved bytes: whoever waits for the other side may go on.
void pipe_bytes_came(pipe_inode_info& pipe);
void pipe_bytes_went(pipe_inode_info& pipe);

// Of both ends of an unnamed pipe.
extern const file_operations pipe_file_operations;
// f becomes one end of node's pipe, the one that f_mode says. NoMem.
Result<> pipe_open_end(inode& node, file& f);

}  // namespace guest
