// Following switches and system calls.
#include "tools/panels/model/waits.hpp"

#include <algorithm>
#include <array>

#include "guest/abi/event_port.hpp"

namespace forkscope::panels {

using log::Event;
using log::EventKind;

namespace {

constexpr uint64_t kVfork = 58;
constexpr uint64_t kClone = 56;
constexpr uint64_t kClone3 = 435;
constexpr uint64_t kWait4 = 61;
constexpr uint64_t kWaitid = 247;
// read, poll, select, pause, nanosleep, futex, clock_nanosleep, epoll_wait, rt_sigsuspend, msgrcv, semop
constexpr std::array<uint64_t, 11> kOthers = {0, 7, 23, 34, 35, 202, 230, 232, 130, 70, 65};

}  // namespace

bool waits_for_task(uint64_t number) {
    return number == kVfork || number == kClone || number == kClone3 || number == kWait4;
}

bool can_wait_in(uint64_t number) {
    return waits_for_task(number) || number == kWaitid || std::ranges::find(kOthers, number) != kOthers.end();
}

void WaitBook::apply(const Event& e, uint64_t number, const analysis::TaskTable& tasks) {
    switch (e.kind) {
        case EventKind::Syscall: {
            const auto task = tasks.find(e.task);
            if (!can_wait_in(e.a) || e.task == 0 || !task) return;
            open_[e.task] = {{static_cast<uint32_t>(*task), e.icount, 0, e.a, 0, number}, false};
            return;
        }
        case EventKind::SyscallReturn: {
            const bool made_it = static_cast<int64_t>(e.b) > 0 && waits_for_task(e.a);
            return close(e.task, e.icount, made_it ? static_cast<uint32_t>(e.b) : 0);
        }
        case EventKind::Announce:
            if (e.aux == static_cast<uint16_t>(abi::Announcement::TaskSwitch)) switched(e, tasks);
            if (e.aux == static_cast<uint16_t>(abi::Announcement::TaskExit))
                close(static_cast<uint32_t>(e.a), e.icount, 0);
            return;
        default:
            return;
    }
}

void WaitBook::close(uint32_t tid, uint64_t icount, uint32_t on) {
    const auto found = open_.find(tid);
    if (found == open_.end()) return;
    Wait wait = found->second.wait;
    const bool waited = found->second.lost_cpu;
    open_.erase(found);
    if (!waited) return;
    wait.end = icount;
    wait.on = on;
    if (waits_.size() < kMostWaits) {
        waits_.push_back(wait);
    } else {
        ++left_out_;
    }
}

void WaitBook::switched(const Event& e, const analysis::TaskTable& tasks) {
    if (const auto open = open_.find(static_cast<uint32_t>(e.b)); open != open_.end())
        open->second.lost_cpu = true;
    Running& running = running_[e.cpu];
    if (running.known && e.icount > running.since) {
        if (runs_.size() < kMostRuns) {
            runs_.push_back({running.task, running.since, e.icount});
        } else {
            ++left_out_;
        }
    }
    const auto task = tasks.find(static_cast<uint32_t>(e.a));
    running = {static_cast<uint32_t>(task.value_or(0)), e.icount, task.has_value()};
}

}  // namespace forkscope::panels
