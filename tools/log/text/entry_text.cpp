// Decoding entries and error codes.
#include "tools/log/text/entry_text.hpp"

#include <fmt/format.h>

#include <array>
#include <utility>

#include "emu/log/entry_bits.hpp"

namespace forkscope::tools {

namespace {

// Bits 9..11 and 52..62 are free for software; a kernel's own marks are worth showing.
constexpr uint64_t kSoftwareBits = 0x7ff0'0000'0000'0e00;

struct NamedBit {
    uint64_t mask;
    const char* name;
};
constexpr std::array<NamedBit, 9> kBits = {{{log::kEntryPresent, "P"},
                                            {log::kEntryWritable, "W"},
                                            {log::kEntryUser, "U"},
                                            {log::kEntryWriteThrough, "PWT"},
                                            {log::kEntryCacheDisable, "PCD"},
                                            {log::kEntryAccessed, "A"},
                                            {log::kEntryDirty, "D"},
                                            {log::kEntryGlobal, "G"},
                                            {log::kEntryNoExecute, "NX"}}};

void add_word(std::string& text, std::string_view word) {
    if (!text.empty()) text += ' ';
    text += word;
}

[[nodiscard]] std::string target_text(uint64_t entry, unsigned level) {
    const char* what = log::links_table(entry, level) ? "table" : "frame";
    return fmt::format("{} {:#x}", what, log::frame_of(entry, level));
}

[[nodiscard]] bool same_target(uint64_t a, uint64_t b, unsigned level) {
    return log::frame_of(a, level) == log::frame_of(b, level) &&
           log::links_table(a, level) == log::links_table(b, level);
}

}  // namespace

std::string bits_text(uint64_t entry, unsigned level) {
    std::string text;
    for (const NamedBit& bit : kBits)
        if ((entry & bit.mask) != 0) add_word(text, bit.name);
    if ((entry & log::kEntryPageSize) != 0) add_word(text, level == 1 ? "PAT" : "PS");
    if ((entry & kSoftwareBits) != 0) add_word(text, fmt::format("sw {:#x}", entry & kSoftwareBits));
    return text;
}

std::string entry_text(uint64_t entry, unsigned level) {
    if (entry == 0) return "0";
    if (!log::is_present(entry)) return fmt::format("not present, {:#x}", entry);
    return fmt::format("{} {}", bits_text(entry, level), target_text(entry, level));
}

std::string entry_difference(uint64_t before, uint64_t after, unsigned level) {
    if (before == after) return "no change";
    if (!log::is_present(before) && log::is_present(after)) return "mapped";
    if (log::is_present(before) && !log::is_present(after)) return "unmapped";
    if (!log::is_present(after)) return "changed while not present";
    std::string text;
    for (const NamedBit& bit : kBits) {
        if (((before ^ after) & bit.mask) == 0) continue;
        add_word(text, fmt::format("{}{}", (after & bit.mask) != 0 ? '+' : '-', bit.name));
    }
    if (((before ^ after) & log::kEntryPageSize) != 0)
        add_word(text, fmt::format("{}{}", (after & log::kEntryPageSize) != 0 ? '+' : '-',
                                   level == 1 ? "PAT" : "PS"));
    if (((before ^ after) & kSoftwareBits) != 0) add_word(text, "sw");
    if (log::frame_of(before, level) != log::frame_of(after, level))
        add_word(text, fmt::format("frame {:#x} -> {:#x}", log::frame_of(before, level),
                                   log::frame_of(after, level)));
    return text;
}

std::string entry_change(uint64_t before, uint64_t after, unsigned level) {
    const std::string difference = entry_difference(before, after, level);
    const bool both = log::is_present(before) && log::is_present(after);
    if (both && same_target(before, after, level))
        return fmt::format("{} -> {} {} [{}]", bits_text(before, level), bits_text(after, level),
                           target_text(after, level), difference);
    if (!both)
        return fmt::format("{} -> {} [{}]", entry_text(before, level), entry_text(after, level), difference);
    return fmt::format("{} -> {}", entry_text(before, level), entry_text(after, level));
}

namespace {

constexpr std::array<std::pair<uint64_t, const char*>, 7> kErrorBits = {
    {{1, "P"}, {2, "W"}, {4, "U"}, {8, "RSVD"}, {16, "I"}, {32, "PK"}, {64, "SS"}}};

}  // namespace

std::string error_code_text(uint64_t code) {
    std::string text;
    uint64_t known = 0;
    for (const auto& [bit, name] : kErrorBits) {
        known |= bit;
        if ((code & bit) != 0) add_word(text, name);
    }
    if ((code & ~known) != 0) add_word(text, fmt::format("{:#x}", code & ~known));
    return text.empty() ? "0" : text;
}

std::string error_code_words(uint64_t code) {
    const char* what = (code & 16) != 0 ? "an instruction fetch" : (code & 2) != 0 ? "a write" : "a read";
    const char* who = (code & 4) != 0 ? "user code" : "the kernel";
    if ((code & 8) != 0) return fmt::format("{} by {}: a reserved bit is set in an entry", what, who);
    if ((code & 1) == 0) return fmt::format("{} by {}: the page is not present", what, who);
    if ((code & 2) != 0) return fmt::format("{} by {}: the page is present but read-only", what, who);
    return fmt::format("{} by {}: the page is present but not for this", what, who);
}

}  // namespace forkscope::tools
