// Page-table entries in words.
#pragma once

#include <cstdint>
#include <string>

namespace forkscope::tools {

// "P W U A D NX frame 0x12345000"; "table 0x..." above the leaves; "0" for an empty entry and
// "not present, 0x..." for another one without P.
[[nodiscard]] std::string entry_text(uint64_t entry, unsigned level);

// "P W U A NX", without the address.
[[nodiscard]] std::string bits_text(uint64_t entry, unsigned level);

// What is different, short: "-W", "+A +D", "frame 0x1000 -> 0x2000", "mapped", "unmapped".
[[nodiscard]] std::string entry_difference(uint64_t before, uint64_t after, unsigned level);

// "P W U -> P U [-W]": both, with the frame once if it is the same, and the difference.
[[nodiscard]] std::string entry_change(uint64_t before, uint64_t after, unsigned level);

// "P W U": the bits of a page fault's error code (Intel SDM vol. 3A, 6.15 "Interrupt 14").
[[nodiscard]] std::string error_code_text(uint64_t code);
// In words: "a write by user code to a page that is present but read-only".
[[nodiscard]] std::string error_code_words(uint64_t code);

}  // namespace forkscope::tools
