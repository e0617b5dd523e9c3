// Who ran when, and who waited for whom: found in system calls during which the task lost the CPU.
#pragma once

#include <cstddef>
#include <cstdint>
#include <unordered_map>
#include <vector>

#include "emu/log/event.hpp"
#include "emu/log/recorder.hpp"
#include "tools/log/analysis/task_table.hpp"

namespace forkscope::panels {

// A task is named by its place in TaskTable::all().
struct Run {
    uint32_t task = 0;
    uint64_t begin = 0;  // instruction counts
    uint64_t end = 0;
};

struct Wait {
    uint32_t task = 0;
    uint64_t begin = 0;  // instruction counts
    uint64_t end = 0;    // 0: it still waits
    uint64_t call = 0;   // number of the system call
    uint32_t on = 0;     // tid that it waited for; 0: something else
    uint64_t event = 0;  // number of the call's event
};

class WaitBook {
public:
    static constexpr log::KindMask kKinds = log::mask_of(log::EventKind::Announce) |
                                            log::mask_of(log::EventKind::Syscall) |
                                            log::mask_of(log::EventKind::SyscallReturn);
    static constexpr size_t kMostRuns = 1'000'000;
    static constexpr size_t kMostWaits = 300'000;

    // `tasks` must have taken in the event already.
    void apply(const log::Event& event, uint64_t number, const analysis::TaskTable& tasks);

    [[nodiscard]] const std::vector<Run>& runs() const { return runs_; }
    [[nodiscard]] const std::vector<Wait>& waits() const { return waits_; }
    [[nodiscard]] uint64_t left_out() const { return left_out_; }

private:
    struct Open {
        Wait wait;
        bool lost_cpu = false;
    };
    struct Running {
        uint32_t task = 0;
        uint64_t since = 0;
        bool known = false;
    };
    void switched(const log::Event& event, const analysis::TaskTable& tasks);
    void close(uint32_t tid, uint64_t icount, uint32_t on);

    std::vector<Run> runs_;
    std::vector<Wait> waits_;
    std::unordered_map<uint32_t, Open> open_;        // by tid
    std::unordered_map<unsigned, Running> running_;  // by CPU
    uint64_t left_out_ = 0;
};

// Calls in which a task can wait; system calls of Linux on x86-64.
[[nodiscard]] bool can_wait_in(uint64_t number);
// Of these, those whose result is the tid that was waited for.
[[nodiscard]] bool waits_for_task(uint64_t number);

}  // namespace forkscope::panels
