// What a PVH guest is told at its entry: Xen's hvm_start_info, version 1 (Xen public headers,
// arch-x86/hvm/start_info.h).
#pragma once

#include <optional>
#include <string>

#include "emu/base/result.hpp"
#include "emu/loader/memory_map.hpp"
#include "emu/loader/placement.hpp"

namespace forkscope::loader {

// Type of the Xen ELF note whose description is the physical address of the 32-bit entry.
inline constexpr uint32_t kXenNotePhys32Entry = 18;

// Takes the page at kStartInfo and room for the command line at kCommandLine.
Result<> reserve_start_info(Placement& placement, const std::string& command_line);

// Writes both. `initrd` becomes module 0.
void fill_start_info(Placement& placement, const std::string& command_line,
                     const std::optional<PlacedRange>& initrd, std::optional<PhysAddr> rsdp);

}  // namespace forkscope::loader
