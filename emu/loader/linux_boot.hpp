// Linux's x86 boot protocol (Linux, Documentation/arch/x86/boot.rst): bzImage, and vmlinux by its 64-bit
// entry.
#pragma once

#include <span>

#include "emu/base/result.hpp"
#include "emu/loader/boot_plan.hpp"
#include "emu/loader/load_kernel.hpp"
#include "emu/loader/placement.hpp"

namespace forkscope::loader {

// By the setup header's magic.
[[nodiscard]] bool is_bzimage(std::span<const uint8_t> bytes);
// Whether an ELF image is a Linux kernel, by its banner.
[[nodiscard]] bool is_linux(std::span<const uint8_t> bytes);

// Both place the kernel, the initrd and boot_params, and say how to start.
Result<BootPlan> place_bzimage(Placement& placement, const Image& kernel, const LoadOptions& options);
Result<BootPlan> place_vmlinux(Placement& placement, const Image& kernel, const LoadOptions& options);

}  // namespace forkscope::loader
