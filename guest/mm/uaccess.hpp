// The only ways to touch the memory of the running program. All may sleep (they fault pages in and break
// copy-on-write just as the program's own access would) and all fail with Errno::Fault on a bad address.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include <type_traits>

#include "guest/lib/address.hpp"
#include "guest/lib/new.hpp"
#include "guest/lib/result.hpp"

namespace guest {

// One past the last address that a program can have: the page below the canonical hole stays empty.
inline constexpr VirtAddr kTaskSize{0x00007ffffffff000};
// One past the user half of the page tables.
inline constexpr VirtAddr kUserEnd{uint64_t{1} << 47};

// Whether [address, address + bytes) lies in the user half. It need not be mapped.
[[nodiscard]] bool access_ok(VirtAddr address, uint64_t bytes);

Result<void> copy_to_user(VirtAddr to, const void* from, size_t bytes);
Result<void> copy_from_user(void* to, VirtAddr from, size_t bytes);
// The same, but part of the bytes may be copied: how many were not.
[[nodiscard]] size_t copy_to_user_partial(VirtAddr to, const void* from, size_t bytes);
[[nodiscard]] size_t copy_from_user_partial(void* to, VirtAddr from, size_t bytes);
// Zero bytes.
Result<void> clear_user(VirtAddr to, size_t bytes);

// Copies a string with its terminator into `to`, `room` bytes long: its length without the terminator, or
// `room` if no terminator came (then `to` is not terminated).
Result<size_t> strncpy_from_user(char* to, UserPtr<const char> from, size_t room);
// A path, terminated, in a buffer of its own. NameTooLong beyond 4096 bytes, NoEnt never (an empty one is for
// the caller to judge).
Result<KBuffer> getname(UserPtr<const char> path);

template <typename T>
Result<void> put_user(UserPtr<T> to, const T& value) {
    static_assert(std::is_trivially_copyable_v<T>);
    return copy_to_user(to, &value, sizeof(T));
}

template <typename T>
Result<std::remove_const_t<T>> get_user(UserPtr<T> from) {
    static_assert(std::is_trivially_copyable_v<T>);
    std::remove_const_t<T> value;
    TRY(copy_from_user(&value, from, sizeof(T)));
    return value;
}

}  // namespace guest
