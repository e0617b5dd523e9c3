// What an image needs that is started directly in 64-bit mode: page tables that map the first 4 GiB onto
// themselves, and a GDT.
#pragma once

#include "emu/base/result.hpp"
#include "emu/loader/boot_plan.hpp"
#include "emu/loader/placement.hpp"

namespace forkscope::loader {

// Addresses below this can be entered and loaded to.
inline constexpr uint64_t kIdentityMapped = 4 * kGiB;

// Places tables, GDT and stack, and returns the registers that go with them; the others are 0.
Result<BootRegisters> place_long_mode(Placement& placement);

}  // namespace forkscope::loader
