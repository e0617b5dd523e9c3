// Firmware instead of a kernel: an image that ends at 4 GiB, where the processor starts in real mode (SDM
// vol. 3, 9.1.4 "First Instruction Executed"). The image's end stands below 1 MiB as well, in RAM, as on
// chipsets that have shadowed it.
#pragma once

#include "emu/base/result.hpp"
#include "emu/loader/boot_plan.hpp"
#include "emu/loader/image.hpp"
#include "emu/mem/guest_ram.hpp"

namespace forkscope::loader {

// Whether it can be firmware, by its size.
Result<> check_firmware(const Image& firmware);

Result<BootPlan> load_firmware(const Image& firmware, mem::GuestRam& ram);

}  // namespace forkscope::loader
