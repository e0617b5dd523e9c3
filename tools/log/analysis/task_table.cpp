// Keeping track of tasks.
#include "tools/log/analysis/task_table.hpp"

#include <fmt/format.h>

#include <array>
#include <cstring>

#include "guest/abi/event_port.hpp"

namespace forkscope::analysis {

using abi::Announcement;

const TaskExec* Task::exec_after(uint64_t event) const {
    for (const TaskExec& exec : execs)
        if (exec.when.event >= event) return &exec;
    return nullptr;
}

std::string comm_of(uint64_t low, uint64_t high) {
    std::array<char, 16> bytes;
    std::memcpy(bytes.data(), &low, 8);
    std::memcpy(bytes.data() + 8, &high, 8);
    std::string name(bytes.data(), strnlen(bytes.data(), bytes.size()));
    // It comes from the guest and goes to terminals.
    for (char& c : name)
        if (c < ' ' || c > '~') c = '?';
    return name;
}

std::string party_label(uint32_t tid, const std::string& name, uint64_t root) {
    if (tid == 0) return fmt::format("root {:#x}", root);
    return name.empty() ? fmt::format("task {}", tid) : fmt::format("{}[{}]", name, tid);
}

Task& TaskTable::add(uint32_t tid) {
    last_[tid] = tasks_.size();
    Task& task = tasks_.emplace_back();
    task.tid = tid;
    return task;
}

Task& TaskTable::get(uint64_t tid_word) {
    const auto tid = static_cast<uint32_t>(tid_word);
    const auto found = last_.find(tid);
    return found != last_.end() ? tasks_[found->second] : add(tid);
}

void TaskTable::apply(const log::Event& e, uint64_t number) {
    if (e.kind != log::EventKind::Announce) return;
    const When now{number, e.icount};
    switch (static_cast<Announcement>(e.aux)) {
        case Announcement::TaskCreate: {
            // A tid that is announced again belongs to a new task, whether or not the old one was reaped.
            Task& task = add(static_cast<uint32_t>(e.a));
            task.parent = static_cast<uint32_t>(e.b);
            task.tgid = static_cast<uint32_t>(e.va);
            task.flags = e.pa;
            task.created = now;
            break;
        }
        case Announcement::TaskName: {
            Task& task = get(e.a);
            task.name = comm_of(e.b, e.va);
            if (task.first_name.empty()) task.first_name = task.name;
            break;
        }
        case Announcement::TaskExec: {
            Task& task = get(e.a);
            task.name = comm_of(e.b, e.va);
            task.execs.push_back({now, task.name, e.pa});
            break;
        }
        case Announcement::TaskExit:
            get(e.a).exit = TaskExit{now, static_cast<uint32_t>(e.b)};
            break;
        case Announcement::TaskReap:
            get(e.a).reap = TaskReap{now, static_cast<uint32_t>(e.b)};
            break;
        default:
            break;
    }
}

std::optional<size_t> TaskTable::find(uint32_t tid) const {
    const auto found = last_.find(tid);
    if (found == last_.end()) return std::nullopt;
    return found->second;
}

std::string TaskTable::label(uint32_t tid) const {
    const auto place = find(tid);
    return party_label(tid, place ? tasks_[*place].name : std::string(), 0);
}

std::string TaskTable::label(const log::Event& event) const {
    return event.task == 0 ? party_label(0, {}, event.root) : label(event.task);
}

}  // namespace forkscope::analysis
