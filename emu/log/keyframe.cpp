// Tables to events.
#include "emu/log/keyframe.hpp"

namespace forkscope::log {

void TableKeeper::apply(const Event& event, uint64_t number) {
    // An audit is a proof of the log, not a change.
    if (event.kind != EventKind::Audit) replay_.apply(event, number);
}

void TableKeeper::append_state(std::vector<Event>& events) const {
    for (unsigned level = kTopLevel; level >= 1; --level) {
        for (const uint64_t frame : replay_.tables_at(level)) {
            const ReplayTable& table = *replay_.table(frame);
            Event e;
            e.kind = EventKind::TableLink;
            e.flags = kFirstLink;
            e.level = static_cast<uint8_t>(level);
            e.pa = frame;
            e.va = table.span[level];
            e.b = table.references[level];
            e.a = replay_.roots().contains(frame) && level == kTopLevel ? 0 : 1;
            events.push_back(e);
            for (unsigned index = 0; index < kTableEntries; ++index) {
                if (table.entries[index] == 0) continue;
                Event found;
                found.kind = EventKind::PteFound;
                found.level = e.level;
                found.pa = frame + index * kEntryBytes;
                found.va = entry_va(e.va, level, index);
                found.b = table.entries[index];
                events.push_back(found);
            }
        }
    }
}

Bytes encode_summary(const KeyframeSummary& s) {
    Bytes out;
    append_word(out, s.next_event);
    append_word(out, s.count);
    append_word(out, s.part);
    append_word(out, s.parts);
    return out;
}

std::optional<KeyframeSummary> decode_keyframe_summary(ByteView bytes) {
    ByteReader in(bytes);
    KeyframeSummary s;
    s.next_event = in.word<uint64_t>();
    s.count = in.word<uint32_t>();
    s.part = in.word<uint32_t>();
    s.parts = in.word<uint32_t>();
    if (in.failed() || s.part >= s.parts) return std::nullopt;
    return s;
}

}  // namespace forkscope::log
