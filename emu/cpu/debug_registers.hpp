// MOV to and from DR0 to DR7 with the checks that the engine lacks (Intel SDM vol. 3, 18.2 "Debug
// Registers"). The instructions come here before they take effect (svm_intercepts.hpp), with their privilege
// checked.
#pragma once

#include <optional>

#include "emu/cpu/exception.hpp"
#include "emu/cpu/live_state.hpp"
#include "emu/cpu/operand_decoder.hpp"

namespace forkscope::cpu {

// Empty: it took effect.
[[nodiscard]] std::optional<Exception> read_debug_register(LiveState& state,
                                                           const DecodedInstruction& instruction);
[[nodiscard]] std::optional<Exception> write_debug_register(LiveState& state,
                                                            const DecodedInstruction& instruction);

}  // namespace forkscope::cpu
