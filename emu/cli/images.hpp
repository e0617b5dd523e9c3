// The files that a run starts from.
#pragma once

#include <optional>
#include <vector>

#include "emu/base/result.hpp"
#include "emu/cli/run_session.hpp"
#include "emu/loader/image.hpp"
#include "emu/loader/load_kernel.hpp"

namespace forkscope::cli {

struct Images {
    loader::Image kernel;
    bool kernel_is_bundled = false;  // by what it says of itself, wherever it lies
    std::optional<loader::Image> initrd;
    std::vector<loader::BootModule> modules;
};

// By -kernel, -initrd and -device loader; the bundled ones where nothing is said.
Result<Images> read_images(const RunOptions& options);

// The bundled kernel unpacks its initramfs into RAM beside the archive.
Result<void> check_room_for_initramfs(const RunOptions& options, const Images& images);

// The images must outlive what is made of them.
loader::LoadOptions load_options(const RunOptions& options, const Images& images);

}  // namespace forkscope::cli
