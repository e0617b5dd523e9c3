// Where the bytes of one read or write come from or go to: segments of the caller's memory, or of the
// kernel's own (execve, sendfile, the initramfs). The file does not see the difference.
#pragma once

#include "guest/abi/file.hpp"
#include "guest/lib/address.hpp"
#include "guest/lib/panic.hpp"

namespace guest {

class iov_iter {
public:
    // Segments of user memory. They must stay where they are while the iterator is used.
    iov_iter(const abi::Iovec* segments, size_t count);
    // One segment of user memory.
    iov_iter(VirtAddr address, size_t bytes);
    // One segment of kernel memory.
    iov_iter(void* buffer, size_t bytes);
    iov_iter(const iov_iter&) = delete;
    iov_iter& operator=(const iov_iter&) = delete;

    // Bytes left.
    [[nodiscard]] size_t count() const { return count_; }
    // No more than limit bytes from here on.
    void truncate(size_t limit) {
        if (count_ > limit) count_ = limit;
    }
    // Move up to bytes bytes and go on by as many as were moved, which is the result: fewer than asked when
    // the segments end or user memory refuses. Page faults are taken: hold no spinlock.
    [[nodiscard]] size_t copy_to(const void* source, size_t bytes);
    [[nodiscard]] size_t copy_from(void* target, size_t bytes);
    [[nodiscard]] size_t fill_zero(size_t bytes);
    // Goes on without moving anything.
    void advance(size_t bytes);

private:
    template <typename Move>
    size_t for_each_part(size_t bytes, Move move);

    abi::Iovec single_{};
    const abi::Iovec* segments_;
    size_t offset_ = 0;  // in the first segment
    size_t count_ = 0;
    bool user_;
};

}  // namespace guest
