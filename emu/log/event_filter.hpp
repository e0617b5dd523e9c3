// Which events somebody wants to see. A reader skips whole chunks by it where it can.
#pragma once

#include <cstdint>
#include <limits>
#include <optional>
#include <vector>

#include "emu/log/entry_bits.hpp"
#include "emu/log/event.hpp"
#include "emu/log/event_names.hpp"
#include "emu/log/recorder.hpp"

namespace forkscope::log {

// A range of virtual addresses, the last one included.
struct VaRange {
    uint64_t first = 0;
    uint64_t last = ~uint64_t{0};
};

// The virtual addresses that an event is about; nothing for kinds that are about none, and for what the
// guest announces.
[[nodiscard]] std::optional<VaRange> range_of(const Event& event);

struct EventFilter {
    uint64_t from_icount = 0;
    uint64_t to_icount = std::numeric_limits<uint64_t>::max();  // included
    uint64_t from_event = 0;                                    // number in the file
    uint64_t to_event = std::numeric_limits<uint64_t>::max();   // included
    KindMask kinds = kKnownKinds;
    std::vector<uint32_t> tasks = {};  // any of them; empty: of whatever task
    std::optional<VaRange> va = {};    // events about any address in it
    std::optional<uint8_t> level = {};
    std::optional<uint64_t> root = {};  // CR3 or the root that the event is about

    // Whether only kinds, times and numbers are asked for, which the heads of chunks tell.
    [[nodiscard]] bool looks_at_no_field() const { return tasks.empty() && !va && !level && !root; }

    [[nodiscard]] bool passes(const Event& event) const {
        if (event.icount < from_icount || event.icount > to_icount) return false;
        if (!tasks.empty() && !is_of_tasks(event)) return false;
        if (level && event.level != *level) return false;
        if (root && event.root != *root && event.space != *root) return false;
        return !va || passes_va(event);
    }

private:
    [[nodiscard]] bool is_of_tasks(const Event& event) const {
        for (const uint32_t task : tasks)
            if (event.task == task) return true;
        return false;
    }
    [[nodiscard]] bool passes_va(const Event& event) const;
};

}  // namespace forkscope::log
