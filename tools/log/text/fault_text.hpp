// Page faults explained.
#pragma once

#include <string>

#include "tools/log/analysis/fault_book.hpp"

namespace forkscope::tools {

// "W is clear, and this is a write".
[[nodiscard]] const char* refusal_words(analysis::Refusal refusal);
// "W", "P", "NX": the bit of the entry that refused; "" where it is none.
[[nodiscard]] const char* refusal_bit(analysis::Refusal refusal);
[[nodiscard]] const char* refusal_name(analysis::Refusal refusal);  // "read-only", for JSON and sums
[[nodiscard]] const char* fault_end_name(analysis::FaultEnd end);   // "copied"

// "write", "read", "fetch".
[[nodiscard]] const char* access_of(uint64_t error_code);

// "a new frame 0x105000 is mapped there", "copied: frame 0x1000 -> 0x2000", "killed by SIGSEGV".
[[nodiscard]] std::string fault_end_text(const analysis::Fault& fault);

}  // namespace forkscope::tools
