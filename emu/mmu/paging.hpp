// What a translation depends on besides the tables: the registers of the CPU, the features of its
// model, who accesses and how; and what comes out: a grant or a fault.
#pragma once

#include <cstdint>
#include <tl/expected.hpp>

#include "emu/base/address.hpp"
#include "emu/base/bits.hpp"

namespace forkscope::mmu {

// Bits of the control registers that paging looks at (Intel SDM vol. 3, 4.1 "Paging Modes and Control Bits").
inline constexpr uint64_t kCr0WriteProtect = bit(16);
inline constexpr uint64_t kCr0Paging = bit(31);
inline constexpr uint64_t kCr4PageSizeExtensions = bit(4);
inline constexpr uint64_t kCr4PhysicalAddressExtension = bit(5);
inline constexpr uint64_t kCr4GlobalPages = bit(7);
inline constexpr uint64_t kCr4Smep = bit(20);
inline constexpr uint64_t kCr4Smap = bit(21);
inline constexpr uint64_t kCr4ProtectionKeys = bit(22);
inline constexpr uint64_t kEferLongModeActive = bit(10);
inline constexpr uint64_t kEferNoExecuteEnable = bit(11);
inline constexpr uint64_t kRflagsAlignmentCheck = bit(18);

// The CPU's registers as they are at the access. They change natively in the engine, so whoever asks
// for a translation passes them.
struct PagingRegisters {
    uint64_t cr0 = 0;
    uint64_t cr3 = 0;
    uint64_t cr4 = 0;
    uint64_t efer = 0;
    uint64_t rflags = 0;
    uint32_t pkru = 0;
};

// What the CPU model has, as its CPUID tells the guest.
struct PagingModel {
    unsigned physical_bits = 40;  // MAXPHYADDR, 32..52
    bool has_1gib_pages = false;
    bool has_pse36 = true;
};

enum class Access : uint8_t { Read, Write, Fetch };

// Supervisor: an ordinary access at CPL 0..2. ImplicitSupervisor: the CPU's own access to GDT, LDT,
// IDT or TSS at any CPL, for which EFLAGS.AC does not lift SMAP (SDM vol. 3, 4.6.1 "Determination of
// Access Rights").
enum class Privilege : uint8_t { Supervisor, User, ImplicitSupervisor };

// What the engine may do with a page until it asks again. A bit set.
using Permissions = uint8_t;
inline constexpr Permissions kMayRead = 1;
inline constexpr Permissions kMayWrite = 2;
inline constexpr Permissions kMayExecute = 4;

// An access that may go ahead.
struct Grant {
    PhysAddr frame;               // of the 4 KiB page; may lie outside RAM, where devices are
    PhysAddr leaf_entry;          // where the entry that maps it stands; 0 with paging off
    uint64_t leaf_value = 0;      // of that entry, after accessed and dirty
    Permissions permissions = 0;  // never kMayWrite with kMayExecute, only what was asked for
    uint8_t level = 0;            // 1: 4 KiB page, 2: 2 or 4 MiB, 3: 1 GiB, 0: paging is off
    bool table = false;           // the frame is a live page table: stores to it must be observed
    bool user = false;            // U/S is 1 in every entry of the path
    bool global = false;          // survives a load of CR3
    bool first = false;           // no flush-surviving fill before this one (long mode only)
};

inline constexpr uint8_t kVectorGeneralProtection = 13;
inline constexpr uint8_t kVectorPageFault = 14;

// Error code of a page fault (SDM vol. 3, 4.7 "Page-Fault Exceptions").
inline constexpr uint32_t kFaultPresent = 1;
inline constexpr uint32_t kFaultWrite = 2;
inline constexpr uint32_t kFaultUser = 4;
inline constexpr uint32_t kFaultReserved = 8;
inline constexpr uint32_t kFaultFetch = 16;
inline constexpr uint32_t kFaultProtectionKey = 32;

// An access that must not.
struct Fault {
    VirtAddr va;              // CR2
    PhysAddr entry;           // where the entry that refused stands; meaningless if level is 0
    uint64_t value = 0;       // of that entry
    uint32_t error_code = 0;  // of the page fault; 0 for a non-canonical address
    uint8_t vector = 0;       // page fault, or general protection: non-canonical (#SS for a stack reference)
    uint8_t level = 0;        // of the entry: 4..1; 0: none refused
};

using FillResult = tl::expected<Grant, Fault>;

}  // namespace forkscope::mmu
