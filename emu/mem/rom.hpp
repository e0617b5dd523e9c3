// Read-only memory: the firmware that stands at the end of the first 4 GiB, where a CPU starts.
#pragma once

#include <cstdint>
#include <span>

#include "emu/base/address.hpp"
#include "emu/base/result.hpp"

namespace forkscope::mem {

class Rom {
public:
    // base and the number of bytes are multiples of 4 KiB; at least one page.
    static Result<Rom> create(PhysAddr base, std::span<const uint8_t> bytes);

    Rom(Rom&& other) noexcept;
    Rom& operator=(Rom&&) = delete;
    ~Rom();

    [[nodiscard]] PhysAddr base() const { return base_; }
    [[nodiscard]] uint64_t size() const { return size_; }  // bytes

    // Host pointer to [pa, pa + length), aligned as pa is within its page; null if not all of it is ROM.
    [[nodiscard]] const uint8_t* at(PhysAddr pa, uint64_t length) const {
        if (pa < base_ || pa - base_ >= size_ || length > size_ - (pa - base_)) return nullptr;
        return bytes_ + (pa - base_);
    }

private:
    Rom(PhysAddr base, uint8_t* bytes, uint64_t size) : base_(base), bytes_(bytes), size_(size) {}

    PhysAddr base_;
    uint8_t* bytes_;
    uint64_t size_;
};

}  // namespace forkscope::mem
