// What a PVH loader tells: Xen's "x86/HVM direct boot ABI", version 1.
#pragma once

#include <stdint.h>

namespace guest {

inline constexpr uint32_t kHvmStartMagic = 0x336ec578;

struct hvm_start_info {
    uint32_t magic;
    uint32_t version;
    uint32_t flags;
    uint32_t nr_modules;
    uint64_t modlist_paddr;
    uint64_t cmdline_paddr;
    uint64_t rsdp_paddr;
    // version 1
    uint64_t memmap_paddr;
    uint32_t memmap_entries;
    uint32_t reserved;
};

struct hvm_modlist_entry {
    uint64_t paddr;
    uint64_t size;  // bytes
    uint64_t cmdline_paddr;
    uint64_t reserved;
};

struct hvm_memmap_table_entry {
    uint64_t addr;
    uint64_t size;  // bytes
    uint32_t type;  // 1: RAM
    uint32_t reserved;
};
inline constexpr uint32_t kHvmMemmapRam = 1;

}  // namespace guest
