// Addresses as types: physical ones and virtual ones never mix, and an integer becomes one only by
// saying so. UserPtr<T> is an address that a program gave us: it is read and written by uaccess.hpp only.
#pragma once

#include <stddef.h>
#include <stdint.h>
#include <compare>

namespace guest {

inline constexpr unsigned kPageShift = 12;
inline constexpr uint64_t kPageSize = uint64_t{1} << kPageShift;  // bytes
inline constexpr uint64_t kPageMask = ~(kPageSize - 1);

template <typename Space>
class Address {
public:
    constexpr Address() = default;
    constexpr explicit Address(uint64_t raw) : raw_(raw) {}

    [[nodiscard]] constexpr uint64_t raw() const { return raw_; }
    [[nodiscard]] constexpr bool is_null() const { return raw_ == 0; }
    [[nodiscard]] constexpr uint64_t page_offset() const { return raw_ & ~kPageMask; }
    [[nodiscard]] constexpr uint64_t page_number() const { return raw_ >> kPageShift; }
    // alignment: bytes, a power of two
    [[nodiscard]] constexpr Address align_down(uint64_t alignment = kPageSize) const {
        return Address(raw_ & ~(alignment - 1));
    }
    [[nodiscard]] constexpr Address align_up(uint64_t alignment = kPageSize) const {
        return Address((raw_ + alignment - 1) & ~(alignment - 1));
    }
    [[nodiscard]] constexpr bool is_aligned(uint64_t alignment = kPageSize) const {
        return (raw_ & (alignment - 1)) == 0;
    }

    constexpr Address operator+(uint64_t bytes) const { return Address(raw_ + bytes); }
    constexpr Address operator-(uint64_t bytes) const { return Address(raw_ - bytes); }
    constexpr uint64_t operator-(Address other) const { return raw_ - other.raw_; }
    constexpr Address& operator+=(uint64_t bytes) {
        raw_ += bytes;
        return *this;
    }
    constexpr Address& operator-=(uint64_t bytes) {
        raw_ -= bytes;
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

// Address of a T in the memory of the running program. Never dereferenced directly.
template <typename T>
class UserPtr {
public:
    constexpr UserPtr() = default;
    constexpr explicit UserPtr(VirtAddr address) : address_(address) {}
    constexpr explicit UserPtr(uint64_t raw) : address_(raw) {}

    [[nodiscard]] constexpr VirtAddr address() const { return address_; }
    [[nodiscard]] constexpr uint64_t raw() const { return address_.raw(); }
    [[nodiscard]] constexpr bool is_null() const { return address_.is_null(); }
    constexpr explicit operator bool() const { return !is_null(); }
    // Implicit: copy_to_user and its like take plain addresses.
    constexpr operator VirtAddr() const { return address_; }

    template <typename U>
    [[nodiscard]] constexpr UserPtr<U> cast() const {
        return UserPtr<U>(address_);
    }
    // Counted in T, as a pointer counts.
    constexpr UserPtr operator+(uint64_t count) const requires(!__is_same(T, void)) {
        return UserPtr(address_ + count * sizeof(T));
    }

private:
    VirtAddr address_;
};

[[nodiscard]] constexpr uint64_t page_align_up(uint64_t bytes) { return (bytes + kPageSize - 1) & kPageMask; }
[[nodiscard]] constexpr uint64_t pages_for(uint64_t bytes) { return (bytes + kPageSize - 1) >> kPageShift; }

}  // namespace guest
