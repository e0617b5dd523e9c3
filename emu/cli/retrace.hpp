// run --retrace: a first run without a log learns which frames become page tables, so that the recorded one
// can watch them from the start.
#pragma once

#include "emu/base/result.hpp"
#include "emu/cli/images.hpp"
#include "emu/cli/run_session.hpp"
#include "emu/machine/machine.hpp"

namespace forkscope::cli {

// Two runs are equal only if nothing comes from outside and nothing stays behind.
[[nodiscard]] Result<void> check_can_retrace(const RunOptions& options, machine::SerialBackend& serial);

// The same run, silent. config: as for the run that is recorded.
[[nodiscard]] Result<mmu::Mirror::LinkCounts> learn_tables(const RunOptions& options, const Images& images,
                                                           machine::MachineConfig config);

}  // namespace forkscope::cli
