// Numbers as people read them.
#pragma once

#include <cstdint>
#include <string>
#include <string_view>

namespace forkscope::tools {

[[nodiscard]] std::string grouped(uint64_t n);                        // "12,345,678"
[[nodiscard]] std::string counted(uint64_t n, std::string_view one);  // "1 page", "64 pages"
[[nodiscard]] std::string counted(uint64_t n, std::string_view one, std::string_view many);
[[nodiscard]] std::string bytes_text(uint64_t bytes);  // "32 KiB"; exact, else one decimal
// Instructions as virtual time at this rate: "1.25 ms". "" if the rate is unknown.
[[nodiscard]] std::string duration_text(uint64_t instructions, uint64_t per_second);
[[nodiscard]] std::string hex(uint64_t value);  // "0x1000"

}  // namespace forkscope::tools
