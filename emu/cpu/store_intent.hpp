// Whether an instruction that reads memory is going to write the same bytes: hardware asks for the right to
// write before it reads, so that its page fault is that of a write. The engine reads first.
#pragma once

#include <cstdint>
#include <span>

namespace forkscope::cpu {

[[nodiscard]] bool reads_to_modify(std::span<const uint8_t> code, bool code64);

}  // namespace forkscope::cpu
