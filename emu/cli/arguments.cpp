#include "emu/cli/arguments.hpp"

#include <algorithm>
#include <array>
#include <cctype>
#include <charconv>
#include <string_view>

#include "emu/base/units.hpp"

namespace forkscope::cli {

namespace {

// Options whose next argument is text of the user's, which may begin with a dash.
constexpr std::array<std::string_view, 4> kTakesText = {"-append", "--append", "-keys", "--keys"};

bool is_long_with_one_dash(const std::string& argument) {
    return argument.size() > 2 && argument[0] == '-' && argument[1] != '-' &&
           std::isalpha(static_cast<unsigned char>(argument[1])) != 0;
}

}  // namespace

std::vector<std::string> with_long_dashes(int argc, char** argv) {
    std::vector<std::string> out;
    bool literal = false, rest = false;
    for (int i = 1; i < argc; ++i) {
        std::string argument = argv[i];
        if (literal) {
            // Joined, so that a value with a dash is not taken for an option; an empty one would be lost so.
            if (argument.empty())
                out.emplace_back();
            else
                out.back() += "=" + argument;
            literal = false;
            continue;
        }
        if (argument == "--") rest = true;
        if (!rest && is_long_with_one_dash(argument)) argument.insert(0, 1, '-');
        literal = !rest && i + 1 < argc &&
                  std::find(kTakesText.begin(), kTakesText.end(), argument) != kTakesText.end();
        out.push_back(std::move(argument));
    }
    return out;
}

uint64_t parse_size(const std::string& text) {
    uint64_t value = 0;
    const char* end = text.data() + text.size();
    const auto [rest, error] = std::from_chars(text.data(), end, value);
    if (error != std::errc() || rest == text.data()) return 0;
    const std::string_view suffix(rest, static_cast<size_t>(end - rest));
    uint64_t unit = 0;
    if (suffix.empty() || suffix == "M" || suffix == "m") unit = kMiB;
    if (suffix == "K" || suffix == "k") unit = kKiB;
    if (suffix == "G" || suffix == "g") unit = kGiB;
    if (unit == 0 || value > UINT64_MAX / unit) return 0;
    return value * unit;
}

}  // namespace forkscope::cli
