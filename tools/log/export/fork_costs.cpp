// Adding up.
#include "tools/log/export/fork_costs.hpp"

#include <algorithm>
#include <array>

#include "emu/base/address.hpp"
#include "tools/log/verbs/fork_filter.hpp"

namespace forkscope::tools {

namespace {

constexpr std::array kSorts{"fork", "fork, shared tables", "vfork", "clone", "thread"};

[[nodiscard]] size_t sort_of(const analysis::Fork& fork) {
    const std::string_view kind = analysis::kind_of(fork);
    const bool shares = fork.tables_shared != 0 || fork.tables_protected != 0;
    if (kind == kSorts[0] && shares) return 1;
    return static_cast<size_t>(std::ranges::find(kSorts, kind) - kSorts.begin());
}

void add(const analysis::Fork& fork, ForkCosts& costs) {
    if (fork.failed() || !fork.end) {
        ++costs.failed;
        return;
    }
    ++costs.forks;
    costs.instructions += fork.end->icount - std::min(fork.end->icount, fork.begin.icount);
    costs.table_writes += fork.write_protected + fork.tables_protected + fork.other_writes +
                          fork.kernel_writes + fork.entries_copied + fork.entries_different;
    costs.tables_allocated += fork.tables_allocated_in_all();
    costs.flushes += fork.flushes;
    costs.faults += fork.parent.faults + fork.child.faults;
    costs.pages_copied += (fork.parent.bytes_copied + fork.child.bytes_copied) >> kPageShift;
}

}  // namespace

std::vector<ForkCosts> fork_costs(const std::vector<analysis::Fork>& forks, const log::EventFilter& filter) {
    std::vector<ForkCosts> sheet(kSorts.size());
    for (size_t sort = 0; sort < kSorts.size(); ++sort) sheet[sort].call = kSorts[sort];
    for (const analysis::Fork& fork : forks)
        if (fork_fits(fork, filter)) add(fork, sheet.at(sort_of(fork)));
    std::erase_if(sheet, [](const ForkCosts& costs) { return costs.forks + costs.failed == 0; });
    return sheet;
}

}  // namespace forkscope::tools
