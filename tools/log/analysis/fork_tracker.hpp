// Finds the forks in a log: give it the events of its kinds, in order. A guest's announcements delimit and
// name a call; a guest that announces nothing is told by its system calls (Linux numbers) and its roots.
#pragma once

#include <cstdint>
#include <unordered_map>
#include <unordered_set>

#include "tools/log/analysis/actor.hpp"
#include "tools/log/analysis/child_tables.hpp"
#include "tools/log/analysis/cow_tracker.hpp"

namespace forkscope::analysis {

class ForkTracker {
public:
    static constexpr log::KindMask kKinds =
        log::Replay::kKinds | TaskTable::kKinds | log::mask_of(log::EventKind::PageFault) |
        log::mask_of(log::EventKind::FaultResolved) | log::mask_of(log::EventKind::Flush) |
        log::mask_of(log::EventKind::Syscall) | log::mask_of(log::EventKind::SyscallReturn);

    // Details are kept of this fork (from 1), if one is named.
    explicit ForkTracker(std::optional<uint64_t> detailed = std::nullopt);
    ForkTracker(const ForkTracker&) = delete;
    ForkTracker& operator=(const ForkTracker&) = delete;

    void apply(const log::Event& event, uint64_t number);
    // After the last event; what is still under way is closed as it stands.
    void finish();

    [[nodiscard]] const std::vector<Fork>& forks() const { return book_.forks; }
    [[nodiscard]] const TaskTable& tasks() const { return tasks_; }
    [[nodiscard]] const log::Replay& replay() const { return replay_; }

private:
    // A call under way, and afterwards until its caller is seen in user mode.
    struct Call {
        size_t fork = 0;
        bool ended = false;
        CoveredPages fresh;  // protected by it
        CoveredPages fresh_tables;
        std::unordered_set<uint64_t> unflushed;  // of these, what no flush has covered yet
    };

    void announced(const log::Event& event, uint64_t number);
    void system_call(const log::Event& event, uint64_t number);
    void system_call_returns(const log::Event& event, uint64_t number);
    void begin(const log::Event& event, uint64_t number, uint32_t tid, ForkSource source, uint64_t flags);
    void end(const log::Event& event, uint64_t number, uint32_t tid, int64_t result, uint64_t child_root);
    void abandon(Actor actor);
    void entry_written(const log::Event& event, uint64_t number);
    [[nodiscard]] bool written_by_call(Call& call, const log::Event& event, uint64_t number);
    void flushed(const log::Event& event, uint64_t number);
    void in_user_mode(Actor actor);
    void task_made(const log::Event& event);
    void space_gone(uint64_t root);
    void tell_ends(ForkSide& side, uint64_t since);

    ForkBook book_;
    TaskTable tasks_;
    log::Replay replay_;
    CowTracker cow_;
    ChildTables children_;
    std::unordered_map<Actor, Call> calls_;
    std::unordered_map<uint32_t, size_t> unnamed_children_;  // tid -> fork: not announced yet
    bool guest_announces_forks_ = false;
};

}  // namespace forkscope::analysis
