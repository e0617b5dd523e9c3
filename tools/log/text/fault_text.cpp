// Refusals and ends in words.
#include "tools/log/text/fault_text.hpp"

#include <fmt/format.h>

#include <array>

#include "emu/log/entry_bits.hpp"
#include "tools/log/text/decode.hpp"

namespace forkscope::tools {

using analysis::Fault;
using analysis::FaultEnd;
using analysis::Refusal;

namespace {

struct RefusalWords {
    const char* bit;
    const char* name;
    const char* words;
};

[[nodiscard]] const RefusalWords& words_of(Refusal refusal) {
    static constexpr std::array<RefusalWords, analysis::kRefusals> kWords = {
        {{"P", "not-present", "P is clear: nothing is mapped there"},
         {"W", "read-only", "W is clear, and this is a write"},
         {"U", "supervisor", "U is clear: the page is the kernel's, and user code asks"},
         {"NX", "no-execute", "NX is set: no code may be fetched from there"},
         {"RSVD", "reserved-bit", "a bit that must be 0 is set in it"},
         {"U", "smap", "U is set, and the kernel may not touch user memory now (CR4.SMAP)"},
         {"U", "smep", "U is set, and the kernel may not run user code (CR4.SMEP)"},
         {"", "no-table", "there was no table to look into"},
         {"", "other", "a right that lies outside the tables (protection key, shadow stack)"}}};
    return kWords[static_cast<size_t>(refusal)];
}

}  // namespace

const char* refusal_words(Refusal refusal) { return words_of(refusal).words; }
const char* refusal_bit(Refusal refusal) { return words_of(refusal).bit; }
const char* refusal_name(Refusal refusal) { return words_of(refusal).name; }

const char* fault_end_name(FaultEnd end) {
    static constexpr std::array<const char*, 6> kNames = {"mapped",   "copied", "made-usable",
                                                          "spurious", "killed", "open"};
    return kNames[static_cast<size_t>(end)];
}

const char* access_of(uint64_t error_code) {
    return (error_code & 16) != 0 ? "fetch" : (error_code & 2) != 0 ? "write" : "read";
}

std::string fault_end_text(const Fault& fault) {
    const uint64_t frame = fault.leaf & log::kEntryAddress;
    switch (fault.end) {
        case FaultEnd::Mapped:
            return fmt::format("frame {:#x} is mapped there", frame);
        case FaultEnd::Copied:
            return fmt::format("another frame: {:#x} -> {:#x}",
                               log::frame_of(fault.event.b, fault.event.level), frame);
        case FaultEnd::MadeUsable:
            return fmt::format("the same frame {:#x}, with more rights", frame);
        case FaultEnd::Spurious:
            return "the entry was mended already";
        case FaultEnd::Killed:
            return fmt::format("the task ends: {}", wait_status_text(fault.exit->status));
        case FaultEnd::Open:
            return "it was not seen to go through";
    }
    return "";
}

}  // namespace forkscope::tools
