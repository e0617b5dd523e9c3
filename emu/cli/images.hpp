// The files that a run starts from.
#pragma once

#include <optional>
#include <vector>

#include "emu/base/result.hpp"
#include "emu/cli/run_session.hpp"
#include "emu/loader/image.hpp"
#include "emu/loader/load_kernel.hpp"
#include "emu/machine/firmware.hpp"

namespace forkscope::cli {

struct Images {
    loader::Image kernel;
    bool kernel_is_bundled = false;  // by what it says of itself, wherever it lies
    std::optional<loader::Image> initrd;
    std::vector<loader::BootModule> modules;
    std::optional<loader::Image> firmware;  // then there is nothing of the above
    std::optional<loader::Image> vga_rom;   // for firmware
};

// By -bios, -kernel, -initrd and -device; the bundled ones where nothing is said.
Result<Images> read_images(const RunOptions& options);

// The bundled kernel unpacks its initramfs into RAM beside the archive.
Result<void> check_room_for_initramfs(const RunOptions& options, const Images& images);

// What the machine needs to know of them before it is made.
[[nodiscard]] machine::Firmware firmware_of(const RunOptions& options, const Images& images);

// Puts them into the RAM of a new machine.
Result<loader::BootPlan> load_images(const RunOptions& options, const Images& images, mem::GuestRam& ram);

}  // namespace forkscope::cli
