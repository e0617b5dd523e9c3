// Faults and their ends.
#include "tools/log/analysis/fault_book.hpp"

#include <algorithm>

#include "guest/abi/event_port.hpp"

namespace forkscope::analysis {

using log::Event;
using log::EventKind;

Refusal refusal_of(const Event& e) {
    constexpr uint64_t kPresent = 1;
    constexpr uint64_t kWrite = 2;
    constexpr uint64_t kUser = 4;
    constexpr uint64_t kReserved = 8;
    constexpr uint64_t kFetch = 16;
    constexpr uint64_t kOthers = ~uint64_t{0x1f};
    if (e.pa == 0) return Refusal::NoRoot;
    if ((e.a & kReserved) != 0) return Refusal::Reserved;
    if ((e.a & kPresent) == 0) return Refusal::NotPresent;
    if ((e.a & kOthers) != 0) return Refusal::Other;
    const bool user = (e.a & kUser) != 0;
    if (user && !log::is_user(e.b)) return Refusal::Supervisor;
    if ((e.a & kFetch) != 0 && (e.b & log::kEntryNoExecute) != 0) return Refusal::NoExecute;
    if ((e.a & kWrite) != 0 && !log::is_writable(e.b)) return Refusal::ReadOnly;
    if (!user && log::is_user(e.b)) return (e.a & kFetch) != 0 ? Refusal::Smep : Refusal::Smap;
    return Refusal::Other;
}

void FaultBook::apply(const Event& e, uint64_t number) {
    tasks_.apply(e, number);
    switch (e.kind) {
        case EventKind::PageFault:
            return fault(e, number);
        case EventKind::FaultResolved:
            return resolved(e, number);
        case EventKind::Announce:
            if (e.aux == static_cast<uint16_t>(abi::Announcement::TaskExit)) task_ends(e, number);
            return;
        default:
            return;
    }
}

void FaultBook::fault(const Event& e, uint64_t number) {
    auto& open = open_[Actor::of(e)];
    // The same page again: the fault before is over, whatever came of it.
    const auto over = [&](uint64_t place) {
        const bool again = at(place).fault.event.va >> kPageShift == e.va >> kPageShift;
        if (again) done(place);
        return again;
    };
    std::erase_if(open, over);
    if (open.size() == kMaxOpen) {
        done(open.front());
        open.erase(open.begin());
    }
    if (!filter_.passes(e) || number < filter_.from_event || number > filter_.to_event) return;
    const uint64_t place = places_++;
    Entry& entry = faults_[place];
    entry.fault.event = e;
    entry.fault.number = number;
    entry.fault.refusal = refusal_of(e);
    entry.fault.program = tasks_.program_of(e);
    if (const auto task = tasks_.find(e.task)) entry.fault.name = tasks_.all()[*task].name;
    open.push_back(place);
}

void FaultBook::resolved(const Event& e, uint64_t number) {
    const auto found = open_.find(Actor::of(e));
    if (found == open_.end()) return;
    std::erase_if(found->second, [&](uint64_t place) {
        Entry& entry = at(place);
        Fault& fault = entry.fault;
        if (fault.event.va >> kPageShift != e.va >> kPageShift) return false;
        done(place);
        fault.resolved = When{number, e.icount};
        fault.leaf = e.b;
        const bool refused_leaf = log::is_leaf(fault.event.b, fault.event.level);
        if (!refused_leaf) {
            fault.end = FaultEnd::Mapped;
        } else if ((fault.event.b & log::kEntryAddress) != (e.b & log::kEntryAddress)) {
            fault.end = FaultEnd::Copied;
        } else {
            constexpr uint64_t kMarks = log::kEntryAccessed | log::kEntryDirty;
            const bool same = ((fault.event.b ^ e.b) & ~kMarks) == 0;
            fault.end = same ? FaultEnd::Spurious : FaultEnd::MadeUsable;
        }
        return true;
    });
    if (found->second.empty()) open_.erase(found);
}

void FaultBook::task_ends(const Event& e, uint64_t number) {
    const auto found = open_.find(Actor::task(static_cast<uint32_t>(e.a)));
    if (found == open_.end()) return;
    for (const uint64_t place : found->second) {
        Entry& entry = at(place);
        done(place);
        entry.fault.end = FaultEnd::Killed;
        entry.fault.exit = TaskExit{{number, e.icount}, static_cast<uint32_t>(e.b)};
    }
    open_.erase(found);
}

std::optional<Fault> FaultBook::take(bool at_end) {
    if (faults_.empty() || (!faults_.begin()->second.done && !at_end)) return std::nullopt;
    const auto& [place, entry] = *faults_.begin();
    if (!entry.done) {
        const auto open = open_.find(Actor::of(entry.fault.event));
        if (open != open_.end()) std::erase(open->second, place);
    }
    Fault fault = std::move(faults_.begin()->second.fault);
    faults_.erase(faults_.begin());
    while (!done_.empty() && !faults_.contains(done_.front())) done_.pop_front();
    return fault;
}

std::optional<Fault> FaultBook::take_any(bool at_end) {
    if (done_.empty()) return at_end ? take(true) : std::nullopt;
    const auto found = faults_.find(done_.front());
    done_.pop_front();
    Fault fault = std::move(found->second.fault);
    faults_.erase(found);
    return fault;
}

}  // namespace forkscope::analysis
