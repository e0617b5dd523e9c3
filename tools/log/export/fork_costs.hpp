// What forks cost, by their sort: the sums behind the cost sheet.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "emu/log/event_filter.hpp"
#include "tools/log/analysis/fork.hpp"

namespace forkscope::tools {

// One sort of call: "fork", "fork, shared tables", "vfork", "clone", "thread".
struct ForkCosts {
    std::string call;
    uint64_t forks = 0;   // that succeeded and returned
    uint64_t failed = 0;  // or did not return before the log ends
    // In all of them. Of a vfork, the instructions until the child lets go of the memory are its caller's.
    uint64_t instructions = 0;
    uint64_t table_writes = 0;  // page-table entries written in the call, and filled in the child's tables
    uint64_t tables_allocated = 0;
    uint64_t flushes = 0;
    uint64_t faults = 0;        // write faults afterwards, on both sides
    uint64_t pages_copied = 0;  // of 4 KiB
};

// Of the forks that fit, in a fixed order; sorts that do not occur are left out.
[[nodiscard]] std::vector<ForkCosts> fork_costs(const std::vector<analysis::Fork>& forks,
                                                const log::EventFilter& filter);

}  // namespace forkscope::tools
