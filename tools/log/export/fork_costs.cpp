// Adding up.
#include "tools/log/export/fork_costs.hpp"

#include <algorithm>

#include "emu/base/address.hpp"

namespace forkscope::tools {

namespace {

[[nodiscard]] std::string sort_of(const analysis::Fork& fork) {
    const std::string kind = analysis::kind_of(fork);
    const bool shares = fork.tables_shared != 0 || fork.tables_protected != 0;
    return kind == "fork" && shares ? "fork, shared tables" : kind;
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

std::vector<ForkCosts> fork_costs(const std::vector<analysis::Fork>& forks) {
    std::vector<ForkCosts> sheet;
    for (const char* call : {"fork", "fork, shared tables", "vfork", "clone", "thread"}) {
        ForkCosts costs;
        costs.call = call;
        for (const analysis::Fork& fork : forks)
            if (sort_of(fork) == call) add(fork, costs);
        if (costs.forks + costs.failed != 0) sheet.push_back(std::move(costs));
    }
    return sheet;
}

}  // namespace forkscope::tools
