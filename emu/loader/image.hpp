// A file that was read whole, and its name for error messages.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "emu/base/result.hpp"

namespace forkscope::loader {

struct Image {
    std::string name;  // as the user gave it
    std::vector<uint8_t> bytes;
};

// A regular, non-empty file.
Result<Image> read_image(const std::string& path);

}  // namespace forkscope::loader
