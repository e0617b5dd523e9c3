// Names of the guest's code, for log and findings.
#pragma once

#include <optional>
#include <span>
#include <vector>

#include "emu/cli/images.hpp"
#include "emu/cli/run_session.hpp"
#include "emu/log/symbols.hpp"
#include "emu/mem/guest_ram.hpp"

namespace forkscope::cli {

// Functions and lines of source of the kernel and of the programs in the initramfs. Images without symbols
// are fine; a broken symbol table is worth a word, not an end.
[[nodiscard]] std::vector<log::SymbolModule> read_symbol_modules(const RunOptions& options,
                                                                 const Images& images);

[[nodiscard]] bool has_kernel(std::span<const log::SymbolModule> modules);

// What the kernel in RAM says of itself, if it is one that does (emu/loader/kallsyms.hpp): for an image that
// is compressed or stripped, once it has unpacked itself.
[[nodiscard]] std::optional<log::SymbolModule> kernel_symbols_in(const mem::GuestRam& ram,
                                                                 const std::string& path);

}  // namespace forkscope::cli
