// Keeping track of tasks.
#include "tools/log/analysis/task_table.hpp"

#include <fmt/format.h>

#include <algorithm>
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
    // Whoever announces something runs in its own space, as long as nobody says better.
    if (e.task != 0 && e.aux != static_cast<uint16_t>(Announcement::TaskSwitch)) {
        const auto runs = find(e.task);
        if (runs && tasks_[*runs].root == 0) tasks_[*runs].root = e.root;
    }
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
            task.root = e.pa;
            programs_[e.pa] = task.name;
            break;
        }
        case Announcement::ForkBegin:
            get(e.a).root = e.va;
            break;
        case Announcement::ForkEnd:
            if (static_cast<int64_t>(e.b) <= 0) break;
            get(e.b).root = e.va;
            if (e.va != e.root) programs_[e.va] = std::string(program_in(e.root));
            break;
        case Announcement::MmDestroy:
            programs_.erase(e.a);
            break;
        case Announcement::TaskExit:
            get(e.a).exit = TaskExit{now, static_cast<uint32_t>(e.b)};
            break;
        case Announcement::TaskReap: {
            const auto by = static_cast<uint32_t>(e.b);
            const auto reaper = find(by);
            get(e.a).reap = TaskReap{now, by, reaper ? tasks_[*reaper].name : std::string()};
            break;
        }
        default:
            break;
    }
}

std::optional<size_t> TaskTable::find(uint32_t tid) const {
    const auto found = last_.find(tid);
    if (found == last_.end()) return std::nullopt;
    return found->second;
}

void append_living(const TaskTable& tasks, std::vector<log::Event>& events) {
    const auto add = [&events](Announcement what, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3) {
        log::Event& e = events.emplace_back();
        e.kind = log::EventKind::Announce;
        e.aux = static_cast<uint16_t>(what);
        e.a = w0;
        e.b = w1;
        e.va = w2;
        e.pa = w3;
    };
    const auto words_of = [](std::string_view name) {
        std::array<uint64_t, 2> words{};
        // A name that is not known has no bytes to copy from.
        if (!name.empty()) std::memcpy(words.data(), name.data(), std::min(name.size(), sizeof(words)));
        return words;
    };
    for (size_t place = 0; place < tasks.all().size(); ++place) {
        const Task& task = tasks.all()[place];
        if (task.reap || tasks.find(task.tid) != place) continue;
        add(Announcement::TaskCreate, task.tid, task.parent, task.tgid, task.flags);
        const std::string_view program = tasks.program_in(task.root);
        const auto program_words = words_of(program);
        if (!program.empty())
            add(Announcement::TaskExec, task.tid, program_words[0], program_words[1], task.root);
        else if (task.root != 0)
            add(Announcement::ForkBegin, task.tid, 0, task.root, 0);
        const auto name = words_of(task.name);
        if (!task.name.empty()) add(Announcement::TaskName, task.tid, name[0], name[1], 0);
        if (task.exit) add(Announcement::TaskExit, task.tid, task.exit->status, 0, 0);
    }
}

std::string TaskTable::space_label(uint64_t root) const {
    const Task* first = nullptr;
    size_t more = 0;
    for (const Task& task : tasks_) {
        const auto latest = last_.find(task.tid);
        const bool lives = !task.exit && latest != last_.end() && &tasks_[latest->second] == &task;
        if (!lives || task.root != root || task.tid == 0) continue;
        if (first == nullptr) {
            first = &task;
        } else {
            ++more;
        }
    }
    if (first == nullptr) return party_label(0, {}, root);
    const std::string label = party_label(first->tid, first->name, root);
    return more == 0 ? label : fmt::format("{} and {} more", label, more);
}

std::string_view TaskTable::program_in(uint64_t root) const {
    const auto found = programs_.find(root);
    return found == programs_.end() ? std::string_view() : found->second;
}

std::string_view TaskTable::program_of(const log::Event& event) const {
    const std::string_view program = program_in(event.root);
    if (!program.empty()) return program;
    const auto place = find(event.task);
    return place ? std::string_view(tasks_[*place].name) : std::string_view();
}

std::string TaskTable::label(uint32_t tid) const {
    const auto place = find(tid);
    return party_label(tid, place ? tasks_[*place].name : std::string(), 0);
}

std::string TaskTable::label(const log::Event& event) const {
    return event.task == 0 ? party_label(0, {}, event.root) : label(event.task);
}

}  // namespace forkscope::analysis
