// Going forward event by event, and beginning again at a checkpoint.
#include "tools/panels/model/moment.hpp"

#include "emu/base/address.hpp"

namespace forkscope::panels {

using log::Event;
using log::EventKind;

Checkpoint::Checkpoint(uint64_t next_event, const log::Replay& tables, const analysis::TaskTable& tasks,
                       const analysis::TlbView& tlb, const FrameBook& frames)
    : next_event_(next_event), tlb_(tlb), frames_(frames) {
    for (unsigned level = log::kTopLevel; level >= 1; --level) {
        for (const uint64_t frame : tables.tables_at(level)) {
            const log::ReplayTable& table = *tables.table(frame);
            Table kept{frame, table.span[level], table.references[level], 0, static_cast<uint8_t>(level), 0};
            kept.is_root = level == log::kTopLevel && tables.roots().contains(frame) ? 1 : 0;
            for (unsigned i = 0; i < log::kTableEntries; ++i) {
                if (table.entries[i] == 0) continue;
                entries_.push_back({frame + i * log::kEntryBytes, table.entries[i]});
                ++kept.entries;
            }
            tables_.push_back(kept);
        }
    }
    analysis::append_living(tasks, tasks_);
    tables_.shrink_to_fit();
    entries_.shrink_to_fit();
    tasks_.shrink_to_fit();
}

size_t Checkpoint::bytes() const {
    // Nodes of maps carry some pointers beside what they hold.
    constexpr size_t kNode = 64;
    return sizeof(*this) + tables_.capacity() * sizeof(Table) + entries_.capacity() * sizeof(Entry) +
           tasks_.capacity() * sizeof(Event) + tlb_.size() * (sizeof(analysis::TlbEntry) + kNode) +
           frames_.used().size() * (sizeof(AnnouncedFrame) + kNode);
}

Moment::Moment(const Checkpoint& checkpoint)
    : tlb_(checkpoint.tlb_), frames_(checkpoint.frames_), next_event_(checkpoint.next_event_) {
    size_t next = 0;
    for (const Checkpoint::Table& table : checkpoint.tables_) {
        Event link;
        link.kind = EventKind::TableLink;
        link.flags = log::kFirstLink;
        link.level = table.level;
        link.pa = table.frame;
        link.va = table.va;
        link.a = table.is_root != 0 ? 0 : 1;
        link.b = table.references;
        tables_.restore(link);
        for (uint32_t i = 0; i < table.entries; ++i, ++next) {
            Event found;
            found.kind = EventKind::PteFound;
            found.level = table.level;
            found.pa = checkpoint.entries_[next].address;
            found.b = checkpoint.entries_[next].value;
            tables_.restore(found);
        }
    }
    for (const Event& event : checkpoint.tasks_) tasks_.apply(event, 0);
}

void Moment::apply(const Event& event, uint64_t number) {
    // An audit proves a log whole; here it would only cost time.
    if (event.kind != EventKind::Audit) tables_.apply(event, number);
    if (event.kind == EventKind::Announce) {
        tasks_.apply(event, number);
        frames_.apply(event);
    } else {
        tlb_.apply(event, number);
    }
    recent_.add(event, number);
    next_event_ = number + 1;
    icount_ = event.icount;
}

}  // namespace forkscope::panels
