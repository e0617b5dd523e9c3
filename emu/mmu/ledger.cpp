// The ledger's stamps: fills, flushes, and the writes that make a translation suspect.
#include "emu/mmu/ledger.hpp"

#include <algorithm>
#include <tuple>

namespace forkscope::mmu {

void Ledger::table_opened(Slot slot) {
    if (pages_.size() <= slot) pages_.resize(slot + 1);
    if (!pages_[slot])
        pages_[slot] = std::make_unique<StampPage>();
    else
        pages_[slot]->fill(Stamp{});
}

void Ledger::set_root(Slot root) {
    root_ = root;
    if (root == 0 || weakened_roots_.empty()) return;
    if (weakened_roots_.erase(mirror_.frame(root).pfn) != 0) suspect_what_root_lacks(root);
}

// The global pages that other roots give and this one does not.
void Ledger::suspect_what_root_lacks(Slot root) {
    for (unsigned index = 0; index < kTableEntries; ++index) {
        if (!global_tops_.test(index)) continue;
        const Pte here = mirror_.frame(root).entries[index];
        for (const Slot other : mirror_.roots()) {
            const Pte there = mirror_.frame(other).entries[index];
            if (is_weaker(kTopLevel, there, here))
                suspect_table(mirror_.child_of(kTopLevel, there), kTopLevel - 1, true);
        }
    }
}

const Stamp* Ledger::known(const Path& path, VirtAddr va) const {
    const PhysAddr where = path.leaf().where;
    const Slot slot = mirror_.slot_of(where);
    if (slot == 0) return nullptr;
    if (mirror_.frame(slot).plain_level == path.last) {
        const Stamp& stamp = stamp_at(slot, index_of(where));
        return stamp.live(epochs_) ? &stamp : nullptr;
    }
    const auto found = shared_.find(key_of(va, path.last));
    return found != shared_.end() && found->second.live(epochs_) ? &found->second : nullptr;
}

void Ledger::record(const Path& path, VirtAddr va, Pte filled, bool global) {
    for (unsigned level = path.top; level > path.last; --level) {
        const PathEntry& entry = path.at(level);
        const Slot slot = mirror_.slot_of(entry.where);
        if (slot == 0) continue;  // a table outside RAM
        Stamp& stamp = stamp_at(slot, index_of(entry.where));
        stamp.fill(global, epochs_);
        stamp.filled = entry.value;
    }
    Stamp fill{.filled = filled};
    fill.fill(global, epochs_);
    if (const Slot slot = mirror_.slot_of(path.leaf().where); slot != 0)
        record_leaf(slot, index_of(path.leaf().where), va, path.last, fill);
    if (global) global_tops_.set(entry_index(va, kTopLevel));
}

void Ledger::record_leaf(Slot slot, unsigned index, VirtAddr va, unsigned level, const Stamp& fill) {
    Stamp& stamp = stamp_at(slot, index);
    if (mirror_.frame(slot).plain_level == level) {
        if (leaves_older(level, stamp, fill, epochs_)) {
            add_suspect(stamped(slot, index, level));
            stamp = Stamp{};
        }
    } else {
        record_shared(va, level, fill);
    }
    stamp.revive(fill, epochs_);
    stamp.filled = fill.filled;
}

// The map holds the latest fill of a page.
void Ledger::record_shared(VirtAddr va, unsigned level, const Stamp& fill) {
    const auto [entry, fresh] = shared_.try_emplace(key_of(va, level), fill);
    Stamp& known = entry->second;
    if (!fresh) {
        if (leaves_older(level, known, fill, epochs_)) {
            add_suspect({va.align_down(entry_span(level)), static_cast<uint8_t>(level), known, PhysAddr(0)});
            known = Stamp{};
        }
        known.filled = fill.filled;
        known.revive(fill, epochs_);
    }
    drop_dead(shared_, shared_limit_);
}

// The translation that an entry of a plain frame is stamped with.
CachedTranslation Ledger::stamped(Slot slot, unsigned index, unsigned level) const {
    const TableFrame& frame = mirror_.frame(slot);
    return {entry_va(frame.span[level], level, index), static_cast<uint8_t>(level), stamp_at(slot, index),
            frame.entry_address(index)};
}

void Ledger::drop_dead(ByPage& pages, size_t& limit) const {
    if (pages.size() < limit) return;
    std::erase_if(pages, [&](const auto& item) { return !item.second.live(epochs_); });
    limit = std::max(kFirstLimit, 2 * pages.size());
}

void Ledger::flush_others() {
    if (++epochs_.others == 0) forget_epoch(&Stamp::others);
    std::erase_if(suspects_, [&](const CachedTranslation& t) { return !t.stamp.live(epochs_); });
}

void Ledger::flush_all() {
    if (++epochs_.others == 0) forget_epoch(&Stamp::others);
    if (++epochs_.globals == 0) forget_epoch(&Stamp::globals);
    suspects_.clear();
    weakened_roots_.clear();
    reported_.clear();
    shared_.clear();
    shared_suspect_ = false;
    global_tops_.reset();
}

// The count came round to 0, which means "never": stamps of this class are all dead, so they may
// become that, and the count starts again.
void Ledger::forget_epoch(uint32_t Stamp::*member) {
    for (const auto& page : pages_)
        if (page)
            for (Stamp& stamp : *page) stamp.*member = 0;
    for (ByPage* pages : {&shared_, &reported_})
        for (auto& item : *pages) item.second.*member = 0;
    for (CachedTranslation& translation : suspects_) translation.stamp.*member = 0;
    (member == &Stamp::others ? epochs_.others : epochs_.globals) = 1;
}

bool Ledger::drop(VirtAddr va) {
    bool large = false;
    for_each_leaf(va, [&](const LeafPlace& leaf) {
        large |= leaf.level > 1;
        if (mirror_.frame(leaf.slot).plain_level == leaf.level) stamp_at(leaf.slot, leaf.index) = Stamp{};
    });
    for (ByPage* pages : {&shared_, &reported_})
        for (unsigned level = 1; level <= 3 && !pages->empty(); ++level)
            large |= pages->erase(key_of(va, level)) != 0 && level > 1;
    std::erase_if(suspects_, [&](const CachedTranslation& t) {
        if (!t.covers(va)) return false;
        large |= t.level > 1;
        return true;
    });
    return large;
}

void Ledger::entry_changed(Slot slot, unsigned index, Pte old, Pte now) {
    const TableFrame& frame = mirror_.frame(slot);
    Stamp& stamp = stamp_at(slot, index);
    const bool live = stamp.live(epochs_);
    if (!live && global_tops_.none()) return;
    // What was filled, and what was there before this write: not the same where a shared frame's entry
    // was weakened before.
    const Pte filled = live ? stamp.filled : old;
    bool weakened = false;
    for (unsigned level = kTopLevel; level >= 1; --level) {
        if (!frame.is_table_at(level)) continue;
        for (const Pte was : {filled, old}) {
            if (!live && (is_leaf(level, was) || !globals_below(slot, level, index))) continue;
            if (is_weaker(level, was, now)) {
                weakened = true;
                suspect_entry(slot, index, level, was);
            }
            if (filled == old || frame.plain_level != 0) break;
        }
    }
    // What went through the entry is suspect now, each page for itself. In a shared frame the stamp
    // stays, for those that are found by address.
    if (weakened && frame.plain_level != 0) stamp = Stamp{};
}

// Global pages stay in the TLB when CR3 changes, so they may have been filled on another path than the
// one through this entry. Which tables hold such is not kept, only under which top entries.
bool Ledger::globals_below(Slot slot, unsigned level, unsigned index) const {
    const TableFrame& frame = mirror_.frame(slot);
    if (frame.plain_level != level) return global_tops_.any();
    return global_tops_.test(entry_index(entry_va(frame.span[level], level, index), kTopLevel));
}

void Ledger::suspect_entry(Slot slot, unsigned index, unsigned level, Pte was) {
    const TableFrame& frame = mirror_.frame(slot);
    if (is_leaf(level, was)) {
        if (frame.plain_level == level)
            add_suspect(stamped(slot, index, level));
        else
            shared_suspect_ |= !shared_.empty();
        return;
    }
    if (frame.plain_level == kTopLevel && slot != root_ && current_root_agrees(index, was)) {
        weakened_roots_.insert(frame.pfn);
        return;
    }
    suspect_table(mirror_.child_of(level, was), level - 1, globals_below(slot, level, index));
}

// A root that is not in use loses what it shares with the one that is, as when a process ends: as long as
// it is not in use, nothing changes for the TLB.
bool Ledger::current_root_agrees(unsigned index, Pte was) const {
    return root_ != 0 && !is_weaker(kTopLevel, was, mirror_.frame(root_).entries[index]);
}

// All pages below a table that went out of reach, or under a weaker entry.
void Ledger::suspect_table(Slot slot, unsigned level, bool with_globals) {
    if (slot == 0) return;
    const TableFrame& frame = mirror_.frame(slot);
    if (!frame.is_table_at(level)) return;
    const bool plain = frame.plain_level == level;
    if (!plain) shared_suspect_ |= !shared_.empty();
    if (frame.has_many_spans(level)) return;  // so has everything below: all found by address
    for (unsigned index = 0; index < kTableEntries; ++index) {
        Stamp& stamp = stamp_at(slot, index);
        const bool live = stamp.live(epochs_);
        if (plain && live && is_leaf(level, stamp.filled)) {
            add_suspect(stamped(slot, index, level));
        } else if (level > 1 && (live || with_globals)) {
            suspect_table(mirror_.child_of(level, frame.entries[index]), level - 1, with_globals);
        }
        if (plain && live) stamp = Stamp{};
    }
}

void Ledger::table_goes(Slot slot, unsigned level) {
    const TableFrame& frame = mirror_.frame(slot);
    if (frame.plain_level != level) {
        shared_suspect_ |= !shared_.empty();
        return;
    }
    for (unsigned index = 0; index < kTableEntries; ++index) {
        Stamp& stamp = stamp_at(slot, index);
        if (!stamp.live(epochs_)) continue;
        if (is_leaf(level, stamp.filled)) add_suspect(stamped(slot, index, level));
        stamp = Stamp{};
    }
}

void Ledger::frame_becomes_shared(Slot slot) {
    const TableFrame& frame = mirror_.frame(slot);
    const unsigned level = frame.plain_level;
    for (unsigned index = 0; index < kTableEntries; ++index) {
        const Stamp& stamp = stamp_at(slot, index);
        if (stamp.live(epochs_) && is_leaf(level, stamp.filled))
            record_shared(entry_va(frame.span[level], level, index), level, stamp);
    }
}

// A guest that never flushes and never enters user mode would fill the list for ever: equal ones are
// merged now and then.
void Ledger::add_suspect(const CachedTranslation& translation) {
    suspects_.push_back(translation);
    if (suspects_.size() < suspects_limit_) return;
    const auto order = [](const CachedTranslation& t) {
        return std::tuple(t.va.raw(), t.level, t.leaf.raw(), t.stamp.filled.raw(), t.stamp.others,
                          t.stamp.globals);
    };
    std::sort(suspects_.begin(), suspects_.end(),
              [&](const auto& a, const auto& b) { return order(a) < order(b); });
    const auto same = [&](const auto& a, const auto& b) { return order(a) == order(b); };
    suspects_.erase(std::unique(suspects_.begin(), suspects_.end(), same), suspects_.end());
    suspects_limit_ = std::max(16 * kFirstLimit, 2 * suspects_.size());
}

std::optional<Ledger::LeafPlace> Ledger::leaf_below(Slot root, VirtAddr va) const {
    Slot slot = root;
    for (unsigned level = kTopLevel; level >= 1 && slot != 0; --level) {
        const unsigned index = entry_index(va, level);
        const Pte entry = mirror_.frame(slot).entries[index];
        if (!entry.present()) return std::nullopt;
        if (is_leaf(level, entry)) return LeafPlace{slot, index, static_cast<uint8_t>(level)};
        slot = mirror_.slot_of(entry.frame());
    }
    return std::nullopt;
}

// Every entry that maps va and may be stamped: in the current root, and in others where a global page
// can have been filled.
template <typename Visitor>
void Ledger::for_each_leaf(VirtAddr va, Visitor&& visit) const {
    const unsigned top = entry_index(va, kTopLevel);
    if (root_ != 0)
        if (const auto leaf = leaf_below(root_, va)) visit(*leaf);
    if (!global_tops_.test(top)) return;
    const Slot here = root_ == 0 ? 0 : mirror_.child_of(kTopLevel, mirror_.frame(root_).entries[top]);
    for (const Slot root : mirror_.roots()) {
        const Slot child = mirror_.child_of(kTopLevel, mirror_.frame(root).entries[top]);
        if (root == root_ || child == 0 || child == here) continue;
        if (const auto leaf = leaf_below(root, va)) visit(*leaf);
    }
}

bool Ledger::may_hold(VirtAddr va, PhysAddr frame, bool writable, bool executable, bool user) const {
    const auto allows = [&](unsigned level, const Stamp& stamp) {
        return stamp.live(epochs_) && frame_at(level, stamp.filled, va) == frame &&
               (!writable || stamp.filled.writable()) && (!executable || !stamp.filled.no_execute()) &&
               (!user || stamp.filled.user());
    };
    bool found = false;
    for_each_leaf(va, [&](const LeafPlace& leaf) {
        if (mirror_.frame(leaf.slot).plain_level == leaf.level)
            found |= allows(leaf.level, stamp_at(leaf.slot, leaf.index));
    });
    for (unsigned level = 1; level <= 3; ++level) {
        const auto shared = shared_.find(key_of(va, level));
        found |= shared != shared_.end() && allows(level, shared->second);
        // Of several stale translations of a page only one is kept once they are reported.
        const auto reported = reported_.find(key_of(va, level));
        found |= reported != reported_.end() && reported->second.live(epochs_);
    }
    for (const CachedTranslation& translation : suspects_)
        found |= translation.covers(va) && allows(translation.level, translation.stamp);
    return found;
}

}  // namespace forkscope::mmu
