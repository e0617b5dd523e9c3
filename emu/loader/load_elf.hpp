// The segments of an ELF kernel into RAM.
#pragma once

#include "emu/base/result.hpp"
#include "emu/loader/elf.hpp"
#include "emu/loader/image.hpp"
#include "emu/loader/placement.hpp"

namespace forkscope::loader {

// The file as an ELF executable.
Result<ElfImage> parse_executable(const Image& kernel);

// Adds every segment to load, at its physical address.
Result<> place_segments(Placement& placement, const Image& kernel, const ElfImage& elf);

// That the entry lies in what was loaded, below 4 GiB.
Result<> check_entry(const Placement& placement, const Image& kernel, uint64_t entry);

}  // namespace forkscope::loader
