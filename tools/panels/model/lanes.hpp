// Tasks as lanes, children below their parents, in the order in which a family is drawn.
#pragma once

#include <cstdint>
#include <string>
#include <vector>

#include "tools/panels/model/overview.hpp"

namespace forkscope::panels {

struct TaskLane {
    size_t task = 0;  // place in TaskTable::all()
    uint32_t tid = 0;
    unsigned depth = 0;
    std::string label;   // "sh[3]"
    std::string names;   // "sh > busybox"
    uint64_t begin = 0;  // instruction counts
    uint64_t end = 0;    // of the last event read, while it lives
    bool ended = false;
    std::string ending;  // "exit 0"
    uint64_t exit_event = 0;
    bool thread = false;  // of another task's group
};

struct ForkArrow {
    uint64_t number = 0;  // of the fork
    size_t parent = 0;    // lanes
    size_t child = 0;
    uint64_t begin = 0;  // of the call; instruction counts
    uint64_t end = 0;
    uint64_t event = 0;     // number of its first
    const char* kind = "";  // "fork", "vfork", "thread", "clone"
};

struct LaneMap {
    static constexpr size_t kNone = ~size_t{0};

    std::vector<TaskLane> lanes;
    std::vector<ForkArrow> arrows;     // by begin
    std::vector<size_t> lane_of_task;  // by place of the task; kNone: it is not shown
    uint64_t left_out = 0;             // tasks
};

inline constexpr size_t kMostLanes = 5'000;

// Of the tasks that live at some time in the range of instructions.
[[nodiscard]] LaneMap lanes_of(const Overview& overview, uint64_t first, uint64_t last);

// "waits in wait4 for forkscope-demo[2]"
[[nodiscard]] std::string wait_text(const Wait& wait, const analysis::TaskTable& tasks);

}  // namespace forkscope::panels
