// Names of the guest's code, for log and findings.
#pragma once

#include <vector>

#include "emu/cli/images.hpp"
#include "emu/cli/run_session.hpp"
#include "emu/log/symbols.hpp"

namespace forkscope::cli {

// Functions and lines of source of the kernel and of the programs in the initramfs. Images without symbols
// are fine; a broken symbol table is worth a word, not an end.
[[nodiscard]] std::vector<log::SymbolModule> read_symbol_modules(const RunOptions& options,
                                                                 const Images& images);

}  // namespace forkscope::cli
