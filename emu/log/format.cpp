// Header, heads, summaries and index to bytes and back.
#include "emu/log/format.hpp"

#include <xxhash.h>

#include <algorithm>

namespace forkscope::log {

namespace {

// Places in the fixed part of a chunk's head.
constexpr size_t kHeadHashAt = 40;
constexpr size_t kSummarySizeAt = 8;

[[nodiscard]] uint64_t head_hash(ByteView bytes) {
    Bytes hashed(bytes.begin(), bytes.begin() + kHeadHashAt);
    hashed.insert(hashed.end(), bytes.begin() + kChunkHeadBytes, bytes.end());
    return hash_bytes(hashed);
}

}  // namespace

uint64_t hash_bytes(ByteView bytes) { return XXH64(bytes.data(), bytes.size(), 0); }

Bytes encode_file_header(uint32_t version) {
    Bytes out(kFileMagic.begin(), kFileMagic.end());
    append_word(out, version);
    append_word(out, static_cast<uint32_t>(kFileHeaderBytes));
    append_word(out, uint64_t{0});
    append_word(out, hash_bytes(out));
    return out;
}

std::optional<uint32_t> decode_file_header(ByteView bytes) {
    if (bytes.size() < kFileHeaderBytes) return std::nullopt;
    if (!std::ranges::equal(bytes.first(kFileMagic.size()), kFileMagic)) return std::nullopt;
    ByteReader in(bytes.subspan(kFileMagic.size()));
    const auto version = in.word<uint32_t>();
    const auto size = in.word<uint32_t>();
    (void)in.word<uint64_t>();
    if (in.word<uint64_t>() != hash_bytes(bytes.first(kFileHeaderBytes - 8))) return std::nullopt;
    if (size != kFileHeaderBytes) return std::nullopt;
    return version;
}

Bytes encode_head(const ChunkHead& head) {
    Bytes out;
    append_word(out, kChunkMagic);
    append_word(out, static_cast<uint16_t>(head.kind));
    append_word(out, head.version);
    append_word(out, static_cast<uint32_t>(head.summary.size()));
    append_word(out, head.stored_bytes);
    append_word(out, head.raw_bytes);
    append_word(out, static_cast<uint32_t>(head.codec));
    append_word(out, head.number);
    append_word(out, head.payload_hash);
    append_word(out, uint64_t{0});
    out.insert(out.end(), head.summary.begin(), head.summary.end());
    const uint64_t hash = head_hash(out);
    std::memcpy(out.data() + kHeadHashAt, &hash, sizeof(hash));
    return out;
}

std::optional<uint32_t> summary_bytes_of(ByteView fixed) {
    if (fixed.size() < kChunkHeadBytes) return std::nullopt;
    if (ByteReader(fixed).word<uint32_t>() != kChunkMagic) return std::nullopt;
    const auto size = ByteReader(fixed.subspan(kSummarySizeAt)).word<uint32_t>();
    if (size > kMaxSummaryBytes) return std::nullopt;
    return size;
}

std::optional<ChunkHead> decode_head(ByteView bytes) {
    const auto summary_bytes = summary_bytes_of(bytes);
    if (!summary_bytes || bytes.size() != kChunkHeadBytes + *summary_bytes) return std::nullopt;
    if (ByteReader(bytes.subspan(kHeadHashAt)).word<uint64_t>() != head_hash(bytes)) return std::nullopt;

    ByteReader in(bytes.subspan(sizeof(kChunkMagic)));
    ChunkHead head;
    head.kind = static_cast<ChunkKind>(in.word<uint16_t>());
    head.version = in.word<uint16_t>();
    (void)in.word<uint32_t>();
    head.stored_bytes = in.word<uint32_t>();
    head.raw_bytes = in.word<uint32_t>();
    const auto codec = in.word<uint32_t>();
    head.number = in.word<uint64_t>();
    head.payload_hash = in.word<uint64_t>();
    if (codec > static_cast<uint32_t>(Codec::Zstd)) return std::nullopt;
    head.codec = static_cast<Codec>(codec);
    if (head.raw_bytes > kMaxRawBytes || head.stored_bytes > kMaxRawBytes) return std::nullopt;
    if (head.codec == Codec::Stored && head.raw_bytes != head.stored_bytes) return std::nullopt;
    head.summary.assign(bytes.begin() + kChunkHeadBytes, bytes.end());
    return head;
}

uint32_t EventsSummary::count_of(uint8_t kind) const {
    for (const auto& [k, n] : kinds)
        if (k == kind) return n;
    return 0;
}

EventsSummary summarize(std::span<const Event> events, uint64_t first_event) {
    EventsSummary s;
    s.first_event = first_event;
    s.count = static_cast<uint32_t>(events.size());
    if (events.empty()) return s;
    s.first_icount = ~uint64_t{0};
    std::array<uint32_t, kKindValues> counts{};
    for (const Event& e : events) {
        s.first_icount = std::min(s.first_icount, e.icount);
        s.last_icount = std::max(s.last_icount, e.icount);
        s.task_mask |= task_bit(e.task);
        s.root_mask |= root_bit(e.root) | root_bit(e.space);
        ++counts[static_cast<size_t>(e.kind)];
    }
    for (unsigned kind = 0; kind < kKindValues; ++kind)
        if (counts[kind] != 0) s.kinds.emplace_back(static_cast<uint8_t>(kind), counts[kind]);
    return s;
}

Bytes encode_summary(const EventsSummary& s) {
    Bytes out;
    append_word(out, s.first_icount);
    append_word(out, s.last_icount);
    append_word(out, s.first_event);
    append_word(out, s.task_mask);
    append_word(out, s.root_mask);
    append_word(out, s.count);
    append_word(out, static_cast<uint32_t>(s.kinds.size()));
    for (const auto& [kind, count] : s.kinds) {
        append_word(out, uint32_t{kind});
        append_word(out, count);
    }
    return out;
}

std::optional<EventsSummary> decode_events_summary(ByteView bytes) {
    ByteReader in(bytes);
    EventsSummary s;
    s.first_icount = in.word<uint64_t>();
    s.last_icount = in.word<uint64_t>();
    s.first_event = in.word<uint64_t>();
    s.task_mask = in.word<uint64_t>();
    s.root_mask = in.word<uint64_t>();
    s.count = in.word<uint32_t>();
    const auto kinds = in.word<uint32_t>();
    if (s.count > kMaxChunkEvents || kinds > kKindValues) return std::nullopt;
    uint64_t total = 0;
    for (uint32_t i = 0; i < kinds; ++i) {
        const auto kind = in.word<uint32_t>();
        const auto count = in.word<uint32_t>();
        if (kind >= kKindValues) return std::nullopt;
        s.kinds.emplace_back(static_cast<uint8_t>(kind), count);
        total += count;
    }
    if (in.failed() || total != s.count) return std::nullopt;
    return s;
}

Bytes encode_summary(const EndSummary& s) {
    Bytes out;
    append_word(out, s.index_offset);
    append_word(out, s.chunks);
    append_word(out, s.events);
    append_word(out, s.lost_events);
    return out;
}

std::optional<EndSummary> decode_end_summary(ByteView bytes) {
    if (bytes.size() < kEndSummaryBytes) return std::nullopt;
    ByteReader in(bytes);
    EndSummary s;
    s.index_offset = in.word<uint64_t>();
    s.chunks = in.word<uint64_t>();
    s.events = in.word<uint64_t>();
    s.lost_events = in.word<uint64_t>();
    return s;
}

Bytes encode_index(const std::vector<IndexEntry>& entries) {
    Bytes out;
    append_varint(out, entries.size());
    uint64_t offset = 0;
    for (const IndexEntry& e : entries) {
        append_varint(out, e.offset - offset);
        append_varint(out, static_cast<uint64_t>(e.kind));
        append_varint(out, e.version);
        append_varint(out, e.first_icount);
        append_varint(out, e.last_icount);
        append_varint(out, e.count);
        offset = e.offset;
    }
    return out;
}

std::optional<std::vector<IndexEntry>> decode_index(ByteView bytes) {
    ByteReader in(bytes);
    constexpr size_t kSmallestEntry = 6;  // bytes
    const uint64_t count = in.varint();
    if (count > in.left() / kSmallestEntry) return std::nullopt;
    std::vector<IndexEntry> entries;
    uint64_t offset = 0;
    for (uint64_t i = 0; i < count; ++i) {
        IndexEntry e;
        const uint64_t step = in.varint();
        if (step > ~offset) return std::nullopt;
        e.offset = offset += step;
        const uint64_t kind = in.varint();
        const uint64_t version = in.varint();
        e.first_icount = in.varint();
        e.last_icount = in.varint();
        const uint64_t events = in.varint();
        if (kind > 0xffff || version > 0xffff || events > kMaxChunkEvents) return std::nullopt;
        e.kind = static_cast<ChunkKind>(kind);
        e.version = static_cast<uint16_t>(version);
        e.count = static_cast<uint32_t>(events);
        entries.push_back(e);
    }
    if (in.failed() || in.left() != 0) return std::nullopt;
    return entries;
}

Bytes encode_symbols(const SymbolModule& module) {
    Bytes out;
    out.push_back(static_cast<uint8_t>(module.kind));
    append_string(out, module.name);
    append_string(out, module.path);
    append_varint(out, module.symbols.size());
    uint64_t address = 0;
    for (const Symbol& s : module.symbols) {
        append_varint(out, s.address - address);
        append_varint(out, s.size);
        append_string(out, s.name);
        address = s.address;
    }
    return out;
}

std::optional<SymbolModule> decode_symbols(ByteView bytes) {
    ByteReader in(bytes);
    SymbolModule module;
    module.kind = in.word<uint8_t>() == 0 ? ModuleKind::Kernel : ModuleKind::User;
    module.name = in.string();
    module.path = in.string();
    constexpr size_t kSmallestSymbol = 3;  // bytes
    const uint64_t count = in.varint();
    if (count > in.left() / kSmallestSymbol) return std::nullopt;
    uint64_t address = 0;
    for (uint64_t i = 0; i < count && !in.failed(); ++i) {
        Symbol s;
        const uint64_t step = in.varint();
        if (step > ~address) return std::nullopt;
        s.address = address += step;
        s.size = in.varint();
        s.name = in.string();
        module.symbols.push_back(std::move(s));
    }
    if (in.failed() || in.left() != 0) return std::nullopt;
    return module;
}

Bytes encode_lines(const SymbolModule& module) {
    Bytes out;
    out.push_back(static_cast<uint8_t>(module.kind));
    append_string(out, module.name);
    append_string(out, module.path);
    append_varint(out, module.files.size());
    for (const std::string& file : module.files) append_string(out, file);
    append_varint(out, module.lines.size());
    Line last;
    for (const Line& line : module.lines) {
        append_varint(out, line.address - last.address);
        append_varint(out, zigzag(uint64_t{line.file} - last.file));
        append_varint(out, zigzag(uint64_t{line.line} - last.line));
        last = line;
    }
    return out;
}

std::optional<SymbolModule> decode_lines(ByteView bytes) {
    ByteReader in(bytes);
    SymbolModule module;
    module.kind = in.word<uint8_t>() == 0 ? ModuleKind::Kernel : ModuleKind::User;
    module.name = in.string();
    module.path = in.string();
    const uint64_t files = in.varint();
    if (files > in.left()) return std::nullopt;
    for (uint64_t i = 0; i < files && !in.failed(); ++i) module.files.push_back(in.string());
    constexpr size_t kSmallestLine = 3;  // bytes
    const uint64_t count = in.varint();
    if (count > in.left() / kSmallestLine) return std::nullopt;
    Line last;
    for (uint64_t i = 0; i < count && !in.failed(); ++i) {
        const uint64_t step = in.varint();
        const uint64_t file = last.file + unzigzag(in.varint());
        const uint64_t line = last.line + unzigzag(in.varint());
        if (step > ~last.address || line > 0xffff'ffff || (line != 0 && file >= files)) return std::nullopt;
        if (file > 0xffff'ffff) return std::nullopt;
        last = {last.address + step, static_cast<uint32_t>(file), static_cast<uint32_t>(line)};
        module.lines.push_back(last);
    }
    if (in.failed() || in.left() != 0) return std::nullopt;
    return module;
}

}  // namespace forkscope::log
