// Formatting numbers.
#include "tools/log/text/numbers.hpp"

#include <fmt/format.h>

#include <array>

namespace forkscope::tools {

std::string grouped(uint64_t n) {
    std::string text = fmt::format("{}", n);
    for (size_t at = text.size(); at > 3;) {
        at -= 3;
        text.insert(at, 1, ',');
    }
    return text;
}

std::string counted(uint64_t n, std::string_view one, std::string_view many) {
    return fmt::format("{} {}", grouped(n), n == 1 ? one : many);
}

std::string counted(uint64_t n, std::string_view one) { return counted(n, one, fmt::format("{}s", one)); }

std::string bytes_text(uint64_t bytes) {
    constexpr std::array<std::string_view, 5> kUnits = {"bytes", "KiB", "MiB", "GiB", "TiB"};
    size_t unit = 0;
    uint64_t size = 1;
    while (unit + 1 < kUnits.size() && bytes / size >= 1024) {
        size *= 1024;
        ++unit;
    }
    if (bytes % size == 0) return fmt::format("{} {}", bytes / size, kUnits[unit]);
    return fmt::format("{:.1f} {}", static_cast<double>(bytes) / static_cast<double>(size), kUnits[unit]);
}

std::string duration_text(uint64_t instructions, uint64_t per_second) {
    if (per_second == 0) return "";
    const double seconds = static_cast<double>(instructions) / static_cast<double>(per_second);
    if (seconds < 1e-6) return fmt::format("{:.0f} ns", seconds * 1e9);
    if (seconds < 1e-3) return fmt::format("{:.1f} us", seconds * 1e6);
    if (seconds < 1) return fmt::format("{:.2f} ms", seconds * 1e3);
    return fmt::format("{:.3f} s", seconds);
}

std::string hex(uint64_t value) { return fmt::format("{:#x}", value); }

}  // namespace forkscope::tools
