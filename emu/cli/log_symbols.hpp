// Names of the guest's code, for the log.
#pragma once

#include "emu/base/result.hpp"
#include "emu/cli/images.hpp"
#include "emu/cli/run_session.hpp"
#include "emu/log/writer.hpp"

namespace forkscope::cli {

// Functions and lines of source of the kernel and of the programs in the initramfs. Images without symbols
// are fine; a broken symbol table is worth a word, not an end.
[[nodiscard]] Result<void> add_symbols(log::Writer& writer, const RunOptions& options, const Images& images);

}  // namespace forkscope::cli
