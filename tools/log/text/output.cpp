// Colours.
#include "tools/log/text/output.hpp"

#include <unistd.h>

#include <cstdlib>

namespace forkscope::tools {

namespace {

[[nodiscard]] bool wants_colour(std::FILE* stream) {
    // https://no-color.org: set and not empty means none.
    const char* no_colour = std::getenv("NO_COLOR");
    if (no_colour != nullptr && no_colour[0] != '\0') return false;
    const char* terminal = std::getenv("TERM");
    if (terminal != nullptr && std::string_view(terminal) == "dumb") return false;
    return isatty(fileno(stream)) != 0;
}

[[nodiscard]] const char* code_of(Style style) {
    switch (style) {
        case Style::Plain:
            return "";
        case Style::Bold:
            return "\x1b[1m";
        case Style::Dim:
            return "\x1b[2m";
        case Style::Red:
            return "\x1b[31m";
        case Style::Green:
            return "\x1b[32m";
        case Style::Yellow:
            return "\x1b[33m";
        case Style::Blue:
            return "\x1b[34m";
        case Style::Magenta:
            return "\x1b[35m";
        case Style::Cyan:
            return "\x1b[36m";
    }
    return "";
}

}  // namespace

Output::Output(std::FILE* stream, Colour colour)
    : stream_(stream),
      coloured_(colour == Colour::Always || (colour == Colour::OnTerminal && wants_colour(stream))) {}

std::string Output::paint(Style style, std::string_view text) const {
    if (!coloured_ || style == Style::Plain) return std::string(text);
    return fmt::format("{}{}\x1b[0m", code_of(style), text);
}

}  // namespace forkscope::tools
