// What the loader made of a kernel image: how the first CPU starts, and what now lies where in RAM.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <vector>

#include "emu/base/address.hpp"
#include "emu/loader/framebuffer.hpp"

namespace forkscope::loader {

enum class ImageKind : uint8_t {
    PvhElf64,
    PvhElf32,
    Elf64,  // started at its entry point in 64-bit mode
    LinuxBzImage,
    LinuxVmlinux,  // without a PVH entry
    Multiboot,
    Flat,
    Firmware,  // not a kernel: what the processor starts in
};

enum class EntryMode : uint8_t {
    // 16-bit real mode, interrupts off.
    Real16,
    // Paging off, flat 4 GiB code and data segments, interrupts off: the state that PVH (Xen,
    // docs/misc/pvh.pandoc, "Direct boot") and multiboot ask for.
    Protected32,
    // Long mode with paging on and interrupts off: cr3 maps the first 4 GiB onto themselves by 2 MiB
    // pages, GDT selectors 0x10 (64-bit code) and 0x18 (data), as Linux asks for.
    Long64,
};

// Registers that are not listed are 0 at the entry. What a mode does not use is 0.
struct BootRegisters {
    uint64_t rip = 0;
    uint64_t rsp = 0;
    uint64_t rax = 0;           // multiboot: a magic number
    uint64_t rbx = 0;           // physical address of hvm_start_info, or of multiboot's information
    uint64_t rsi = 0;           // Linux: physical address of boot_params
    uint64_t rdi = 0;           // that of hvm_start_info, as the first argument of a C function; Long64 only
    uint16_t code_segment = 0;  // Real16; it has the base 16 times this, but for firmware
    uint64_t code_base = 0;     // firmware; 0: as said
    PhysAddr cr3;
    PhysAddr gdt_base;
    uint16_t gdt_limit = 0;
};

struct PlacedRange {
    std::string name;  // e.g. "kernel segment 0", "initrd"
    PhysAddr base;
    uint64_t size;  // bytes
};

struct BootPlan {
    ImageKind kind = ImageKind::Flat;
    EntryMode mode = EntryMode::Protected32;
    PhysAddr entry;
    BootRegisters registers;
    std::vector<PlacedRange> placed;  // in order of address
    std::optional<Framebuffer> framebuffer;

    // One line for people, e.g. "PVH ELF64, entry 0x100040 in 32-bit mode".
    [[nodiscard]] std::string description() const;
};

}  // namespace forkscope::loader
