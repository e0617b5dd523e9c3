#include "emu/check/table_book.hpp"

#include <algorithm>

#include "emu/log/entry_bits.hpp"

namespace forkscope::check {

namespace {

constexpr size_t kMostWays = 64;  // of one frame: a finding needs two

// What the frame book counts: pages that a program reaches.
bool counts(uint64_t va, unsigned level, uint64_t entry) {
    return level == 1 && log::is_lower_half(va) && log::is_present(entry) && log::is_user(entry);
}

}  // namespace

void TableBook::apply(const log::Event& event, uint64_t number) {
    switch (event.kind) {
        case log::EventKind::TableLink:
            links_[event.pa].push_back(event.a);
            break;
        case log::EventKind::TableUnlink: {
            if ((event.flags & log::kLastLink) != 0) count_table(event, number);
            const auto found = links_.find(event.pa);
            if (found == links_.end()) break;
            const auto link = std::ranges::find(found->second, event.a);
            if (link != found->second.end()) found->second.erase(link);
            if (found->second.empty()) links_.erase(found);
            break;
        }
        case log::EventKind::PteFound:
            if (counts(event.va, event.level, event.b)) frames_.map(event.b, code_point(event, number));
            break;
        case log::EventKind::PteWrite:
            if (counts(event.va, event.level, event.a)) frames_.unmap(event.a, code_point(event, number));
            if (counts(event.va, event.level, event.b)) frames_.map(event.b, code_point(event, number));
            break;
        default:
            return;
    }
    const bool entry = event.kind == log::EventKind::PteFound || event.kind == log::EventKind::PteWrite;
    if (entry && event.level == 2 && log::is_lower_half(event.va) && log::links_table(event.b, 2))
        linkers_[event.pa] = code_point(event, number);
    replay_.apply(event, number);
}

// A table that is one no more takes its entries with it.
void TableBook::count_table(const log::Event& unlinked, uint64_t number) {
    if (unlinked.level != 1 || !log::is_lower_half(unlinked.va)) return;
    const log::ReplayTable* table = replay_.table(unlinked.pa);
    if (table == nullptr) return;
    for (const uint64_t entry : table->entries)
        if (counts(unlinked.va, 1, entry)) frames_.unmap(entry, code_point(unlinked, number));
}

std::optional<CodePoint> TableBook::linker(uint64_t entry_pa) const {
    const auto found = linkers_.find(entry_pa);
    return found == linkers_.end() ? std::nullopt : std::optional(found->second);
}

size_t TableBook::links_of(uint64_t frame) const {
    const auto found = links_.find(frame);
    if (found == links_.end()) return 0;
    return static_cast<size_t>(std::ranges::count_if(found->second, [](uint64_t from) { return from != 0; }));
}

uint64_t TableBook::entry_at(uint64_t pa) const {
    const log::ReplayTable* table = replay_.table(pa & ~kPageOffsetMask);
    return table == nullptr ? 0 : table->entries[(pa & kPageOffsetMask) / log::kEntryBytes];
}

void TableBook::follow_ways(uint64_t frame, unsigned level, bool writable, const UserMapping& below,
                            std::vector<UserMapping>& found) const {
    if (found.size() >= kMostWays) return;
    const auto links = links_.find(frame);
    if (links == links_.end()) return;
    if (level == log::kTopLevel) {
        if (!log::is_lower_half(below.va) ||
            std::ranges::find(links->second, uint64_t{0}) == links->second.end())
            return;
        found.push_back(below);
        found.back().root = frame;
        found.back().writable = writable;
        return;
    }
    for (const uint64_t from : links->second) {
        if (from == 0) continue;
        const uint64_t entry = entry_at(from);
        if (!log::links_table(entry, level + 1) || log::frame_of(entry, level + 1) != frame) continue;
        UserMapping way = below;
        way.va += ((from & kPageOffsetMask) / log::kEntryBytes) * log::span_bytes(level + 1);
        if (way.entry_pa == 0) {
            way.entry_pa = from;
            way.value = entry;
        }
        follow_ways(from & ~kPageOffsetMask, level + 1, writable && log::is_writable(entry), way, found);
    }
}

std::vector<UserMapping> TableBook::ways_to_table(uint64_t frame) const {
    std::vector<UserMapping> found;
    follow_ways(frame, 1, true, {}, found);
    return found;
}

std::vector<UserMapping> TableBook::mappings_of(uint64_t frame) const {
    std::vector<UserMapping> found;
    for (const uint64_t table : replay_.tables_at(1)) {
        const auto& entries = replay_.table(table)->entries;
        for (unsigned index = 0; index < log::kTableEntries; ++index) {
            const uint64_t entry = entries[index];
            if (!log::is_present(entry) || !log::is_user(entry) || log::frame_of(entry, 1) != frame) continue;
            follow_ways(table, 1, log::is_writable(entry),
                        {.root = 0,
                         .va = index * log::span_bytes(1),
                         .entry_pa = table + index * log::kEntryBytes,
                         .value = entry,
                         .writable = false},
                        found);
        }
    }
    return found;
}

}  // namespace forkscope::check
