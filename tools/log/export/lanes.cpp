// Laying out lanes.
#include "tools/log/export/lanes.hpp"

#include <algorithm>

#include "tools/log/text/decode.hpp"

namespace forkscope::tools {

using analysis::Task;

namespace {

[[nodiscard]] uint64_t born(const Task& task) { return task.created ? task.created->icount : 0; }
[[nodiscard]] uint64_t ended(const Task& task) { return task.exit ? task.exit->when.icount : ~uint64_t{0}; }

}  // namespace

void Lanes::add_tasks(const std::vector<Task>& tasks) {
    // A parent is the latest task of its tid before the child.
    std::unordered_map<uint32_t, size_t> latest;
    std::vector<size_t> first;
    for (size_t place = 0; place < tasks.size(); ++place) {
        const auto parent = latest.find(tasks[place].parent);
        if (parent == latest.end() || tasks[place].parent == tasks[place].tid) {
            first.push_back(place);
        } else {
            children_[parent->second].push_back(place);
        }
        latest[tasks[place].tid] = place;
    }
    for (const size_t place : first) add_family(tasks, place, 0);
    children_.clear();
}

// Iterative: a guest can nest as deep as it likes.
void Lanes::add_family(const std::vector<Task>& tasks, size_t place, unsigned depth) {
    std::vector<std::pair<size_t, unsigned>> open{{place, depth}};
    while (!open.empty()) {
        const auto [at, generation] = open.back();
        open.pop_back();
        const auto below = children_.find(at);
        if (below != children_.end())
            for (auto child = below->second.rbegin(); child != below->second.rend(); ++child)
                open.emplace_back(*child, generation + 1);
        const Task& task = tasks[at];
        if (ended(task) < begin_ || born(task) > end_) continue;
        if (lanes_.size() == kMostLanes) {
            ++left_out_;
            continue;
        }
        by_task_[at] = lanes_.size();
        Lane& lane = lanes_.emplace_back();
        lane.label = task.tid == 0 ? task.name : analysis::party_label(task.tid, task.name, task.root);
        lane.begin = std::max(begin_, born(task));
        lane.end = std::min(end_, ended(task));
        lane.depth = generation;
        for (const analysis::TaskExec& exec : task.execs)
            lane.execs.emplace_back(exec.when.icount, exec.name);
        if (task.exit) lane.ending = wait_status_text(task.exit->status);
    }
}

Lanes::Lane* Lanes::lane_of_root(uint64_t root, uint64_t icount) {
    const auto found = by_root_.find(root);
    if (found != by_root_.end()) return &lanes_[found->second];
    if (lanes_.size() == kMostLanes) return nullptr;
    by_root_[root] = lanes_.size();
    Lane& lane = lanes_.emplace_back();
    lane.label = analysis::party_label(0, {}, root);
    lane.begin = icount;
    return &lane;
}

void Lanes::add_fault(const analysis::Fault& fault, std::optional<size_t> task) {
    const uint64_t icount = fault.event.icount;
    Lane* lane = nullptr;
    if (task) {
        const auto found = by_task_.find(*task);
        if (found != by_task_.end()) lane = &lanes_[found->second];
    } else {
        lane = lane_of_root(fault.event.root, icount);
        if (lane != nullptr) lane->end = std::max(lane->end, icount);
    }
    if (lane == nullptr) return;
    FaultSort sort = FaultSort::Other;
    if (fault.end == analysis::FaultEnd::Mapped) sort = FaultSort::Mapped;
    if (fault.end == analysis::FaultEnd::Copied) sort = FaultSort::Copied;
    if (fault.end == analysis::FaultEnd::MadeUsable) sort = FaultSort::MadeUsable;
    const unsigned __int128 span = end_ - begin_ + 1;
    const auto column = static_cast<uint32_t>((icount - std::min(icount, begin_)) * kColumns / span);
    ++lane->faults[std::min<uint32_t>(column, kColumns - 1)][static_cast<size_t>(sort)];
}

size_t Lanes::lane_of(const analysis::ForkSide& side) const {
    if (side.task) {
        const auto found = by_task_.find(*side.task);
        return found == by_task_.end() ? 0 : found->second + 1;
    }
    const auto found = by_root_.find(side.root);
    return found == by_root_.end() ? 0 : found->second + 1;
}

}  // namespace forkscope::tools
