// What a check found: where it was noticed, the write that did it, and what should have been.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <string_view>

#include "emu/base/result.hpp"
#include "emu/log/event.hpp"
#include "emu/log/event_names.hpp"

namespace forkscope::check {

// An instruction of the guest that the log saw, and what it wrote.
struct CodePoint {
    uint64_t number = 0;  // of its event
    uint64_t icount = 0;
    uint64_t rip = 0;   // 0: not known
    uint64_t va = 0;    // start of what the entry covers
    uint64_t pa = 0;    // of the entry
    uint64_t root = 0;  // in CR3
    uint32_t task = 0;
    uint8_t cpl = 0;
    uint8_t level = 0;
};

// The instruction behind an event; of an entry that a new table held, who wrote it, if that is known.
[[nodiscard]] CodePoint code_point(const log::Event& event, uint64_t number);

struct Finding {
    log::Finding what = log::Finding::StaleTlbUser;
    log::Event event;                  // kind Finding: as it stands in the log, or belongs there
    uint64_t number = 0;               // of the event at which it was noticed
    std::optional<CodePoint> culprit;  // what made it wrong
    std::string expected;              // one line: what is, and what should be
};

// Names and numbers for code and tasks, from whoever has symbols.
class Namer {
public:
    virtual ~Namer() = default;
    [[nodiscard]] virtual std::string code(uint64_t rip, unsigned cpl, uint32_t task) const = 0;
    [[nodiscard]] virtual std::string task(uint32_t tid, uint64_t root) const = 0;
};

// One line: "stale-tlb at do_fork+0x12 by forkdemo[3]: ...". With `numbers` events are named by their
// numbers.
enum class EventNumbers : bool { No, Yes };
[[nodiscard]] std::string describe(const Finding& finding, const Namer& names, EventNumbers numbers);

// A set of checks by log::Finding.
using CheckSet = uint32_t;
[[nodiscard]] constexpr CheckSet set_of(log::Finding what) {
    return CheckSet{1} << static_cast<unsigned>(what);
}
inline constexpr CheckSet kEveryCheck = ((CheckSet{1} << log::kFindingCount) - 1) & ~CheckSet{1};
// What "all" means: checks whose finding is a mistake of the guest. Of the two others, kernel addresses may
// be stale on purpose (lazy unmapping), and a flush too many is a matter of taste: by name only.
inline constexpr CheckSet kMistakes =
    kEveryCheck & ~set_of(log::Finding::StaleTlbKernel) & ~set_of(log::Finding::RedundantFlush);

// "all", "every", or names with commas between them; what is wrong with `list` in one line.
[[nodiscard]] Result<CheckSet> parse_checks(std::string_view list);

}  // namespace forkscope::check
