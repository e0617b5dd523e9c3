// Pairing calls with their returns.
#include "tools/log/analysis/syscall_book.hpp"

#include "guest/abi/event_port.hpp"

namespace forkscope::analysis {

using log::Event;
using log::EventKind;

SystemCall* SyscallBook::open_call(Actor actor) {
    const auto found = open_.find(actor);
    return found == open_.end() ? nullptr : &calls_.at(found->second);
}

void SyscallBook::close(Actor actor) {
    const auto found = open_.find(actor);
    if (found == open_.end()) return;
    complete_.push_back(found->second);
    open_.erase(found);
}

void SyscallBook::apply(const Event& e, uint64_t number) {
    tasks_.apply(e, number);
    switch (e.kind) {
        case EventKind::Syscall:
            return begin(e, number);
        case EventKind::SyscallArguments:
            if (SystemCall* call = open_call(Actor::of(e))) {
                call->argument_count = 6;
                call->arguments[3] = e.a;
                call->arguments[4] = e.b;
                call->arguments[5] = e.va;
            }
            return;
        case EventKind::SyscallReturn:
            return end(e, number);
        case EventKind::PageFault:
            if (SystemCall* call = open_call(Actor::of(e)); call != nullptr && e.cpl != 3) ++call->faults;
            return;
        case EventKind::PteWrite:
            if (SystemCall* call = open_call(Actor::of(e));
                call != nullptr && e.cause == log::Cause::Software)
                ++call->pte_writes;
            return;
        case EventKind::Announce:
            if (e.aux == static_cast<uint16_t>(abi::Announcement::TaskExit)) {
                const Actor actor = Actor::task(static_cast<uint32_t>(e.a));
                if (SystemCall* call = open_call(actor))
                    call->exit = TaskExit{{number, e.icount}, static_cast<uint32_t>(e.b)};
                close(actor);
            }
            return;
        default:
            return;
    }
}

void SyscallBook::begin(const Event& e, uint64_t number) {
    const Actor actor = Actor::of(e);
    close(actor);
    if (!filter_.passes(e) || number < filter_.from_event || number > filter_.to_event) return;
    const uint64_t place = places_++;
    SystemCall& call = calls_[place];
    call.when = {number, e.icount};
    call.tid = e.task;
    if (const auto task = tasks_.find(e.task)) call.name = tasks_.all()[*task].name;
    call.root = e.root;
    call.rip = e.rip;
    call.number = e.a;
    call.arguments = {e.b, e.va, e.pa, 0, 0, 0};
    open_[actor] = place;
}

void SyscallBook::end(const Event& e, uint64_t number) {
    const auto found = open_.find(Actor::of(e));
    if (found == open_.end()) return;
    SystemCall& call = calls_.at(found->second);
    close(Actor::of(e));
    if (call.number != e.a) return;
    call.returned = When{number, e.icount};
    call.result = e.b;
    // SYSCALL and INT 0x80 are two bytes long. A new program begins elsewhere, and that is its call's
    // success.
    constexpr uint64_t kExecve = 59;
    constexpr uint64_t kExecveat = 322;
    const bool executes = call.number == kExecve || call.number == kExecveat;
    call.elsewhere = !executes && e.rip != call.rip + 2;
}

std::optional<SystemCall> SyscallBook::take(bool at_end) {
    if (calls_.empty()) return std::nullopt;
    const auto& [place, front] = *calls_.begin();
    const auto open = open_.find(front.tid != 0 ? Actor::task(front.tid) : Actor::root(front.root));
    const bool waits = open != open_.end() && open->second == place;
    if (waits && !at_end) return std::nullopt;
    if (waits) open_.erase(open);
    SystemCall call = std::move(calls_.begin()->second);
    calls_.erase(calls_.begin());
    while (!complete_.empty() && !calls_.contains(complete_.front())) complete_.pop_front();
    return call;
}

std::optional<SystemCall> SyscallBook::take_any(bool at_end) {
    if (complete_.empty()) return at_end ? take(true) : std::nullopt;
    const auto found = calls_.find(complete_.front());
    complete_.pop_front();
    SystemCall call = std::move(found->second);
    calls_.erase(found);
    return call;
}

}  // namespace forkscope::analysis
