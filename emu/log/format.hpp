// The frame of a log file: header, chunk heads and their summaries, as FORMAT.md lays them out. Pure
// conversions between structures and bytes; nothing here touches a file.
#pragma once

#include <array>
#include <cstdint>
#include <optional>
#include <string>
#include <utility>
#include <vector>

#include "emu/log/bytes.hpp"
#include "emu/log/columns.hpp"
#include "emu/log/symbols.hpp"

namespace forkscope::log {

inline constexpr uint32_t kFormatVersion = 2;  // 1: without lines and keyframes

// The first byte is no ASCII, and line ends of both kinds follow the name: a transfer that takes the
// file for text breaks it visibly.
inline constexpr std::array<uint8_t, 8> kFileMagic = {0x89, 'M', 'M', 'U', '\r', '\n', 0x1a, '\n'};
inline constexpr size_t kFileHeaderBytes = 32;

inline constexpr uint32_t kChunkMagic = 0x6b43'554d;  // "MUCk"
inline constexpr size_t kChunkHeadBytes = 48;
inline constexpr uint32_t kMaxSummaryBytes = 4096;
inline constexpr uint32_t kMaxRawBytes = 64 * 1024 * 1024;

enum class ChunkKind : uint16_t {
    Meta = 1,
    Symbols = 2,
    Events = 3,
    Index = 4,
    End = 5,
    Lines = 6,
    Keyframe = 7
};
enum class Codec : uint8_t { Stored = 0, Zstd = 1 };

// The newest version of each kind of chunk that this program reads and writes; 0 for unknown kinds.
[[nodiscard]] constexpr uint16_t known_version(ChunkKind kind) {
    switch (kind) {
        case ChunkKind::Meta:
        case ChunkKind::Symbols:
        case ChunkKind::Events:
        case ChunkKind::Index:
        case ChunkKind::End:
        case ChunkKind::Lines:
        case ChunkKind::Keyframe:
            return 1;
    }
    return 0;
}

struct ChunkHead {
    ChunkKind kind = ChunkKind::Meta;
    uint16_t version = 1;
    Codec codec = Codec::Stored;
    uint32_t stored_bytes = 0;  // of the payload in the file
    uint32_t raw_bytes = 0;     // of the payload after decompression
    uint64_t number = 0;        // 0, 1, 2, ... in file order
    uint64_t payload_hash = 0;  // XXH64 of the payload as stored
    Bytes summary;

    [[nodiscard]] uint64_t bytes_in_file() const { return kChunkHeadBytes + summary.size() + stored_bytes; }
    [[nodiscard]] bool readable() const { return known_version(kind) != 0 && version <= known_version(kind); }
};

[[nodiscard]] uint64_t hash_bytes(ByteView bytes);

[[nodiscard]] Bytes encode_file_header(uint32_t version);
// The version, or nothing if these 32 bytes are no header or a damaged one.
[[nodiscard]] std::optional<uint32_t> decode_file_header(ByteView bytes);

[[nodiscard]] Bytes encode_head(const ChunkHead& head);  // fixed part and summary
// Bytes of summary that follow the fixed part, if it looks like one. Nothing is verified yet.
[[nodiscard]] std::optional<uint32_t> summary_bytes_of(ByteView fixed);
// The head in these bytes (fixed part and whole summary), or nothing if it is damaged.
[[nodiscard]] std::optional<ChunkHead> decode_head(ByteView bytes);

struct EventsSummary {
    uint64_t first_icount = 0;  // the smallest in the chunk
    uint64_t last_icount = 0;   // the largest
    uint64_t first_event = 0;   // number of the first event, counted over the whole file
    uint32_t count = 0;
    uint64_t task_mask = 0;  // bit mask_bit(task) is set for each task in the chunk
    uint64_t root_mask = 0;  // the same for root, space, and addresses that a root filter looks at
    std::vector<std::pair<uint8_t, uint32_t>> kinds;  // kind and how many, by kind

    [[nodiscard]] uint32_t count_of(uint8_t kind) const;
};
[[nodiscard]] constexpr uint64_t task_bit(uint32_t task) { return uint64_t{1} << (task & 63); }
[[nodiscard]] constexpr uint64_t root_bit(uint64_t root) { return uint64_t{1} << ((root >> 12) & 63); }

[[nodiscard]] EventsSummary summarize(std::span<const Event> events, uint64_t first_event);
[[nodiscard]] Bytes encode_summary(const EventsSummary& summary);
[[nodiscard]] std::optional<EventsSummary> decode_events_summary(ByteView bytes);

struct EndSummary {
    uint64_t index_offset = 0;  // of the index chunk, from the start of the file
    uint64_t chunks = 0;        // end chunk included
    uint64_t events = 0;        // in the file
    uint64_t lost_events = 0;   // given to the writer after its first error
};
inline constexpr size_t kEndSummaryBytes = 32;
inline constexpr size_t kEndChunkBytes = kChunkHeadBytes + kEndSummaryBytes;
[[nodiscard]] Bytes encode_summary(const EndSummary& summary);
[[nodiscard]] std::optional<EndSummary> decode_end_summary(ByteView bytes);

// Where a chunk stands and what a reader must know to skip it. icounts and count: Events only.
struct IndexEntry {
    uint64_t offset = 0;
    ChunkKind kind = ChunkKind::Meta;
    uint16_t version = 1;
    uint64_t first_icount = 0;
    uint64_t last_icount = 0;
    uint32_t count = 0;
    uint64_t first_event = 0;  // not in the file: the reader knows it from what stands before
    bool operator==(const IndexEntry&) const = default;
};
[[nodiscard]] Bytes encode_index(const std::vector<IndexEntry>& entries);
[[nodiscard]] std::optional<std::vector<IndexEntry>> decode_index(ByteView bytes);

[[nodiscard]] Bytes encode_symbols(const SymbolModule& module);
[[nodiscard]] std::optional<SymbolModule> decode_symbols(ByteView bytes);

// The lines of a module, and back: kind, name and path say whose they are, there are no symbols in it.
[[nodiscard]] Bytes encode_lines(const SymbolModule& module);
[[nodiscard]] std::optional<SymbolModule> decode_lines(ByteView bytes);

}  // namespace forkscope::log
