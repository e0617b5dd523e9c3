// Which page-table entries changed lately: an entry glows, the brighter the later it changed.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>

#include "tools/panels/model/moment.hpp"

namespace forkscope::panels {

struct Change {
    uint64_t number = 0;  // of the event
    uint64_t before = 0;  // the entry before it
    log::Event event;     // the last write by software, else the last of all
    float glow = 0;       // 0: the last change is as old as the window, 1: it was just now
};

class Glow {
public:
    // Changes by the last `window` events; those of accessed and dirty bits alone glow as well.
    Glow(const Moment& moment, uint64_t window);

    // By the address of the entry.
    [[nodiscard]] const std::unordered_map<uint64_t, Change>& changes() const { return changes_; }
    [[nodiscard]] const Change* of(uint64_t entry_address) const {
        const auto found = changes_.find(entry_address);
        return found == changes_.end() ? nullptr : &found->second;
    }

private:
    std::unordered_map<uint64_t, Change> changes_;
};

}  // namespace forkscope::panels
