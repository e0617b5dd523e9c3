// What is asked of an open log besides its events: symbols, keyframes, counts, and whether every byte is
// sound.
#include <algorithm>

#include "emu/log/reader.hpp"

namespace forkscope::log {

namespace {

// To the module that they belong to; it stands before them, unless it is damaged.
void give_lines(std::vector<SymbolModule>& modules, SymbolModule&& lines) {
    for (SymbolModule& module : modules) {
        if (module.kind != lines.kind || module.name != lines.name || module.path != lines.path) continue;
        module.files = std::move(lines.files);
        module.lines = std::move(lines.lines);
        return;
    }
}

}  // namespace

std::vector<SymbolModule> Reader::symbols() {
    std::vector<SymbolModule> modules;
    for (size_t i = 0; i < chunks_.size(); ++i) {
        const bool lines = chunks_[i].kind == ChunkKind::Lines;
        if (chunks_[i].kind != ChunkKind::Symbols && !lines) continue;
        if (chunks_[i].version > known_version(chunks_[i].kind)) continue;
        const auto head = head_at(chunks_[i].offset);
        const auto bytes = head ? payload(chunks_[i].offset, *head) : std::nullopt;
        auto module = !bytes ? std::nullopt : lines ? decode_lines(*bytes) : decode_symbols(*bytes);
        if (!module) {
            chunk_is_damaged(i);
        } else if (!lines) {
            modules.push_back(std::move(*module));
        } else {
            give_lines(modules, std::move(*module));
        }
    }
    return modules;
}

std::optional<KeyframeSummary> Reader::read_keyframe_part(size_t chunk, std::vector<Event>& events) {
    const IndexEntry& entry = chunks_[chunk];
    const auto head = head_at(entry.offset);
    const auto summary = head ? decode_keyframe_summary(head->summary) : std::nullopt;
    const auto bytes = summary ? payload(entry.offset, *head) : std::nullopt;
    std::vector<uint32_t> positions;
    KindSet all;
    all.set();
    if (bytes && ColumnDecoder().decode(*bytes, summary->count, all, events, positions)) return summary;
    chunk_is_damaged(chunk);
    return std::nullopt;
}

// Its parts stand one after the other.
Keyframe Reader::keyframe_before(uint64_t number) {
    for (size_t last = chunks_.size(); last > 0; --last) {
        const IndexEntry& entry = chunks_[last - 1];
        if (entry.kind != ChunkKind::Keyframe || entry.version > known_version(ChunkKind::Keyframe)) continue;
        if (entry.first_event > number) continue;
        Keyframe keyframe;
        std::vector<Event> part;
        uint32_t missing = 0;
        for (size_t at = last;; --at) {
            part.clear();
            const auto summary = at > 0 && chunks_[at - 1].kind == ChunkKind::Keyframe
                                     ? read_keyframe_part(at - 1, part)
                                     : std::nullopt;
            const bool fits =
                summary && summary->next_event <= number &&
                (at == last ? summary->part + 1 == summary->parts
                            : summary->part + 1 == missing && summary->next_event == keyframe.next_event);
            if (!fits) break;
            keyframe.next_event = summary->next_event;
            missing = summary->part;
            keyframe.events.insert(keyframe.events.begin(), part.begin(), part.end());
            if (missing == 0) return keyframe;
        }
    }
    return {};
}

Census Reader::census() {
    Census census;
    census.chunks = chunks_.size();
    census.first_icount = ~uint64_t{0};
    unknown_.events = 0;
    for (size_t i = 0; i < chunks_.size(); ++i) {
        if (chunks_[i].kind != ChunkKind::Events || chunks_[i].version > known_version(ChunkKind::Events))
            continue;
        if (damaged_[i]) continue;
        const auto head = head_at(chunks_[i].offset);
        const auto summary = head ? decode_events_summary(head->summary) : std::nullopt;
        if (!summary) {
            chunk_is_damaged(i);
            continue;
        }
        ++census.event_chunks;
        census.events += summary->count;
        census.stored_bytes += head->bytes_in_file();
        if (summary->count == 0) continue;
        census.first_icount = std::min(census.first_icount, summary->first_icount);
        census.last_icount = std::max(census.last_icount, summary->last_icount);
        for (const auto& [kind, count] : summary->kinds) {
            census.kinds[kind] += count;
            if (kind == 0 || kind >= kEventKindCount) unknown_.events += count;
        }
    }
    if (census.events == 0) census.first_icount = 0;
    return census;
}

void Reader::verify() {
    for (size_t i = 0; i < chunks_.size(); ++i) {
        const auto head = head_at(chunks_[i].offset);
        if (!head || !stored_payload(chunks_[i].offset, *head)) chunk_is_damaged(i);
    }
}

}  // namespace forkscope::log
