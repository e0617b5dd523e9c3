// Choosing address spaces.
#include "tools/log/verbs/spaces.hpp"

namespace forkscope::tools {

uint64_t root_of(const analysis::TaskTable& tasks, uint32_t tid) {
    const auto place = tasks.find(tid);
    return place ? tasks.all()[*place].root : 0;
}

Result<std::vector<uint64_t>> spaces_of(const Query& query, log::Reader& reader, const log::Replay& replay,
                                        const analysis::TaskTable& tasks, std::string_view when) {
    uint64_t root = 0;
    if (!query.root.empty()) {
        root = TRY(parse_number(query.root)) & ~kPageOffsetMask;
    } else if (!query.task.empty()) {
        const uint32_t tid = TRY(one_task_of(query, reader));
        root = root_of(tasks, tid);
        if (root == 0) return fail("task {} has no address space {}", tid, when);
        if (!replay.roots().contains(root))
            return fail(
                "the tables of task {} are not known {}: its root {:#x} was not loaded yet, or is gone", tid,
                when, root);
    } else {
        return std::vector<uint64_t>(replay.roots().begin(), replay.roots().end());
    }
    if (!replay.roots().contains(root)) return fail("there is no root {:#x} {}", root, when);
    return std::vector{root};
}

}  // namespace forkscope::tools
