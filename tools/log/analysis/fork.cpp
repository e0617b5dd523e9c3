// What follows from the facts of a fork.
#include "tools/log/analysis/fork.hpp"

#include <numeric>

#include "guest/abi/clone.hpp"

namespace forkscope::analysis {

bool Fork::shares_memory() const { return (flags & abi::kCloneVm) != 0; }

uint64_t Fork::tables_allocated_in_all() const {
    return std::accumulate(tables_allocated.begin(), tables_allocated.end(), uint64_t{0});
}

const char* kind_of(const Fork& fork) {
    if ((fork.flags & abi::kCloneThread) != 0) return "thread";
    if ((fork.flags & abi::kCloneVfork) != 0) return "vfork";
    return fork.shares_memory() ? "clone" : "fork";
}

}  // namespace forkscope::analysis
