// Reader of cpio archives in the "new ASCII" format of an initramfs (Linux,
// Documentation/driver-api/early-userspace/buffer-format.rst).
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "emu/base/result.hpp"

namespace forkscope::loader {

struct CpioEntry {
    std::string path;               // as stored
    uint32_t mode = 0;              // st_mode of Linux
    uint64_t offset = 0;            // of its header in the archive, bytes
    std::span<const uint8_t> data;  // into the archive; hard links all show their one file's data

    [[nodiscard]] bool is_regular() const { return (mode & 0170000) == 0100000; }
};

// All entries, in order; several archives may follow each other. `name` is for error messages.
Result<std::vector<CpioEntry>> read_cpio(const std::string& name, std::span<const uint8_t> bytes);

}  // namespace forkscope::loader
