// Frames that are going to be tables, and are watched before they are linked: announced by the guest, or
// known from an equal run before. What is stored there is no event until the frame is a table; then each
// entry is told with its last writer.
#include <cassert>

#include "emu/mmu/mirror.hpp"

namespace forkscope::mmu {

bool Mirror::is_expected(uint64_t pfn) const {
    return announced_[pfn] || (!still_to_come_.empty() && still_to_come_[pfn] != 0);
}

void Mirror::watch(uint64_t pfn) {
    if (slot_of_pfn_[pfn] == 0) open(pfn);
}

void Mirror::announce_table(PhysAddr frame) {
    if (!ram_.is_ram_frame(frame)) return;
    announced_[frame.page_number()] = true;
    watch(frame.page_number());
}

void Mirror::announce_no_table(PhysAddr frame, const log::Origin& origin) {
    if (!ram_.is_ram_frame(frame)) return;
    announced_[frame.page_number()] = false;
    const Slot slot = slot_of(frame);
    if (slot == 0) return;
    if (frames_[slot]->is_root && frames_[slot]->holds == 0)
        kill_root(slot, log::RootDeath::Announced, origin);
    else if (!is_expected(frame.page_number()))
        close_if_unused(slot);
}

void Mirror::expect_tables(const LinkCounts& counts) {
    assert(counts.size() == slot_of_pfn_.size());
    still_to_come_ = counts;
    const EntryWriter loader{.cause = log::Cause::Loader};
    for (uint64_t pfn = 0; pfn < counts.size(); ++pfn) {
        if (counts[pfn] == 0) continue;
        watch(pfn);
        TableFrame& frame = *frames_[slot_of_pfn_[pfn]];
        if (!frame.is_only_watched() || frame.present == 0) continue;
        frame.writers = std::make_unique<EntryWriters>();
        for (unsigned index = 0; index < kTableEntries; ++index)
            if (frame.entries[index].raw() != 0) (*frame.writers)[index] = loader;
    }
}

void Mirror::change_watched(TableFrame& frame, unsigned index, Pte now, log::Cause cause,
                            const log::Origin& origin) {
    frame.present += now.present();
    frame.present -= frame.entries[index].present();
    frame.entries[index] = now;
    if (!frame.writers) frame.writers = std::make_unique<EntryWriters>();
    (*frame.writers)[index] = {
        .icount = origin.icount, .rip = origin.rip, .task = origin.task, .cpl = origin.cpl, .cause = cause};
}

void Mirror::log_found(const TableFrame& frame, unsigned level, const Link& link, const log::Origin& origin) {
    if (!recorder_.wants(log::EventKind::PteFound)) return;
    for (unsigned index = 0; index < kTableEntries; ++index) {
        const Pte entry = frame.entries[index];
        if (entry.raw() == 0) continue;
        log::Event event = log::make_event(log::EventKind::PteFound, origin);
        event.pa = frame.entry_address(index).raw();
        event.va = entry_va(link.span, level, index).raw();
        event.level = static_cast<uint8_t>(level);
        event.b = entry.raw();
        event.space = link.space.raw();
        if (frame.writers && (*frame.writers)[index].cause != log::Cause::None) {
            const EntryWriter& writer = (*frame.writers)[index];
            event.flags = log::kWriterKnown;
            event.a = writer.icount;
            event.rip = writer.rip;
            event.task = writer.task;
            event.cpl = writer.cpl;
            event.cause = writer.cause;
        }
        recorder_.append(event);
    }
}

}  // namespace forkscope::mmu
