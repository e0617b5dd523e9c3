// The names of event kinds, flushes and causes, as the command line, the meta chunk and JSON output spell
// them.
#pragma once

#include <array>
#include <optional>
#include <string_view>

#include "emu/log/recorder.hpp"

namespace forkscope::log {

inline constexpr std::array<std::string_view, kEventKindCount> kKindNames = {
    "none",    "pte-write", "table-link", "table-unlink", "pte-found",    "tlb-fill", "flush",
    "fault",   "resolved",  "cr3",        "interrupt",    "syscall",      "sysret",   "announce",
    "finding", "audit",     "root-death", "stop",         "syscall-args",
};

inline constexpr std::string_view kUnknownKindName = "unknown";

[[nodiscard]] constexpr std::string_view name_of(EventKind kind) {
    const auto number = static_cast<size_t>(kind);
    return number < kKindNames.size() ? kKindNames[number] : kUnknownKindName;
}

[[nodiscard]] constexpr std::optional<EventKind> kind_named(std::string_view name) {
    for (size_t number = 1; number < kKindNames.size(); ++number)
        if (kKindNames[number] == name) return static_cast<EventKind>(number);
    return std::nullopt;
}

// By FlushKind and by Cause.
inline constexpr std::array<std::string_view, 7> kFlushNames = {
    "none", "INVLPG", "CR3 load", "CR0 write", "CR4 write", "EFER write", "task switch"};
inline constexpr std::array<std::string_view, 7> kCauseNames = {
    "none", "software", "hardware A", "hardware D", "device", "loader", "exception frame"};

// By Finding: the names of the checks.
inline constexpr std::array<std::string_view, kFindingCount> kFindingNames = {
    "none",           "stale-tlb",          "stale-kernel",      "redundant-flush",
    "writable-twice", "freed-while-mapped", "unannounced-table", "lost-dirty",
    "refcount"};

[[nodiscard]] constexpr std::string_view name_of(Finding finding) {
    const auto number = static_cast<size_t>(finding);
    return number < kFindingNames.size() ? kFindingNames[number] : kUnknownKindName;
}
[[nodiscard]] constexpr std::string_view name_of(FlushKind kind) {
    const auto number = static_cast<size_t>(kind);
    return number < kFlushNames.size() ? kFlushNames[number] : kUnknownKindName;
}
[[nodiscard]] constexpr std::string_view name_of(Cause cause) {
    const auto number = static_cast<size_t>(cause);
    return number < kCauseNames.size() ? kCauseNames[number] : kUnknownKindName;
}

// The bits of the kinds that this program knows.
inline constexpr KindMask kKnownKinds = ((KindMask{1} << kEventKindCount) - 1) & ~KindMask{1};

}  // namespace forkscope::log
