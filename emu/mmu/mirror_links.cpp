// The mirror's reference counts: how frames become tables and stop being tables.
#include <cassert>

#include "emu/mmu/mirror.hpp"

namespace forkscope::mmu {

namespace {

log::Event link_event(log::EventKind kind, PhysAddr frame, unsigned level, VirtAddr span, PhysAddr from,
                      PhysAddr space, uint32_t references, const log::Origin& origin) {
    log::Event event = log::make_event(kind, origin);
    event.pa = frame.raw();
    event.level = static_cast<uint8_t>(level);
    event.va = span.raw();
    event.a = from.raw();
    event.b = references;
    event.space = space.raw();
    return event;
}

}  // namespace

// Whatever the paging controls are at the moment: an entry with a reserved bit set links its table, too,
// though no walk goes through it. So what is live does not change with EFER.NXE, and a log can be
// replayed without knowing registers.
bool Mirror::links_child(unsigned level, Pte entry) const {
    return level > 1 && entry.present() && !is_leaf(level, entry) && ram_.is_ram_frame(entry.frame());
}

Slot Mirror::open(uint64_t pfn) {
    Slot slot;
    if (free_slots_.empty()) {
        slot = slot_end();
        frames_.emplace_back();
    } else {
        slot = free_slots_.back();
        free_slots_.pop_back();
    }
    frames_[slot] = std::make_unique<TableFrame>();
    TableFrame& frame = *frames_[slot];
    frame.pfn = pfn;
    std::memcpy(frame.entries.data(), ram_.at(frame.base(), kPageSize), kPageSize);
    for (Pte entry : frame.entries) frame.present += entry.present();
    slot_of_pfn_[pfn] = slot;
    for (MirrorListener* listener : listeners_) listener->frame_became_table(slot);
    return slot;
}

// A table that maps itself can lose its last level inside the loop over its own entries; then the loop
// closes it.
void Mirror::close_if_unused(Slot slot) {
    const TableFrame& frame = *frames_[slot];
    if (frame.levels != 0 || frame.scans != 0) return;
    const uint64_t pfn = frame.pfn;
    slot_of_pfn_[pfn] = 0;
    frames_[slot].reset();
    free_slots_.push_back(slot);
    if (is_expected(pfn)) watch(pfn);
}

void Mirror::link(const Link& link, const log::Origin& origin) {
    const PhysAddr base(link.pfn << kPageShift);
    Slot slot = slot_of(base);
    if (slot == 0) slot = open(link.pfn);
    TableFrame& frame = *frames_[slot];
    const bool first = frame.references[link.level] == 0;
    if (!first && (link.many_spans || link.span != frame.span[link.level])) make_many_spans(slot, link.level);

    ++frame.references[link.level];
    log::Event event = link_event(log::EventKind::TableLink, base, link.level, link.span, link.from,
                                  link.space, frame.references[link.level], origin);
    if (first) event.flags = log::kFirstLink;
    recorder_.append(event);
    if (first) first_link(slot, link, origin);
}

void Mirror::first_link(Slot slot, const Link& link, const log::Origin& origin) {
    TableFrame& frame = *frames_[slot];
    const unsigned level = link.level;
    if (frame.levels == 0) {
        frame.plain_level = link.many_spans ? 0 : static_cast<uint8_t>(level);
        ++times_linked_[frame.pfn];
        if (!still_to_come_.empty() && still_to_come_[frame.pfn] != 0) --still_to_come_[frame.pfn];
    } else {
        make_shared(slot);
    }
    frame.levels |= static_cast<uint8_t>(1u << level);
    if (link.many_spans) frame.many_spans |= static_cast<uint8_t>(1u << level);
    frame.span[level] = link.span;
    frame.seen_from[level] = link.space;

    log_found(frame, level, link, origin);
    frame.writers.reset();
    ++frame.scans;
    for (unsigned index = 0; index < kTableEntries; ++index) {
        const Pte entry = frame.entries[index];
        if (!links_child(level, entry)) continue;
        this->link({.pfn = entry.frame().page_number(),
                    .level = level - 1,
                    .span = entry_va(link.span, level, index),
                    .many_spans = frame.has_many_spans(level),
                    .from = frame.entry_address(index),
                    .space = link.space},
                   origin);
    }
    --frame.scans;
}

void Mirror::unlink(const Link& link, const log::Origin& origin) {
    const PhysAddr base(link.pfn << kPageShift);
    const Slot slot = slot_of(base);
    TableFrame& frame = *frames_[slot];
    const unsigned level = link.level;
    assert(frame.references[level] > 0);
    const bool last = frame.references[level] == 1;
    if (last)
        for (MirrorListener* listener : listeners_) listener->table_goes(slot, level);

    --frame.references[level];
    log::Event event = link_event(log::EventKind::TableUnlink, base, level, link.span, link.from, link.space,
                                  frame.references[level], origin);
    if (last) event.flags = log::kLastLink;
    recorder_.append(event);
    if (!last) return;

    frame.levels &= static_cast<uint8_t>(~(1u << level));
    ++frame.scans;
    for (unsigned index = 0; index < kTableEntries; ++index) {
        const Pte entry = frame.entries[index];
        if (!links_child(level, entry)) continue;
        unlink({.pfn = entry.frame().page_number(),
                .level = level - 1,
                .span = entry_va(link.span, level, index),
                .many_spans = frame.has_many_spans(level),
                .from = frame.entry_address(index),
                .space = link.space},
               origin);
    }
    --frame.scans;
    frame.many_spans &= static_cast<uint8_t>(~(1u << level));
    close_if_unused(slot);
}

void Mirror::make_shared(Slot slot) {
    TableFrame& frame = *frames_[slot];
    if (frame.plain_level == 0) return;
    for (MirrorListener* listener : listeners_) listener->frame_becomes_shared(slot);
    frame.plain_level = 0;
}

// Everything below then has more than one span as well. A child that is in the copy but not linked yet
// learns it when it is.
void Mirror::make_many_spans(Slot slot, unsigned level) {
    TableFrame& frame = *frames_[slot];
    if (frame.has_many_spans(level)) return;
    make_shared(slot);
    frame.many_spans |= static_cast<uint8_t>(1u << level);
    if (level == 1) return;
    for (const Pte entry : frame.entries) {
        const Slot child = child_of(level, entry);
        if (child != 0 && frames_[child]->is_table_at(level - 1)) make_many_spans(child, level - 1);
    }
}

}  // namespace forkscope::mmu
