// Page faults from the refusal to the access that went through: what refused, and what became of it.
#pragma once

#include <cstdint>
#include <deque>
#include <map>
#include <optional>
#include <string>
#include <unordered_map>
#include <vector>

#include "emu/base/address.hpp"
#include "emu/log/event_filter.hpp"
#include "tools/log/analysis/actor.hpp"
#include "tools/log/analysis/task_table.hpp"

namespace forkscope::analysis {

// Why the CPU refused: the one bit that stood in the way (Intel SDM vol. 3A, 4.7 "Page-Fault Exceptions").
enum class Refusal : uint8_t {
    NotPresent,  // P is clear
    ReadOnly,    // a write, and W is clear
    Supervisor,  // user code, and U is clear
    NoExecute,   // a fetch, and NX is set
    Reserved,    // a bit that must be 0 is set
    Smap,        // the kernel's access to a page of user space, while it may not (CR4.SMAP)
    Smep,        // the kernel's fetch from a page of user space (CR4.SMEP)
    NoRoot,      // there was no table to look into
    Other,       // protection keys, shadow stacks
};
inline constexpr size_t kRefusals = 9;
[[nodiscard]] Refusal refusal_of(const log::Event& fault);

// How it ended.
enum class FaultEnd : uint8_t {
    Mapped,      // there is an entry now
    Copied,      // another frame, writable
    MadeUsable,  // the same frame, with more rights
    Spurious,    // the access went through and the entry was as it is: another access had mended it
    Killed,      // the task ended before it went through
    Open,        // neither was seen
};

struct Fault {
    log::Event event;
    uint64_t number = 0;
    std::string name;     // of the task
    std::string program;  // whose code it was, for user code
    Refusal refusal = Refusal::NotPresent;
    FaultEnd end = FaultEnd::Open;
    std::optional<When> resolved;
    uint64_t leaf = 0;  // entry that maps the page when the access went through
    std::optional<TaskExit> exit;
};

class FaultBook {
public:
    static constexpr log::KindMask kKinds = TaskTable::kKinds | log::mask_of(log::EventKind::PageFault) |
                                            log::mask_of(log::EventKind::FaultResolved);

    // `tasks`: as they are before the first event that comes.
    FaultBook(log::EventFilter filter, TaskTable tasks)
        : filter_(std::move(filter)), tasks_(std::move(tasks)) {}

    void apply(const log::Event& event, uint64_t number);

    // The earliest fault that was not taken yet, if its end is known, or if `at_end`: no more events come.
    [[nodiscard]] std::optional<Fault> take(bool at_end);
    // The same in the order in which their ends are known, so that one that never ends keeps no other back.
    // Use this or take(), not both.
    [[nodiscard]] std::optional<Fault> take_any(bool at_end);
    [[nodiscard]] bool waits() const { return !faults_.empty(); }
    [[nodiscard]] const TaskTable& tasks() const { return tasks_; }

private:
    // More than a task can have under way; what is older was given up (a signal handler that jumps away).
    static constexpr size_t kMaxOpen = 8;

    void fault(const log::Event& event, uint64_t number);
    void resolved(const log::Event& event, uint64_t number);
    void task_ends(const log::Event& event, uint64_t number);

    struct Entry {
        Fault fault;
        bool done = false;
    };
    [[nodiscard]] Entry& at(uint64_t place) { return faults_.at(place); }
    void done(uint64_t place) {
        at(place).done = true;
        done_.push_back(place);
    }

    log::EventFilter filter_;
    TaskTable tasks_;
    std::map<uint64_t, Entry> faults_;  // that were not taken, by place: their number of all
    uint64_t places_ = 0;               // given so far
    std::unordered_map<Actor, std::vector<uint64_t>> open_;  // places
    std::deque<uint64_t> done_;  // places; those that are still in faults_ can be taken
};

}  // namespace forkscope::analysis
