// Guest addresses as types. A virtual and a physical address never mix, and a plain integer becomes
// one only by saying so.
#pragma once

#include <compare>
#include <cstddef>
#include <cstdint>
#include <functional>

namespace forkscope {

inline constexpr uint64_t kPageShift = 12;
inline constexpr uint64_t kPageSize = uint64_t{1} << kPageShift;  // bytes
inline constexpr uint64_t kPageOffsetMask = kPageSize - 1;

// An address in one address space, named by Space. Differences and offsets are in bytes.
template <typename Space>
class Address {
public:
    constexpr Address() = default;
    constexpr explicit Address(uint64_t raw) : raw_(raw) {}

    [[nodiscard]] constexpr uint64_t raw() const { return raw_; }
    [[nodiscard]] constexpr Address page_base() const { return Address(raw_ & ~kPageOffsetMask); }
    [[nodiscard]] constexpr uint64_t page_offset() const { return raw_ & kPageOffsetMask; }
    [[nodiscard]] constexpr uint64_t page_number() const { return raw_ >> kPageShift; }
    // alignment in bytes, a power of two
    [[nodiscard]] constexpr Address align_down(uint64_t alignment) const {
        return Address(raw_ & ~(alignment - 1));
    }
    [[nodiscard]] constexpr bool is_aligned(uint64_t alignment) const {
        return (raw_ & (alignment - 1)) == 0;
    }

    constexpr Address operator+(uint64_t bytes) const { return Address(raw_ + bytes); }
    constexpr Address operator-(uint64_t bytes) const { return Address(raw_ - bytes); }
    constexpr uint64_t operator-(Address other) const { return raw_ - other.raw_; }
    constexpr Address& operator+=(uint64_t bytes) {
        raw_ += bytes;
        return *this;
    }
    constexpr auto operator<=>(const Address&) const = default;

private:
    uint64_t raw_ = 0;
};

struct VirtualSpace;
struct PhysicalSpace;
using VirtAddr = Address<VirtualSpace>;
using PhysAddr = Address<PhysicalSpace>;

// Bits 63..47 are all equal (4-level paging; Intel SDM vol. 1, 3.3.7.1 "Canonical Addressing").
[[nodiscard]] constexpr bool is_canonical(VirtAddr va) {
    const auto sign_extended = static_cast<int64_t>(va.raw() << 16) >> 16;
    return static_cast<uint64_t>(sign_extended) == va.raw();
}

}  // namespace forkscope

template <typename Space>
struct std::hash<forkscope::Address<Space>> {
    size_t operator()(forkscope::Address<Space> a) const noexcept { return std::hash<uint64_t>{}(a.raw()); }
};
