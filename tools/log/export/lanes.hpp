// The timeline of the report: a lane a task (or an address space, where the guest announces no tasks), with
// what happened in it; page faults are counted in columns of time.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <unordered_map>
#include <vector>

#include "tools/log/analysis/fault_book.hpp"
#include "tools/log/analysis/fork.hpp"

namespace forkscope::tools {

class Lanes {
public:
    static constexpr size_t kMostLanes = 200;
    static constexpr uint64_t kColumns = 480;

    enum class FaultSort : uint8_t { Mapped, Copied, MadeUsable, Other };
    static constexpr size_t kFaultSorts = 4;
    using FaultCounts = std::array<uint32_t, kFaultSorts>;

    struct Lane {
        std::string label;
        uint64_t begin = 0;  // instruction counts
        uint64_t end = 0;
        unsigned depth = 0;  // generations from the first ancestor
        std::vector<std::pair<uint64_t, std::string>> execs;
        std::string ending;                      // "exit 0", "" while it lives
        std::map<uint32_t, FaultCounts> faults;  // by column
    };

    // Columns divide this range.
    Lanes(uint64_t begin, uint64_t end) : begin_(begin), end_(end) {}

    // Lanes of all tasks that lived in the range, children below their parents.
    void add_tasks(const std::vector<analysis::Task>& tasks);
    // By the place of its task in that list, or none: then by its root.
    void add_fault(const analysis::Fault& fault, std::optional<size_t> task);
    // The lane of a side of a fork, by its number from 1; 0: none is shown.
    [[nodiscard]] size_t lane_of(const analysis::ForkSide& side) const;

    [[nodiscard]] const std::vector<Lane>& all() const { return lanes_; }
    [[nodiscard]] uint64_t left_out() const { return left_out_; }
    [[nodiscard]] uint64_t begin() const { return begin_; }
    [[nodiscard]] uint64_t end() const { return end_; }

private:
    void add_family(const std::vector<analysis::Task>& tasks, size_t place, unsigned depth);
    [[nodiscard]] Lane* lane_of_root(uint64_t root, uint64_t icount);

    uint64_t begin_;
    uint64_t end_;
    std::vector<Lane> lanes_;
    std::unordered_map<size_t, size_t> by_task_;  // place in the list of tasks -> lane
    std::unordered_map<uint64_t, size_t> by_root_;
    std::unordered_map<size_t, std::vector<size_t>> children_;  // while tasks are added
    uint64_t left_out_ = 0;
};

}  // namespace forkscope::tools
