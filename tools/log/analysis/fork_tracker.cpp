// Delimiting forks, and handing each event to those whom it concerns.
#include "tools/log/analysis/fork_tracker.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "guest/abi/clone.hpp"
#include "guest/abi/event_port.hpp"

namespace forkscope::analysis {

using abi::Announcement;
using log::Event;
using log::EventKind;

namespace {

// Linux system-call numbers of x86-64.
constexpr uint64_t kSysClone = 56;
constexpr uint64_t kSysFork = 57;
constexpr uint64_t kSysVfork = 58;
constexpr uint64_t kSigChld = 17;

[[nodiscard]] std::optional<uint64_t> fork_flags(const Event& e) {
    switch (e.a) {
        case kSysClone:
            return e.b;
        case kSysFork:
            return kSigChld;
        case kSysVfork:
            return abi::kCloneVfork | abi::kCloneVm | kSigChld;
        default:
            return std::nullopt;
    }
}

[[nodiscard]] bool by_hardware(const Event& e) {
    return e.cause == log::Cause::HardwareAccessed || e.cause == log::Cause::HardwareDirty;
}

}  // namespace

ForkTracker::ForkTracker(std::optional<uint64_t> detailed)
    : cow_(book_, tasks_, replay_), children_(book_, cow_.spaces(), replay_) {
    book_.detailed = detailed;
}

void ForkTracker::apply(const Event& e, uint64_t number) {
    if (e.kind != EventKind::TableLink && e.kind != EventKind::PteFound) children_.burst_over();
    if (e.cpl == 3 && !calls_.empty()) in_user_mode(Actor::of(e));
    switch (e.kind) {
        case EventKind::PteWrite:
            entry_written(e, number);
            break;
        case EventKind::TableLink:
            children_.table_linked(e, number);
            break;
        case EventKind::PteFound:
            children_.entry_found(e);
            cow_.entry_found(e);
            break;
        case EventKind::TableUnlink:
            children_.table_unlinked(e);
            if (e.level == log::kTopLevel && e.a == 0) space_gone(e.pa);
            break;
        case EventKind::RootDeath:
            space_gone(e.pa);
            break;
        case EventKind::Flush:
            flushed(e, number);
            break;
        case EventKind::PageFault:
            cow_.fault(e, number);
            break;
        case EventKind::FaultResolved:
            cow_.resolved(e, number);
            break;
        case EventKind::Announce:
            announced(e, number);
            break;
        case EventKind::Syscall:
            system_call(e, number);
            break;
        case EventKind::SyscallReturn:
            system_call_returns(e, number);
            break;
        default:
            break;
    }
    replay_.apply(e, number);
}

void ForkTracker::announced(const Event& e, uint64_t number) {
    tasks_.apply(e, number);
    const auto tid = static_cast<uint32_t>(e.a);
    switch (static_cast<Announcement>(e.aux)) {
        case Announcement::TaskCreate:
            task_made(e);
            break;
        case Announcement::ForkBegin: {
            guest_announces_forks_ = true;
            begin(e, number, tid, ForkSource::Announced, e.b);
            if (e.va != 0 && e.va != e.root)
                book_.note(book_.forks.size() - 1,
                           fmt::format("the guest says that the caller's root is {:#x}, but CR3 "
                                       "holds {:#x}",
                                       e.va, e.root));
            break;
        }
        case Announcement::ForkEnd:
            end(e, number, tid, static_cast<int64_t>(e.b), e.va);
            break;
        case Announcement::CowBreak:
            cow_.announced_break(e, number);
            break;
        case Announcement::TaskExit:
            cow_.give_up(Actor::task(tid));
            abandon(Actor::task(tid));
            break;
        case Announcement::TaskExec:
            cow_.give_up(Actor::task(tid));
            break;
        case Announcement::MmDestroy:
            space_gone(e.a);
            break;
        default:
            break;
    }
}

void ForkTracker::system_call(const Event& e, uint64_t number) {
    const auto flags = guest_announces_forks_ || e.task != 0 ? std::nullopt : fork_flags(e);
    if (flags && !calls_.contains(Actor::of(e))) begin(e, number, 0, ForkSource::SystemCall, *flags);
}

// The child's own return, with 0, comes in its own space or, where memory is shared, in the same one.
void ForkTracker::system_call_returns(const Event& e, uint64_t number) {
    const auto call = calls_.find(Actor::of(e));
    if (call == calls_.end() || e.b == 0 || !fork_flags(e)) return;
    if (book_.forks[call->second.fork].source != ForkSource::SystemCall || call->second.ended) return;
    end(e, number, 0, static_cast<int64_t>(e.b), 0);
    in_user_mode(Actor::of(e));
}

void ForkTracker::begin(const Event& e, uint64_t number, uint32_t tid, ForkSource source, uint64_t flags) {
    abandon(Actor::of(e));
    Fork& fork = book_.forks.emplace_back();
    fork.number = book_.forks.size();
    fork.source = source;
    fork.cpu = e.cpu;
    fork.begin = {number, e.icount};
    fork.caller_rip = e.rip;
    fork.flags = flags;
    fork.parent.root = e.root;
    fork.parent.tid = tid;
    fork.parent.task = tasks_.find(tid);
    if (fork.parent.task) fork.parent.name = tasks_.all()[*fork.parent.task].name;
    calls_[Actor::of(e)] = {book_.forks.size() - 1, false, {}, {}, {}};
    children_.fork_begins();
}

// The call is found by who makes it. Early in a boot the log may not know the task that runs yet when the
// call begins: then by the tid that the guest names.
void ForkTracker::end(const Event& e, uint64_t number, uint32_t tid, int64_t result, uint64_t child_root) {
    auto found = calls_.find(Actor::of(e));
    if (found == calls_.end() && tid != 0)
        found = std::ranges::find_if(
            calls_, [&](const auto& c) { return book_.forks[c.second.fork].parent.tid == tid; });
    if (found == calls_.end() || found->second.ended) return;
    Call& call = found->second;
    call.ended = true;
    Fork& fork = book_.forks[call.fork];
    fork.end = When{number, e.icount};
    fork.result = result;
    // A call that shares memory, or that failed before it protected anything, leaves earlier forks
    // answerable.
    const bool copies_space = result > 0 && !fork.shares_memory();
    if (copies_space || !call.fresh.empty() || !call.fresh_tables.empty())
        cow_.spaces().parent_forked(call.fork, fork.parent.root, call.fresh, call.fresh_tables);
    if (result > 0) {
        fork.child.tid = static_cast<uint32_t>(result);
        fork.child.task = tasks_.find(fork.child.tid);
        // A task that was announced before this call had the tid earlier.
        if (fork.child.task) {
            const auto& created = tasks_.all()[*fork.child.task].created;
            if (!created || created->event < fork.begin.event) fork.child.task.reset();
        }
        if (!fork.child.task) unnamed_children_[fork.child.tid] = call.fork;
        if (fork.shares_memory()) {
            fork.child.root = fork.parent.root;
            if (child_root != 0 && child_root != fork.parent.root)
                book_.note(call.fork,
                           fmt::format("CLONE_VM was asked for, but the guest says that the child's root "
                                       "is {:#x} and not the parent's",
                                       child_root));
        } else {
            fork.child.root = child_root;
            children_.child_made(call.fork, child_root);
        }
    }
    children_.fork_ends();
    if (call.unflushed.empty()) calls_.erase(found);
}

// A call that does not return: its task died in it, or began another.
void ForkTracker::abandon(Actor actor) {
    const auto found = calls_.find(actor);
    if (found == calls_.end()) return;
    if (!found->second.ended) children_.fork_ends();
    calls_.erase(found);
}

void ForkTracker::entry_written(const Event& e, uint64_t number) {
    if (by_hardware(e)) return;
    children_.entry_written(e);
    const auto call = calls_.find(Actor::of(e));
    if (call != calls_.end() && !call->second.ended && written_by_call(call->second, e, number)) return;
    cow_.entry_written(e, number);
}

// True if the write is the call's write-protecting.
bool ForkTracker::written_by_call(Call& call, const Event& e, uint64_t number) {
    Fork& fork = book_.forks[call.fork];
    if (!log::is_lower_half(e.va)) {
        ++fork.kernel_writes;
        return false;
    }
    const bool same = log::is_present(e.a) && log::is_present(e.b) &&
                      log::frame_of(e.a, e.level) == log::frame_of(e.b, e.level);
    const bool protects =
        same && e.space == fork.parent.root && log::is_writable(e.a) && !log::is_writable(e.b);
    if (!protects) {
        ++fork.other_writes;
        return false;
    }
    call.unflushed.insert(e.va);
    if (!log::is_leaf(e.b, e.level)) {
        ++fork.tables_protected;
        call.fresh_tables.emplace(e.va, e.level);
        return true;
    }
    ++fork.write_protected;
    call.fresh.emplace(e.va, e.level);
    if (ForkDetails* details = book_.details(call.fork)) {
        add_page(details->protected_ranges, e.va, log::span_bytes(e.level));
        if (!details->first_protect) {
            details->first_protect = When{number, e.icount};
            details->protect_rip = e.rip;
        }
        details->last_protect = When{number, e.icount};
    }
    return true;
}

void ForkTracker::flushed(const Event& e, uint64_t number) {
    cow_.flush(e, number);
    const bool one_page = e.aux == static_cast<uint16_t>(log::FlushKind::Invlpg);
    for (auto at = calls_.begin(); at != calls_.end();) {
        Call& call = at->second;
        Fork& fork = book_.forks[call.fork];
        const bool own = at->first == Actor::of(e);
        if (own && !call.ended) {
            ++fork.flushes;
            if (ForkDetails* details = book_.details(call.fork))
                details->flushes.push_back({{number, e.icount}, e.aux, e.va});
        }
        // Whoever flushes, this CPU has forgotten.
        if (fork.cpu == e.cpu) {
            if (!one_page) {
                call.unflushed.clear();
            } else {
                call.unflushed.erase(e.va & ~kPageOffsetMask);
            }
        }
        at = call.ended && call.unflushed.empty() ? calls_.erase(at) : std::next(at);
    }
}

void ForkTracker::in_user_mode(Actor actor) {
    const auto found = calls_.find(actor);
    if (found == calls_.end() || !found->second.ended) return;
    const Call& call = found->second;
    book_.forks[call.fork].unflushed = call.unflushed.size();
    if (!call.unflushed.empty())
        book_.note(call.fork,
                   fmt::format(
                       "{} entries were made read-only, but no flush came before the parent was back in user "
                       "mode: its TLB may still let it write to frames that the child reads",
                       call.unflushed.size()));
    calls_.erase(found);
}

void ForkTracker::task_made(const Event& e) {
    const auto found = unnamed_children_.find(static_cast<uint32_t>(e.a));
    if (found == unnamed_children_.end()) return;
    book_.forks[found->second].child.task = tasks_.find(static_cast<uint32_t>(e.a));
    unnamed_children_.erase(found);
}

void ForkTracker::space_gone(uint64_t root) {
    cow_.spaces().drop(root);
    children_.space_gone(root);
}

void ForkTracker::tell_ends(ForkSide& side, uint64_t since) {
    if (!side.task) return;
    const Task& task = tasks_.all()[*side.task];
    if (side.name.empty()) side.name = task.first_name.empty() ? task.name : task.first_name;
    if (const TaskExec* exec = task.exec_after(since)) side.exec = *exec;
    side.exit = task.exit;
    side.reap = task.reap;
    if (side.reap) side.reaped_by = party_label(side.reap->by, side.reap->name, 0);
}

void ForkTracker::finish() {
    children_.burst_over();
    cow_.finish();
    for (Fork& fork : book_.forks) {
        tell_ends(fork.parent, fork.begin.event);
        tell_ends(fork.child, fork.begin.event);
    }
}

}  // namespace forkscope::analysis
