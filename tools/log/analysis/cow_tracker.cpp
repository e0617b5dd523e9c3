// Following copy-on-write faults.
#include "tools/log/analysis/cow_tracker.hpp"

#include <fmt/format.h>

#include <algorithm>

namespace forkscope::analysis {

using log::Event;

namespace {

constexpr uint64_t kErrorPresentWrite = 3;  // P and W of the error code
// A task has one fault under way, or a few when a fault handler faults.
constexpr size_t kMaxOpenFaults = 8;

[[nodiscard]] bool same_frame(uint64_t a, uint64_t b, unsigned level) {
    return log::frame_of(a, level) == log::frame_of(b, level);
}

[[nodiscard]] bool protects(const Event& e) {
    return log::is_leaf(e.a, e.level) && log::is_leaf(e.b, e.level) && log::is_writable(e.a) &&
           !log::is_writable(e.b) && same_frame(e.a, e.b, e.level);
}

}  // namespace

void CowTracker::fault(const Event& e, uint64_t number) {
    if (e.aux != static_cast<uint16_t>(log::FaultDelivery::Delivered)) return;
    (void)settle_cleared(e);
    auto& faults = open_[Actor::of(e)];
    // The same access again: the fault before it is over, whatever came of it.
    for (auto at = faults.begin(); at != faults.end();) {
        if (at->told.va >> kPageShift == e.va >> kPageShift || faults.size() >= kMaxOpenFaults) {
            close(std::move(*at), false);
            at = faults.erase(at);
        } else {
            ++at;
        }
    }
    if ((e.a & kErrorPresentWrite) != kErrorPresentWrite) return;
    const bool table = log::links_table(e.b, e.level);
    const auto cover = table ? spaces_.find_table(e.root, e.va) : spaces_.find_page(e.root, e.va);
    if (!cover) return;

    OpenFault open;
    open.cover = *cover;
    open.entry_pa = e.pa;
    CowBreak& told = open.told;
    told.side = cover->side;
    told.tid = e.task;
    if (const auto place = tasks_.find(e.task)) told.name = tasks_.all()[*place].name;
    told.program = tasks_.program_of(e);
    told.root = e.root;
    told.va = e.va;
    told.error_code = e.a;
    told.fault_rip = e.rip;
    told.fault_cpl = e.cpl;
    told.fault = {number, e.icount};
    told.level = cover->level;
    told.old_entry = e.b;
    faults.push_back(std::move(open));
    ++book_.forks[cover->fork].side(cover->side).faults;
}

CowTracker::OpenFault* CowTracker::find_open(const Event& e) {
    const auto found = open_.find(Actor::of(e));
    if (found == open_.end()) return nullptr;
    for (OpenFault& open : found->second) {
        const bool refused = e.pa == open.entry_pa;
        const unsigned level = open.cover.table ? 1 : open.cover.level;
        const bool same_page = e.space == open.told.root && e.level == level &&
                               e.va == (open.told.va & ~(log::span_bytes(level) - 1));
        // The page of a fault on a shared table is its own only when the table is.
        if (refused || (same_page && (!open.cover.table || open.ended))) return &open;
    }
    return nullptr;
}

void CowTracker::entry_written(const Event& e, uint64_t number) {
    if (settle_cleared(e)) return;
    if (OpenFault* open = find_open(e)) return apply_to_fault(*open, e, number);
    if (protects(e) && copies_table(Actor::of(e))) return cover_for_sharers(e);
    const bool table = log::links_table(e.a, e.level);
    const auto cover = table ? spaces_.find_table(e.space, e.va) : spaces_.find_page(e.space, e.va);
    if (!cover || cover->level != e.level || cover->va != e.va) return;
    if (cover->table) {
        if (!log::links_table(e.b, e.level) || log::is_writable(e.b))
            spaces_.end_cover(e.space, *cover, nullptr);
        return;
    }
    if (!log::is_present(e.b)) {
        spaces_.end_cover(e.space, *cover, nullptr);
        cleared_[Actor::of(e)] = {*cover, e.space, e.a};
    } else if (!log::is_leaf(e.b, e.level) || (!log::is_writable(e.b) && !same_frame(e.a, e.b, e.level))) {
        spaces_.end_cover(e.space, *cover, &ForkSide::unmapped);
    } else if (log::is_writable(e.b)) {
        spaces_.end_cover(e.space, *cover, &ForkSide::without_fault);
    }
}

bool CowTracker::settle_cleared(const Event& e) {
    const auto found = cleared_.find(Actor::of(e));
    if (found == cleared_.end()) return false;
    const ClearedPage page = found->second;
    cleared_.erase(found);
    ForkSide& side = book_.forks[page.cover.fork].side(page.cover.side);
    const bool moved = e.kind == log::EventKind::PteWrite && e.space == page.root &&
                       e.level == page.cover.level && log::is_leaf(e.b, e.level) && !log::is_writable(e.b) &&
                       same_frame(page.entry, e.b, e.level);
    if (moved && spaces_.cover_moved(e.space, e.va, e.level)) return true;
    ++side.unmapped;
    return false;
}

bool CowTracker::copies_table(Actor actor) const {
    const auto found = open_.find(actor);
    return found != open_.end() &&
           std::ranges::any_of(found->second, [](const OpenFault& open) { return open.cover.table; });
}

// A shared table is being copied, and its entries are protected only now: for everybody who uses it.
void CowTracker::cover_for_sharers(const Event& e) {
    const uint64_t table = e.pa & ~kPageOffsetMask;
    for (const uint64_t root : spaces_.roots_with_table(e.va)) {
        const auto entry = replay_.entry(root, e.va, e.level + 1u);
        if (entry && log::frame_of(entry->value, e.level + 1u) == table)
            spaces_.cover_later(root, e.va, e.level);
    }
}

// Some kernels clear the entry, flush, and then set the new one; others write it once. What counts is the
// first writable value.
void CowTracker::apply_to_fault(OpenFault& open, const Event& e, uint64_t number) {
    open.changed = true;
    CowBreak& told = open.told;
    if (open.cover.table && !open.ended) {
        if (!log::links_table(e.b, e.level) || !log::is_writable(e.b)) return;
        told.table_entries = {told.old_entry, e.b};
        upgrade(open, e, number, Outcome::TableCopy);
        ++side_of(open).table_copies;
        return;
    }
    if (!log::is_leaf(e.b, e.level) || !log::is_writable(e.b)) return;
    if (open.cover.table) {
        // The table is copied, and this is the page after it: what the fault was about in the end.
        if (told.outcome != Outcome::TableCopy) return;
        --side_of(open).table_only;
        open.cover.table = false;
        open.cover.level = 1;
        open.cover.va = e.va;
        told.level = 1;
        told.old_entry = e.a;
        told.invalidation.reset();
        spaces_.cover_later(told.root, e.va, 1);
    } else if (open.ended) {
        return;
    }
    upgrade(open, e, number, same_frame(told.old_entry, e.b, e.level) ? Outcome::Reuse : Outcome::Copy);
}

ForkSide& CowTracker::side_of(const OpenFault& open) {
    return book_.forks[open.cover.fork].side(open.cover.side);
}

void CowTracker::upgrade(OpenFault& open, const Event& e, uint64_t number, Outcome outcome) {
    open.ended = true;
    CowBreak& told = open.told;
    told.outcome = outcome;
    told.new_entry = e.b;
    told.upgrade = {number, e.icount};
    told.upgrade_rip = e.rip;
    told.upgrade_cpl = e.cpl;
    side_of(open).bytes_copied += told.bytes_copied();
    uint64_t ForkSide::*count = outcome == Outcome::Copy    ? &ForkSide::copies
                                : outcome == Outcome::Reuse ? &ForkSide::reuses
                                                            : &ForkSide::table_only;
    spaces_.end_cover(told.root, open.cover, count);
}

// What the copied table lacks of the old one's rights is covered, too.
void CowTracker::entry_found(const Event& e) {
    const auto found = open_.find(Actor::of(e));
    if (found == open_.end() || !log::is_leaf(e.b, e.level) || log::is_writable(e.b)) return;
    for (const OpenFault& open : found->second) {
        if (!open.told.table_entries || open.told.root != e.space) continue;
        const log::ReplayTable* old =
            replay_.table(log::frame_of(open.told.table_entries->first, e.level + 1u));
        const uint64_t before = old == nullptr ? 0 : old->entries[log::entry_index(e.va, e.level)];
        if (log::is_writable(before) && same_frame(before, e.b, e.level))
            spaces_.cover_later(e.space, e.va, e.level);
    }
}

void CowTracker::flush(const Event& e, uint64_t number) {
    const auto found = open_.find(Actor::of(e));
    if (found == open_.end()) return;
    const bool one_page = e.aux == static_cast<uint16_t>(log::FlushKind::Invlpg);
    for (OpenFault& open : found->second) {
        if (!open.changed || open.told.invalidation) continue;
        const bool covers = !one_page || (e.va & ~(log::span_bytes(open.cover.level) - 1)) == open.cover.va;
        if (covers) open.told.invalidation = FlushSeen{{number, e.icount}, e.aux, e.va};
    }
}

void CowTracker::announced_break(const Event& e, uint64_t number) {
    guest_announces_breaks_ = true;
    const auto found = open_.find(Actor::of(e));
    if (found == open_.end()) return;
    for (OpenFault& open : found->second)
        if (open.told.va >> kPageShift == e.b >> kPageShift)
            open.told.announced = CowBreak::Announced{{number, e.icount}, e.va, e.pa};
}

void CowTracker::resolved(const Event& e, uint64_t number) {
    const auto found = open_.find(Actor::of(e));
    if (found == open_.end()) return;
    auto& faults = found->second;
    for (auto at = faults.begin(); at != faults.end(); ++at) {
        if (at->told.va >> kPageShift != e.va >> kPageShift) continue;
        at->told.resolved = When{number, e.icount};
        close(std::move(*at), false);
        faults.erase(at);
        break;
    }
    if (faults.empty()) open_.erase(found);
}

void CowTracker::give_up(Actor actor) {
    const auto found = open_.find(actor);
    if (found == open_.end()) return;
    for (OpenFault& open : found->second) close(std::move(open), false);
    open_.erase(found);
}

void CowTracker::close(OpenFault&& open, bool at_end_of_log) {
    ForkSide& side = book_.forks[open.cover.fork].side(open.cover.side);
    if (!open.ended) {
        open.told.outcome = at_end_of_log ? Outcome::Unfinished : Outcome::NotMended;
        ++(at_end_of_log ? side.unfinished : side.not_mended);
    }
    compare_with_guest(open);
    if (ForkDetails* details = book_.details(open.cover.fork)) {
        if (details->breaks.size() < book_.max_breaks) {
            details->breaks.push_back(std::move(open.told));
        } else {
            ++details->breaks_left_out;
        }
    }
}

void CowTracker::compare_with_guest(const OpenFault& open) {
    const CowBreak& told = open.told;
    const auto note = [&](std::string text) { book_.note(open.cover.fork, std::move(text)); };
    if (told.outcome != Outcome::Copy && told.outcome != Outcome::Reuse) {
        if (told.announced)
            note(fmt::format(
                "event {}: the guest announces that it broke copy-on-write at {:#x}, but the entry did "
                "not become writable",
                told.announced->when.event, told.va));
        return;
    }
    const uint64_t old_frame = log::frame_of(told.old_entry, told.level);
    const uint64_t new_frame = log::frame_of(told.new_entry, told.level);
    if (!told.announced) {
        if (guest_announces_breaks_)
            note(fmt::format("event {}: copy-on-write was broken at {:#x}, and the guest did not announce it",
                             told.upgrade.event, told.va));
        return;
    }
    // Within a large page the guest may name the small frame.
    const uint64_t mask = ~(log::span_bytes(told.level) - 1);
    if ((told.announced->old_frame & mask) != old_frame || (told.announced->new_frame & mask) != new_frame)
        note(fmt::format(
            "event {}: the guest announces frame {:#x} -> {:#x} at {:#x}, its page table says {:#x} -> {:#x}",
            told.announced->when.event, told.announced->old_frame, told.announced->new_frame, told.va,
            old_frame, new_frame));
}

void CowTracker::finish() {
    for (auto& [actor, faults] : open_)
        for (OpenFault& open : faults) close(std::move(open), true);
    open_.clear();
    for (const auto& [actor, page] : cleared_) ++book_.forks[page.cover.fork].side(page.cover.side).unmapped;
    cleared_.clear();
    spaces_.finish();
    // Faults close in another order than they happen when several tasks have one under way.
    if (!book_.detailed || *book_.detailed > book_.forks.size() || *book_.detailed == 0) return;
    std::ranges::sort(book_.forks[*book_.detailed - 1].details.breaks, {},
                      [](const CowBreak& b) { return b.fault.event; });
}

}  // namespace forkscope::analysis
