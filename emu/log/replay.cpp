// Rebuilding page tables from their events.
#include "emu/log/replay.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "emu/log/reader.hpp"

namespace forkscope::log {

void Replay::apply(const Event& event, uint64_t number) {
    switch (event.kind) {
        case EventKind::TableLink:
            return link(event, number);
        case EventKind::TableUnlink:
            return unlink(event, number);
        case EventKind::PteFound:
            return found(event, number);
        case EventKind::PteWrite:
            return write(event, number);
        case EventKind::Audit:
            return audit(event, number);
        default:
            return;
    }
}

void Replay::restore(const Event& event) {
    if (event.level < 1 || event.level > kTopLevel) return;
    if (event.kind == EventKind::TableLink) {
        auto& table = tables_[event.pa];
        if (!table) table = std::make_unique<ReplayTable>();
        table->references[event.level] = event.b;
        table->span[event.level] = event.va;
        if (event.level == kTopLevel && event.a == 0) roots_.insert(event.pa);
    } else if (event.kind == EventKind::PteFound) {
        if (ReplayTable* table = find(event.pa & ~kPageOffsetMask))
            table->entries[(event.pa & kPageOffsetMask) / kEntryBytes] = event.b;
    }
}

ReplayTable* Replay::find(uint64_t frame) {
    if (last_table_ != nullptr && frame == last_frame_) return last_table_;
    const auto found = tables_.find(frame);
    if (found == tables_.end()) return nullptr;
    last_frame_ = frame;
    return last_table_ = found->second.get();
}

const ReplayTable* Replay::table(uint64_t frame) const {
    const auto found = tables_.find(frame);
    return found == tables_.end() ? nullptr : found->second.get();
}

void Replay::contradiction(uint64_t number, std::string what) {
    ++report_.contradictions;
    if (report_.described.size() < ReplayReport::kDescribed)
        report_.described.push_back(fmt::format("event {}: {}", number, what));
}

void Replay::link(const Event& event, uint64_t number) {
    if (event.level < 1 || event.level > kTopLevel)
        return contradiction(number, fmt::format("a table of level {} is linked", event.level));
    ReplayTable* table = find(event.pa);
    if (table == nullptr) {
        tables_[event.pa] = std::make_unique<ReplayTable>();
        table = find(event.pa);
    }
    uint64_t& references = table->references[event.level];
    const bool first = (event.flags & kFirstLink) != 0;
    if (first != (references == 0))
        contradiction(number,
                      fmt::format("table {:#x} is linked {} at level {}, it had {} references", event.pa,
                                  first ? "for the first time" : "again", event.level, references));
    if (++references != event.b)
        contradiction(number, fmt::format("table {:#x} has {} references at level {}, the log says {}",
                                          event.pa, references, event.level, event.b));
    references = std::max<uint64_t>(event.b, 1);
    if (first) table->span[event.level] = event.va;
    if (event.level == kTopLevel && event.a == 0) roots_.insert(event.pa);
}

void Replay::unlink(const Event& event, uint64_t number) {
    ReplayTable* table = find(event.pa);
    if (table == nullptr || event.level < 1 || event.level > kTopLevel || table->references[event.level] == 0)
        return contradiction(number, fmt::format("{:#x} is unlinked at level {}, where it is no table",
                                                 event.pa, event.level));
    uint64_t& references = table->references[event.level];
    const bool last = (event.flags & kLastLink) != 0;
    if (--references != event.b || last != (references == 0))
        contradiction(
            number, fmt::format("table {:#x} has {} references left at level {}, the log says {}{}", event.pa,
                                references, event.level, event.b, last ? ", the last" : ""));
    references = last ? 0 : event.b;
    if (event.level == kTopLevel && event.a == 0) roots_.erase(event.pa);
    if (std::ranges::all_of(table->references, [](uint64_t n) { return n == 0; })) {
        tables_.erase(event.pa);
        last_table_ = nullptr;
    }
}

// A frame that became a table starts with no entry. One that was a table at another level before is known
// already, and must be as known.
void Replay::found(const Event& event, uint64_t number) {
    ReplayTable* table = find(event.pa & ~kPageOffsetMask);
    if (table == nullptr)
        return contradiction(number, fmt::format("an entry is found at {:#x}, in no table", event.pa));
    uint64_t& entry = table->entries[(event.pa & kPageOffsetMask) / kEntryBytes];
    if (entry != 0 && entry != event.b)
        contradiction(number, fmt::format("the entry at {:#x} is found to be {:#x}, it was {:#x}", event.pa,
                                          event.b, entry));
    entry = event.b;
}

void Replay::write(const Event& event, uint64_t number) {
    ReplayTable* table = find(event.pa & ~kPageOffsetMask);
    if (table == nullptr)
        return contradiction(number, fmt::format("an entry is written at {:#x}, in no table", event.pa));
    uint64_t& entry = table->entries[(event.pa & kPageOffsetMask) / kEntryBytes];
    if (entry != event.a)
        contradiction(number, fmt::format("the entry at {:#x} was {:#x} before the write, the log says {:#x}",
                                          event.pa, entry, event.a));
    entry = event.b;
}

std::vector<uint64_t> Replay::tables_at(unsigned level) const {
    std::vector<uint64_t> frames;
    for (const auto& [frame, table] : tables_)
        if (table->references[level] != 0) frames.push_back(frame);
    std::ranges::sort(frames);
    return frames;
}

AuditHash Replay::audit_hash() const {
    AuditHash hash;
    for (unsigned level = 1; level <= kTopLevel; ++level)
        for (const uint64_t frame : tables_at(level))
            hash.add_table(level, PhysAddr(frame), tables_.at(frame)->entries);
    return hash;
}

// A table has a reference for each entry of a table one level up that points to it, a root one more. Entries
// that point to no table point outside RAM.
void Replay::recount_references(uint64_t number) {
    std::unordered_map<uint64_t, std::array<uint64_t, kTopLevel + 1>> counts;
    for (const uint64_t root : roots_) ++counts[root][kTopLevel];
    for (const auto& [frame, table] : tables_) {
        for (unsigned level = 2; level <= kTopLevel; ++level) {
            if (table->references[level] == 0) continue;
            for (const uint64_t value : table->entries)
                if (links_table(value, level)) ++counts[frame_of(value, level)][level - 1];
        }
    }
    for (const auto& [frame, table] : tables_) {
        if (counts[frame] != table->references)
            contradiction(
                number,
                fmt::format("the entries that point to table {:#x} are not those that were logged", frame));
    }
}

void Replay::audit(const Event& event, uint64_t number) {
    recount_references(number);
    const AuditHash hash = audit_hash();
    ++report_.audits;
    report_.entries = hash.entries();
    report_.roots = roots_.size();
    report_.machine_differences += event.pa;
    report_.other_paging |= (event.flags & kOtherPaging) != 0;
    if (hash.digest() == event.b && roots_.size() == event.va) return;
    ++report_.unequal_audits;
    if (report_.described.size() < ReplayReport::kDescribed)
        report_.described.push_back(fmt::format(
            "event {}: guest RAM held {} entries under {} roots with hash {:016x}, the log gives {} "
            "entries under {} roots with hash {:016x}",
            number, event.a, event.va, event.b, hash.entries(), roots_.size(), hash.digest()));
}

std::optional<ReplayLeaf> Replay::entry(uint64_t root, uint64_t va, unsigned level) const {
    uint64_t frame = root;
    for (unsigned at = kTopLevel;; --at) {
        const ReplayTable* table = this->table(frame);
        if (table == nullptr) return std::nullopt;
        const unsigned index = entry_index(va, at);
        const uint64_t value = table->entries[index];
        if (at == level)
            return ReplayLeaf{va & ~(span_bytes(at) - 1), at, frame + index * kEntryBytes, value};
        if (!links_table(value, at)) return std::nullopt;
        frame = frame_of(value, at);
    }
}

std::optional<ReplayLeaf> Replay::leaf(uint64_t root, uint64_t va) const {
    for (unsigned level = kTopLevel; level >= 1; --level) {
        const auto found = entry(root, va, level);
        if (!found || !is_present(found->value)) return std::nullopt;
        if (is_leaf(found->value, level)) return found;
    }
    return std::nullopt;
}

void Replay::visit_leaves(uint64_t root, VaRange range,
                          const std::function<void(const ReplayLeaf&)>& visit) const {
    visit_table(root, kTopLevel, 0, range, visit);
}

void Replay::visit_table(uint64_t frame, unsigned level, uint64_t va, VaRange range,
                         const std::function<void(const ReplayLeaf&)>& visit) const {
    const ReplayTable* table = this->table(frame);
    if (table == nullptr) return;
    for (unsigned index = 0; index < kTableEntries; ++index) {
        const uint64_t value = table->entries[index];
        const uint64_t start = entry_va(va, level, index);
        if (!is_present(value) || start > range.last || start + (span_bytes(level) - 1) < range.first)
            continue;
        if (is_leaf(value, level)) {
            visit({start, level, frame + index * kEntryBytes, value});
        } else if (level > 1) {
            visit_table(frame_of(value, level), level - 1, start, range, visit);
        }
    }
}

bool can_replay(const Meta& meta) { return can_replay_kinds(meta.kinds); }

Replay replay_all(Reader& reader) {
    Replay replay;
    auto cursor = reader.events({.kinds = Replay::kKinds});
    while (cursor.next()) replay.apply(cursor.event(), cursor.number());
    return replay;
}

Replay replay_until(Reader& reader, uint64_t end) {
    Replay replay;
    if (end == 0) return replay;
    const Keyframe keyframe = reader.keyframe_before(end);
    for (const Event& event : keyframe.events) replay.restore(event);
    auto cursor = reader.events({.from_event = keyframe.next_event,
                                 .to_event = end - 1,
                                 .kinds = Replay::kKinds & ~mask_of(EventKind::Audit)});
    while (cursor.next()) replay.apply(cursor.event(), cursor.number());
    return replay;
}

}  // namespace forkscope::log
