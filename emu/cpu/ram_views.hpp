// The physical address space that the engine sees. Guest RAM stands in it three times: the engine keys
// its code cache and its write protection by these addresses, and each view asks for different care.
#pragma once

#include <cstdint>

#include "emu/base/address.hpp"
#include "emu/base/bits.hpp"

namespace forkscope::cpu {

// MAXPHYADDR of our CPUs: the guest reaches nothing above.
inline constexpr unsigned kPhysicalBits = 40;

// Plain RAM and devices stand at their own addresses. Frames that hold translated code are reached
// through the code view, whose stores make the engine look for code to throw away; live page tables
// through the table view, which is write-protected, so that every store comes to us.
inline constexpr uint64_t kTableView = bit(44);
inline constexpr uint64_t kCodeView = bit(45);
inline constexpr uint64_t kRomView = bit(47);        // what is read and fetched from ROM
inline constexpr uint64_t kPrivateMemory = bit(46);  // the intercepts' control block

// Code fetched from where no RAM is: a page of ones, as an empty bus reads.
inline constexpr uint64_t kAbsentCode = kPrivateMemory + bit(20);

// Virtual addresses that no guest can use: while code is thrown away they lead to the code view.
inline constexpr uint64_t kInvalidationWindow = bit(48);

}  // namespace forkscope::cpu
