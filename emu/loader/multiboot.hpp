// Multiboot 1 (Multiboot Specification version 0.6.96): ELF32 and ELF64 images, and any file whose header
// gives its addresses ("a.out kludge").
#pragma once

#include <optional>
#include <span>

#include "emu/base/result.hpp"
#include "emu/loader/boot_plan.hpp"
#include "emu/loader/load_kernel.hpp"
#include "emu/loader/placement.hpp"

namespace forkscope::loader {

struct MultibootHeader {
    uint64_t offset;  // in the file
    uint32_t flags;
    // With has_addresses():
    uint32_t header_addr, load_addr, load_end_addr, bss_end_addr, entry_addr;

    [[nodiscard]] bool has_addresses() const { return (flags & (1u << 16)) != 0; }
};

// The header in the first 8192 bytes, if there is one.
[[nodiscard]] std::optional<MultibootHeader> find_multiboot_header(std::span<const uint8_t> bytes);

// Places the image, its modules and the information for it.
Result<BootPlan> place_multiboot(Placement& placement, const Image& kernel, const MultibootHeader& header,
                                 const LoadOptions& options);

}  // namespace forkscope::loader
