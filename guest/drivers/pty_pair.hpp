// Both ends of a pseudo-terminal. The slave is a terminal; what it sends goes into a ring, which the master
// reads.
#pragma once

#include "guest/drivers/tty.hpp"
#include "guest/fs/dentry.hpp"
#include "guest/fs/inode.hpp"

namespace guest {

// Everything but `name` is guarded by the lock of the slave.
struct pty_pair : tty_struct {
    static constexpr size_t kRing = 8192;  // bytes, a power of two

    pty_pair(RefPtr<super_block> devpts, uint32_t number);
    ~pty_pair();

    [[nodiscard]] size_t used() const { return head - tail; }

    const RefPtr<super_block> fs;  // whose number it has
    const uint32_t index;          // N of /dev/pts/N
    RefPtr<dentry> name;           // in devpts; null once the master is closed
    bool locked = true;            // the slave cannot be opened yet (TIOCSPTLCK)
    bool slave_closed = false;     // it was open, and is no more
    bool packet = false;           // TIOCPKT
    uint8_t packet_status = 0;     // abi::kPkt* that the master was not told yet
    size_t head = 0, tail = 0;     // of the ring: bytes ever
    wait_queue_head master_read_wait;
    wait_queue_head master_write_wait;
    fasync_list master_fasync;
    char ring[kRing];
};

extern const file_operations ptm_file_operations;
[[nodiscard]] inline pty_pair& file_pair(const file& f) { return *static_cast<pty_pair*>(f.private_data); }

// ptm_ioctl.cpp
Result<int64_t> ptm_ioctl(file& f, uint32_t request, uint64_t argument);

}  // namespace guest
