// iov_iter: the two ends of read and write.
#include "guest/fs/iov_iter.hpp"

#include "guest/lib/string.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

iov_iter::iov_iter(const abi::Iovec* segments, size_t count) : segments_(segments), user_(true) {
    for (size_t i = 0; i < count; ++i) count_ += segments[i].iov_len;
}

iov_iter::iov_iter(VirtAddr address, size_t bytes)
    : single_{address.raw(), bytes}, segments_(&single_), count_(bytes), user_(true) {}

iov_iter::iov_iter(void* buffer, size_t bytes)
    : single_{reinterpret_cast<uint64_t>(buffer), bytes}, segments_(&single_), count_(bytes), user_(false) {}

// Calls move(address, length, done) for each stretch of a segment, until bytes are through or a stretch came
// back short. move returns how many of its bytes it moved.
template <typename Move>
size_t iov_iter::for_each_part(size_t bytes, Move move) {
    if (bytes > count_) bytes = count_;
    size_t done = 0;
    while (done < bytes) {
        const size_t left = segments_->iov_len - offset_;
        if (left == 0) {
            ++segments_;
            offset_ = 0;
            continue;
        }
        const size_t part = left < bytes - done ? left : bytes - done;
        const size_t moved = move(segments_->iov_base + offset_, part, done);
        offset_ += moved;
        count_ -= moved;
        done += moved;
        if (moved < part) break;
    }
    return done;
}

size_t iov_iter::copy_to(const void* source, size_t bytes) {
    const auto* from = static_cast<const char*>(source);
    return for_each_part(bytes, [&](uint64_t address, size_t part, size_t done) -> size_t {
        if (user_) return part - copy_to_user_partial(VirtAddr(address), from + done, part);
        memcpy(reinterpret_cast<void*>(address), from + done, part);
        return part;
    });
}

size_t iov_iter::copy_from(void* target, size_t bytes) {
    auto* to = static_cast<char*>(target);
    return for_each_part(bytes, [&](uint64_t address, size_t part, size_t done) -> size_t {
        if (user_) return part - copy_from_user_partial(to + done, VirtAddr(address), part);
        memcpy(to + done, reinterpret_cast<const void*>(address), part);
        return part;
    });
}

size_t iov_iter::fill_zero(size_t bytes) {
    static constexpr char kZeros[512] = {};
    return for_each_part(bytes, [&](uint64_t address, size_t part, size_t) -> size_t {
        size_t filled = 0;
        while (filled < part) {
            const size_t step = part - filled < sizeof(kZeros) ? part - filled : sizeof(kZeros);
            size_t refused = 0;
            if (user_) {
                refused = copy_to_user_partial(VirtAddr(address + filled), kZeros, step);
            } else {
                memset(reinterpret_cast<void*>(address + filled), 0, step);
            }
            filled += step - refused;
            if (refused != 0) break;
        }
        return filled;
    });
}

void iov_iter::advance(size_t bytes) {
    const size_t passed = for_each_part(bytes, [](uint64_t, size_t part, size_t) { return part; });
    BUG_ON(passed != bytes);
}

}  // namespace guest
