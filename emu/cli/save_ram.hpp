// run --save-ram: guest RAM as a file.
#pragma once

#include <string>

#include "emu/base/result.hpp"
#include "emu/mem/guest_ram.hpp"

namespace forkscope::cli {

// The byte at physical address N is byte N of the file; what is no RAM, or zero, is a hole in it.
[[nodiscard]] Result<void> save_ram(const mem::GuestRam& ram, const std::string& path);

}  // namespace forkscope::cli
