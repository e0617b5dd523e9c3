// The mirror's roots and the writes that it observes.
#include "emu/mmu/mirror.hpp"

#include <algorithm>
#include <bit>
#include <cassert>

namespace forkscope::mmu {

namespace {

// The second zero over zero is a page being cleared, not a root at work.
constexpr uint8_t kZeroStoresOfADeadRoot = 2;

uint64_t end_of_ram(const mem::GuestRam& ram) {
    uint64_t end = 0;
    for (const mem::RamRegion& region : ram.regions())
        end = std::max(end, (region.base + region.size).page_number());
    return end;
}

// The low `bytes` bytes, 1..8.
constexpr uint64_t low_bytes(uint64_t bytes) { return ~uint64_t{0} >> (64 - 8 * bytes); }

}  // namespace

Mirror::Mirror(mem::GuestRam& ram, log::Recorder& recorder)
    : ram_(ram),
      recorder_(recorder),
      slot_of_pfn_(end_of_ram(ram), 0),
      announced_(slot_of_pfn_.size()),
      times_linked_(slot_of_pfn_.size(), 0) {
    frames_.emplace_back();
}

void Mirror::add_listener(MirrorListener& listener) {
    listeners_.push_back(&listener);
    for (Slot slot = 1; slot < slot_end(); ++slot)
        if (frames_[slot]) listener.frame_became_table(slot);
}

void Mirror::remove_listener(MirrorListener& listener) { std::erase(listeners_, &listener); }

void Mirror::hold_root(PhysAddr root, const log::Origin& origin) {
    if (!ram_.is_ram_frame(root)) return;
    if (!is_root(root)) {
        link({.pfn = root.page_number(),
              .level = kTopLevel,
              .span = VirtAddr(0),
              .many_spans = false,
              .from = PhysAddr(0),
              .space = root},
             origin);
        const Slot slot = slot_of(root);
        frames_[slot]->is_root = true;
        roots_.push_back(slot);
    }
    TableFrame& frame = *frames_[slot_of(root)];
    ++frame.holds;
    frame.zero_stores = 0;
}

void Mirror::release_root(PhysAddr root) {
    if (!is_root(root)) return;
    TableFrame& frame = *frames_[slot_of(root)];
    assert(frame.holds > 0);
    --frame.holds;
}

TableState Mirror::observe_write(PhysAddr pa, uint64_t old_bytes, uint64_t new_bytes, unsigned size,
                                 log::Cause cause, const log::Origin& origin) {
    const Slot slot = slot_of(pa);
    TableFrame& frame = *frames_[slot];
    const uint64_t begin = pa.page_offset();
    const uint64_t end = begin + size;
    assert(slot != 0 && size >= 1 && size <= 8 && end <= kPageSize);

    std::optional<log::RootDeath> death;
    for (uint64_t at = begin; at < end;) {
        const auto index = static_cast<unsigned>(at / sizeof(Pte));
        const uint64_t length = std::min(end, (index + 1) * sizeof(Pte)) - at;
        const uint64_t shift = 8 * (at % sizeof(Pte));
        const uint64_t mask = low_bytes(length);
        const Pte old = frame.entries[index];
        if (((old.raw() >> shift) & mask) != ((old_bytes >> (8 * (at - begin))) & mask)) ++missed_writes_;
        const uint64_t written = (new_bytes >> (8 * (at - begin))) & mask;
        const Pte now((old.raw() & ~(mask << shift)) | (written << shift));
        change(slot, index, now, cause, origin);
        if (frame.is_root && frame.holds == 0 && !death)
            death = fatal_to_root(frame, length == sizeof(Pte), old, now);
        at += length;
    }
    if (death) kill_root(slot, *death, origin);
    return is_table(pa) ? TableState::Table : TableState::NotTable;
}

void Mirror::hardware_update(Slot slot, unsigned index, Pte now, log::Cause cause,
                             const log::Origin& origin) {
    TableFrame& frame = *frames_[slot];
    const Pte old = frame.entries[index];
    frame.entries[index] = now;
    log_write(slot, index, old, now, cause, origin);
}

void Mirror::change(Slot slot, unsigned index, Pte now, log::Cause cause, const log::Origin& origin) {
    TableFrame& frame = *frames_[slot];
    const Pte old = frame.entries[index];
    if (frame.is_only_watched()) return change_watched(frame, index, now, cause, origin);
    if (old == now) return;
    frame.entries[index] = now;
    frame.present += now.present();
    frame.present -= old.present();
    log_write(slot, index, old, now, cause, origin);
    for (MirrorListener* listener : listeners_) listener->entry_changed(slot, index, old, now);
    relink(slot, index, old, now, origin);
}

// The levels are those that the frame has before anything is relinked: levels that it gains meanwhile,
// as when it links itself, are scanned with the new entry in place. New children first, so that a table
// that only moves is not dropped and found again.
void Mirror::relink(Slot slot, unsigned index, Pte old, Pte now, const log::Origin& origin) {
    TableFrame& frame = *frames_[slot];
    const unsigned levels = frame.levels;
    const auto same_child = [&](unsigned level) {
        return links_child(level, old) && links_child(level, now) && old.frame() == now.frame();
    };
    const auto link_of = [&](unsigned level, Pte entry) {
        const Place place = place_of(slot, level, PhysAddr(origin.root));
        return Link{.pfn = entry.frame().page_number(),
                    .level = level - 1,
                    .span = entry_va(place.span, level, index),
                    .many_spans = frame.has_many_spans(level),
                    .from = frame.entry_address(index),
                    .space = place.root};
    };
    for (unsigned level = kTopLevel; level > 1; --level)
        if ((levels & (1u << level)) != 0 && links_child(level, now) && !same_child(level))
            link(link_of(level, now), origin);
    for (unsigned level = kTopLevel; level > 1; --level)
        if ((levels & (1u << level)) != 0 && links_child(level, old) && !same_child(level))
            unlink(link_of(level, old), origin);
}

// A table that is one at several levels has one event, at the highest.
void Mirror::log_write(Slot slot, unsigned index, Pte old, Pte now, log::Cause cause,
                       const log::Origin& origin) {
    if (!recorder_.wants(log::EventKind::PteWrite)) return;
    const TableFrame& frame = *frames_[slot];
    const auto level = static_cast<unsigned>(std::bit_width(frame.levels)) - 1;
    const Place place = place_of(slot, level, PhysAddr(origin.root));
    log::Event event = log::make_event(log::EventKind::PteWrite, origin);
    event.pa = frame.entry_address(index).raw();
    event.va = entry_va(place.span, level, index).raw();
    event.level = static_cast<uint8_t>(level);
    event.a = old.raw();
    event.b = now.raw();
    event.space = place.root.raw();
    event.cause = cause;
    recorder_.append(event);
}

std::optional<log::RootDeath> Mirror::fatal_to_root(TableFrame& root, bool whole_entry, Pte old,
                                                    Pte now) const {
    if (!whole_entry) return log::RootDeath::Misaligned;
    if (now.present()) {
        const bool reserved = now.page_size();  // must be 0 at level 4
        if (reserved || !ram_.is_ram_frame(now.frame())) return log::RootDeath::Implausible;
    } else if (now.raw() != 0) {
        return log::RootDeath::Implausible;
    }
    if (old.present() && root.present == 0) return log::RootDeath::Emptied;
    if (old.raw() == 0 && now.raw() == 0 && ++root.zero_stores == kZeroStoresOfADeadRoot)
        return log::RootDeath::Flooded;
    return std::nullopt;
}

void Mirror::kill_root(Slot slot, log::RootDeath death, const log::Origin& origin) {
    TableFrame& frame = *frames_[slot];
    log::Event event = log::make_event(log::EventKind::RootDeath, origin);
    event.pa = frame.base().raw();
    event.aux = static_cast<uint16_t>(death);
    recorder_.append(event);

    frame.is_root = false;
    std::erase(roots_, slot);
    unlink({.pfn = frame.pfn,
            .level = kTopLevel,
            .span = VirtAddr(0),
            .many_spans = false,
            .from = PhysAddr(0),
            .space = frame.base()},
           origin);
}

}  // namespace forkscope::mmu
