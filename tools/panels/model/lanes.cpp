// Families in order.
#include "tools/panels/model/lanes.hpp"

#include <fmt/format.h>

#include <algorithm>
#include <map>
#include <optional>

#include "tools/log/text/decode.hpp"

namespace forkscope::panels {

using analysis::Task;

namespace {

[[nodiscard]] std::string names_of(const Task& task) {
    std::string text = task.first_name.empty() ? task.name : task.first_name;
    for (const auto& exec : task.execs)
        if (!text.ends_with(exec.name)) text += fmt::format("{}{}", text.empty() ? "" : " > ", exec.name);
    return text;
}

[[nodiscard]] TaskLane lane_of(const Task& task, size_t place, unsigned depth, uint64_t last_icount) {
    TaskLane lane;
    lane.task = place;
    lane.tid = task.tid;
    lane.depth = depth;
    lane.label = task.tid == 0 && !task.name.empty() ? task.name
                                                     : analysis::party_label(task.tid, task.name, task.root);
    lane.names = names_of(task);
    lane.begin = task.created ? task.created->icount : 0;
    lane.ended = task.exit.has_value();
    lane.end = task.exit ? task.exit->when.icount : last_icount;
    lane.ending = task.exit ? tools::wait_status_text(task.exit->status) : "";
    lane.exit_event = task.exit ? task.exit->when.event : 0;
    lane.thread = task.tgid != 0 && task.tgid != task.tid;
    return lane;
}

// Places of tasks with their depths: children under their parents. A parent comes before its children in the
// list, so this ends.
[[nodiscard]] std::vector<std::pair<size_t, unsigned>> families(const std::vector<Task>& tasks) {
    std::map<uint32_t, size_t> latest;
    std::vector<std::vector<size_t>> children(tasks.size());
    std::vector<size_t> tops;
    for (size_t i = 0; i < tasks.size(); ++i) {
        const auto parent = latest.find(tasks[i].parent);
        const bool has = tasks[i].tid != 0 && parent != latest.end() && tasks[i].parent != tasks[i].tid;
        (has ? children[parent->second] : tops).push_back(i);
        latest[tasks[i].tid] = i;
    }
    std::vector<std::pair<size_t, unsigned>> order;
    std::vector<std::pair<size_t, unsigned>> stack;
    for (size_t i = tops.size(); i > 0; --i) stack.emplace_back(tops[i - 1], 0);
    while (!stack.empty()) {
        const auto [place, depth] = stack.back();
        stack.pop_back();
        order.emplace_back(place, depth);
        for (size_t i = children[place].size(); i > 0; --i)
            stack.emplace_back(children[place][i - 1], depth + 1);
    }
    return order;
}

void add_arrows(const Overview& overview, LaneMap& map) {
    const auto lane_at = [&map](const std::optional<size_t>& task) {
        return task && *task < map.lane_of_task.size() ? map.lane_of_task[*task] : LaneMap::kNone;
    };
    for (const analysis::Fork& fork : overview.forks()) {
        if (fork.failed() || !fork.end) continue;
        const size_t child = lane_at(fork.child.task);
        size_t parent = lane_at(fork.parent.task);
        if (child == LaneMap::kNone) continue;
        if (parent == LaneMap::kNone) parent = child;
        map.arrows.push_back({fork.number, parent, child, fork.begin.icount, fork.end->icount,
                              fork.begin.event, analysis::kind_of(fork)});
    }
}

}  // namespace

LaneMap lanes_of(const Overview& overview, uint64_t first, uint64_t last) {
    LaneMap map;
    const auto& tasks = overview.tasks().all();
    map.lane_of_task.assign(tasks.size(), LaneMap::kNone);
    for (const auto& [place, depth] : families(tasks)) {
        TaskLane lane = lane_of(tasks[place], place, depth, overview.last_icount());
        if (lane.end < first || lane.begin > last) continue;
        if (map.lanes.size() == kMostLanes) {
            ++map.left_out;
            continue;
        }
        map.lane_of_task[place] = map.lanes.size();
        map.lanes.push_back(std::move(lane));
    }
    add_arrows(overview, map);
    return map;
}

std::string wait_text(const Wait& wait, const analysis::TaskTable& tasks) {
    std::string text = "waits in " + tools::syscall_name(wait.call);
    if (wait.on != 0) text += " for " + tasks.label(wait.on);
    return text;
}

}  // namespace forkscope::panels
