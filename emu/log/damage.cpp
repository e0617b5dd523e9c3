// What could not be read, in one line.
#include <fmt/format.h>

#include "emu/log/reader.hpp"

namespace forkscope::log {

namespace {

void add(std::string& line, const std::string& part) {
    if (!line.empty()) line += "; ";
    line += part;
}

[[nodiscard]] std::string counted(uint64_t n, std::string_view what) {
    return fmt::format("{} {}{}", n, what, n == 1 ? "" : "s");
}

}  // namespace

bool Damage::none() const { return describe().empty(); }

std::string Damage::describe() const {
    std::string line;
    if (header) add(line, "the file header is damaged");
    if (damaged_chunks != 0 || damaged_bytes != 0) {
        std::string part = fmt::format("{} damaged and left out", counted(damaged_chunks, "chunk"));
        if (damaged_bytes != 0) part += fmt::format(", {} skipped", counted(damaged_bytes, "byte"));
        add(line, part);
    }
    if (missing_events != 0) add(line, fmt::format("{} missing", counted(missing_events, "event")));
    if (no_end) {
        const std::string where =
            last_chunk ? fmt::format("after chunk {}", *last_chunk) : "before the first chunk";
        const std::string rest =
            ignored_bytes == 0 ? "" : fmt::format(", {} ignored", counted(ignored_bytes, "byte"));
        add(line, fmt::format("cut {}{}", where, rest));
    } else if (ignored_bytes != 0) {
        add(line, fmt::format("{} after the end mark ignored", counted(ignored_bytes, "byte")));
    }
    if (unwritten_events != 0)
        add(line, fmt::format("{} could not be written when the log was recorded",
                              counted(unwritten_events, "event")));
    return line;
}

std::string Unknown::describe() const {
    std::string line;
    if (file_version != 0)
        add(line,
            fmt::format("written in format version {}, this program knows {}", file_version, kFormatVersion));
    if (chunks != 0)
        add(line, fmt::format("{} of unknown kind or version left out", counted(chunks, "chunk")));
    if (events != 0) add(line, fmt::format("{} of unknown kind left out", counted(events, "event")));
    return line;
}

}  // namespace forkscope::log
