// What a booting kernel is told of the physical address space, and where the loader puts things in it.
//
//   0x0000'0000 +--------------------------------------+
//               | free (real-mode vectors, if any)     |
//   0x0000'6000 | hvm_start_info, modules, memory map; |  kStartInfo
//               |   or Linux's boot_params             |
//   0x0000'7000 | command line                         |  kCommandLine
//   0x0000'8000 | stack of a 64-bit entry              |
//   0x0000'a000 | page tables of a 64-bit entry:       |  kBootStackTop, kBootTables
//               |   PML4, PDPT, four PDs of 2 MiB pages|
//   0x0001'0000 | GDT of a 64-bit entry                |  kBootGdt
//   0x0001'1000 | free; multiboot information at the   |
//               |   end, from 0x0009'f000              |
//   0x0009'fc00 | reserved: extended BIOS data         |  kExtendedBiosData
//   0x000a'0000 | not RAM: screen memory, adapter ROMs |
//   0x000f'0000 | reserved: BIOS                       |
//   0x0010'0000 | RAM: kernel from here, initrd at the |  kHighMemory
//               |   top, below kInitrdLimit            |
//    end of low +--------------------------------------+  at most mem::kLowRamLimit
//               | devices                              |
//   0x1'0000'0000 the rest of RAM, if there is more      mem::kHighRamBase
#pragma once

#include <cstdint>
#include <vector>

#include "emu/base/address.hpp"
#include "emu/base/units.hpp"
#include "emu/mem/guest_ram.hpp"

namespace forkscope::loader {

inline constexpr PhysAddr kStartInfo{0x6000};
inline constexpr PhysAddr kCommandLine{0x7000};
inline constexpr PhysAddr kBootStackBottom{0x8000};
inline constexpr PhysAddr kBootStackTop{0xa000};
inline constexpr PhysAddr kBootTables{0xa000};
inline constexpr PhysAddr kBootGdt{0x10000};
inline constexpr PhysAddr kBootAreaEnd{0x11000};
inline constexpr PhysAddr kExtendedBiosData{0x9fc00};
inline constexpr PhysAddr kScreenMemory{0xa0000};
inline constexpr PhysAddr kBios{0xf0000};
inline constexpr PhysAddr kHighMemory{0x100000};
// Kernels map this much of low memory early, and sign-extend no address below it.
inline constexpr PhysAddr kInitrdLimit{2 * kGiB};

// The numbers of the e820 BIOS call, which PVH and Linux use too.
enum class MemoryType : uint32_t { Ram = 1, Reserved = 2, AcpiTables = 3, AcpiNvs = 4 };

struct MemoryRange {
    PhysAddr base;
    uint64_t size;  // bytes
    MemoryType type;
    bool operator==(const MemoryRange&) const = default;
};

// In order of address, without overlap; what is in no range is not there.
std::vector<MemoryRange> build_memory_map(const mem::GuestRam& ram);

}  // namespace forkscope::loader
