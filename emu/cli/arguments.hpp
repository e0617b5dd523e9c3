// QEMU's long options have one dash; ours may have one or two.
#pragma once

#include <string>
#include <vector>

namespace forkscope::cli {

// The arguments with "-kernel" turned into "--kernel". One-letter options, numbers, "-" and everything
// that is the value of an option stay; so does all after "--".
[[nodiscard]] std::vector<std::string> with_long_dashes(int argc, char** argv);

// "256M", "1G", "512" (MiB, as in QEMU), "2048K" in bytes; 0: not a size.
[[nodiscard]] uint64_t parse_size(const std::string& text);

}  // namespace forkscope::cli
