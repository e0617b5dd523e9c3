// Slices of tasks.
#include "tools/log/export/trace_tasks.hpp"

#include <algorithm>
#include <array>

#include "guest/abi/event_port.hpp"
#include "tools/log/text/decode.hpp"
#include "tools/log/text/entry_text.hpp"
#include "tools/log/text/fault_text.hpp"

namespace forkscope::tools {

using abi::Announcement;
using log::Event;
using log::EventKind;

namespace {

// A space of a guest that names no tasks is shown as a process; the viewer wants numbers of 31 bits.
[[nodiscard]] int64_t pid_of_root(uint64_t root) {
    return static_cast<int64_t>(root >> kPageShift & 0x7fff'ffff);
}
[[nodiscard]] int64_t pid_of(uint32_t tid) { return static_cast<int64_t>(tid & 0x7fff'ffff); }

}  // namespace

TraceTasks::Track& TraceTasks::track_of(uint32_t tid, uint64_t root) {
    const auto task = tasks_.find(tid);
    Track& track = task ? by_task_[*task] : by_root_[root];
    if (track.process == 0) describe(track, task, root);
    return track;
}

void TraceTasks::describe(Track& track, std::optional<size_t> task, uint64_t root) {
    track.process = next_track_++;
    track.thread = next_track_++;
    if (!task) {
        const std::string name = analysis::party_label(0, {}, root);
        trace_.process(track.process, pid_of_root(root), name);
        trace_.thread(track.thread, pid_of_root(root), pid_of_root(root), name);
        return;
    }
    const analysis::Task& told = all_.all()[*task];
    const uint32_t tgid = told.tgid != 0 ? told.tgid : told.tid;
    const std::string name = told.name.empty() ? analysis::party_label(told.tid, {}, 0) : told.name;
    // The threads of a process share its track.
    if (tgid == told.tid) trace_.process(track.process, pid_of(tgid), name);
    trace_.thread(track.thread, pid_of(tgid), pid_of(told.tid), name);
    if (tgid != told.tid) track.process = track.thread;
}

void TraceTasks::begin(Track& track, uint64_t ns, Open sort, uint64_t key, const char* category,
                       std::string_view name, std::span<const Fact> facts) {
    trace_.begin(track.thread, ns, category, name, facts);
    track.open.push_back({sort, key});
    ++slices_;
}

// With what is still open in it: a fault that never went through, for one. Nothing, if it is not open.
void TraceTasks::end(Track& track, uint64_t ns, Open sort, uint64_t key) {
    const auto is_it = [&](const OpenSlice& slice) { return slice.sort == sort && slice.key == key; };
    if (std::ranges::none_of(track.open, is_it)) return;
    for (bool last = false; !last; track.open.pop_back()) {
        last = is_it(track.open.back());
        trace_.end(track.thread, ns);
    }
}

void TraceTasks::end_all(Track& track, uint64_t ns) {
    for (; !track.open.empty(); track.open.pop_back()) trace_.end(track.thread, ns);
}

void TraceTasks::program(Track& track, uint64_t ns, std::string_view name, Flow flow) {
    // A thread's lane is for its calls; its program is its process's.
    if (track.process == track.thread) return;
    if (track.runs_program) trace_.end(track.process, ns);
    trace_.begin(track.process, ns, "program", name, {}, flow);
    track.runs_program = true;
    ++slices_;
}

void TraceTasks::created(const Event& e, uint64_t ns) {
    const auto tid = static_cast<uint32_t>(e.a);
    Track& child = track_of(tid, e.root);
    Track& parent = track_of(static_cast<uint32_t>(e.b), e.root);
    const std::string flags = clone_flags_text(e.pa);
    const std::array facts{number_fact("child", e.a), text_fact("flags", flags)};
    const uint64_t arrow = child.thread;
    trace_.instant(parent.thread, ns, "task", fmt::format("creates task {}", tid), facts, {arrow, 0});
    program(child, ns, all_.all()[*tasks_.find(tid)].first_name, {0, arrow});
}

void TraceTasks::announced(const Event& e, uint64_t ns) {
    const auto tid = static_cast<uint32_t>(e.a);
    switch (static_cast<Announcement>(e.aux)) {
        case Announcement::TaskCreate:
            return created(e, ns);
        case Announcement::TaskExec: {
            Track& track = track_of(tid, e.pa);
            const std::string name = analysis::comm_of(e.b, e.va);
            const std::array facts{address_fact("root", e.pa)};
            trace_.instant(track.thread, ns, "task", "exec " + name, facts);
            return program(track, ns, name);
        }
        case Announcement::TaskExit: {
            Track& track = track_of(tid, e.root);
            end_all(track, ns);
            trace_.instant(track.thread, ns, "task", wait_status_text(static_cast<uint32_t>(e.b)));
            if (track.runs_program) trace_.end(track.process, ns);
            track.runs_program = false;
            return;
        }
        case Announcement::ForkBegin: {
            const std::string flags = clone_flags_text(e.b);
            const std::array facts{text_fact("flags", flags), address_fact("root", e.va)};
            return begin(track_of(tid, e.va), ns, Open::Fork, 0, "fork", "fork", facts);
        }
        case Announcement::ForkEnd:
            return end(track_of(tid, e.root), ns, Open::Fork, 0);
        default:
            return;
    }
}

void TraceTasks::fault(const Event& e, uint64_t ns) {
    Track& track = track_of(e.task, e.root);
    const std::string error = error_code_text(e.a);
    const auto refusal = analysis::refusal_of(e);
    const CodeName& code = codes_.of(e.rip, e.cpl, e.cpl == 3 ? tasks_.program_of(e) : "");
    const std::array facts{address_fact("address", e.va),
                           text_fact("error", error),
                           text_fact("refused", refusal_words(refusal)),
                           number_fact("level", e.level),
                           address_fact("rip", e.rip),
                           text_fact("code", code.name)};
    // User code runs: whatever was open is over.
    if (e.cpl == 3) end_all(track, ns);
    begin(track, ns, Open::Fault, e.va >> kPageShift, "fault",
          fmt::format("fault: {}", refusal_name(refusal)), facts);
}

void TraceTasks::apply(const Event& e, uint64_t number, uint64_t ns, bool told) {
    tasks_.apply(e, number);
    if (!told) return;
    switch (e.kind) {
        case EventKind::Announce:
            return announced(e, ns);
        case EventKind::Syscall: {
            Track& track = track_of(e.task, e.root);
            end_all(track, ns);
            const std::array facts{address_fact("argument 1", e.b), address_fact("argument 2", e.va),
                                   address_fact("argument 3", e.pa)};
            return begin(track, ns, Open::Syscall, e.a, "syscall", syscall_name(e.a), facts);
        }
        case EventKind::SyscallReturn:
            return end(track_of(e.task, e.root), ns, Open::Syscall, e.a);
        case EventKind::PageFault:
            return fault(e, ns);
        case EventKind::FaultResolved:
            return end(track_of(e.task, e.root), ns, Open::Fault, e.va >> kPageShift);
        default:
            return;
    }
}

}  // namespace forkscope::tools
