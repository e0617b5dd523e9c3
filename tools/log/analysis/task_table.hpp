// Tasks as the guest announces them: names, families, beginnings and ends. A tid can be used again; each use
// is a task of its own here. Without announcements the table stays empty and everything is told by roots.
#pragma once

#include <cstdint>
#include <optional>
#include <string>
#include <string_view>
#include <unordered_map>
#include <vector>

#include "emu/log/event.hpp"
#include "emu/log/keyframe.hpp"
#include "emu/log/recorder.hpp"

namespace forkscope::analysis {

// A point of the log.
struct When {
    uint64_t event = 0;   // number in the file
    uint64_t icount = 0;  // instructions retired by that CPU
};

struct TaskExec {
    When when;
    std::string name;
    uint64_t root = 0;
};

struct TaskExit {
    When when;
    uint32_t status = 0;  // as wait4 shows it
};

struct TaskReap {
    When when;
    uint32_t by = 0;   // tid
    std::string name;  // of that task at that time
};

struct Task {
    uint32_t tid = 0;
    uint32_t parent = 0;  // tid
    uint32_t tgid = 0;
    uint64_t flags = 0;           // of the clone that made it
    uint64_t root = 0;            // its address space, as last announced; 0: nobody said
    std::optional<When> created;  // nothing: it was there before the log, or nobody said
    std::string name;             // the last one
    std::string first_name;       // before any exec
    std::vector<TaskExec> execs;
    std::optional<TaskExit> exit;
    std::optional<TaskReap> reap;

    // The first exec at or after this event.
    [[nodiscard]] const TaskExec* exec_after(uint64_t event) const;
};

class TaskTable {
public:
    static constexpr log::KindMask kKinds = log::mask_of(log::EventKind::Announce);

    void apply(const log::Event& event, uint64_t number);

    // The task that has this tid now (or had it last), by its place in all(); nothing if it is unknown.
    [[nodiscard]] std::optional<size_t> find(uint32_t tid) const;
    [[nodiscard]] const std::vector<Task>& all() const { return tasks_; }

    // "forkdemo[12]", "task 12" if it has no name.
    [[nodiscard]] std::string label(uint32_t tid) const;
    // The same; an event of a guest that announces nothing is labelled by its address space: "root
    // 0x1234000".
    [[nodiscard]] std::string label(const log::Event& event) const;

    // Who lives in an address space: "forkdemo[12]", "forkdemo[12] and 3 more", "root 0x1234000".
    [[nodiscard]] std::string space_label(uint64_t root) const;

    // The program that was executed in an address space, or in the one that it was forked from; "" if nobody
    // said. A task's name can be changed, by itself, and is no evidence of what code it runs.
    [[nodiscard]] std::string_view program_in(uint64_t root) const;
    // The program whose code the event's instruction is: by its address space, else by its task's name.
    [[nodiscard]] std::string_view program_of(const log::Event& event) const;

private:
    Task& get(uint64_t tid_word);
    Task& add(uint32_t tid);

    std::vector<Task> tasks_;
    std::unordered_map<uint32_t, size_t> last_;           // tid -> place of its latest task
    std::unordered_map<uint64_t, std::string> programs_;  // root -> program
};

// Announcements that, applied to an empty table, tell of the tasks that live or were not reaped.
void append_living(const TaskTable& tasks, std::vector<log::Event>& events);

// Puts the tasks that live into the keyframes of a log.
class TaskKeeper final : public log::StateKeeper {
public:
    void apply(const log::Event& event, uint64_t number) override { tasks_.apply(event, number); }
    void append_state(std::vector<log::Event>& events) const override { append_living(tasks_, events); }

private:
    TaskTable tasks_;
};

// "forkdemo[12]", "task 12", "root 0x1234000".
[[nodiscard]] std::string party_label(uint32_t tid, const std::string& name, uint64_t root);

// A name of 16 bytes, as an announcement carries it in two words.
[[nodiscard]] std::string comm_of(uint64_t low, uint64_t high);

}  // namespace forkscope::analysis
