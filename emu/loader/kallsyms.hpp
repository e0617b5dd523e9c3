// The names that a Linux kernel keeps of its own functions (CONFIG_KALLSYMS), found in its memory: of a
// kernel whose image is compressed or stripped, they are all that there is. Addresses are those that it runs
// at, after KASLR too.
#pragma once

#include <cstdint>
#include <optional>
#include <span>

#include "emu/loader/symbols.hpp"

namespace forkscope::loader {

// In a stretch of memory that begins at a page; nothing if no kernel's table is in it.
[[nodiscard]] std::optional<SymbolTable> find_kallsyms(std::span<const uint8_t> memory);

}  // namespace forkscope::loader
