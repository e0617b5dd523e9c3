// Opening a log: its frame by the index, or chunk by chunk where there is none.
#include "emu/log/reader.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <new>

#include "emu/base/units.hpp"

namespace forkscope::log {

struct Reader::Zstd {
    Zstd() : context(ZSTD_createDCtx()) {
        if (context == nullptr) throw std::bad_alloc();
    }
    ~Zstd() { ZSTD_freeDCtx(context); }
    Zstd(const Zstd&) = delete;
    Zstd& operator=(const Zstd&) = delete;
    ZSTD_DCtx* context;
};

Reader::Reader(int fd, uint64_t file_bytes)
    : fd_(fd), file_bytes_(file_bytes), zstd_(std::make_unique<Zstd>()) {}

Reader::~Reader() { ::close(fd_); }

Result<std::unique_ptr<Reader>> Reader::open(const std::filesystem::path& path) {
    const int fd = ::open(path.c_str(), O_RDONLY | O_CLOEXEC);
    if (fd < 0) return fail("cannot read the log '{}': {}", path.string(), std::strerror(errno));
    std::unique_ptr<Reader> reader(new Reader(fd, 0));
    struct stat status {};
    if (::fstat(fd, &status) != 0)
        return fail("cannot read the log '{}': {}", path.string(), std::strerror(errno));
    if (!S_ISREG(status.st_mode)) return fail("cannot read the log '{}': not a regular file", path.string());
    reader->file_bytes_ = static_cast<uint64_t>(status.st_size);
    TRY_VOID(reader->read_frame(path));
    return reader;
}

Result<> Reader::read_frame(const std::filesystem::path& path) {
    Bytes header;
    if (!read_at(0, std::min<size_t>(file_bytes_, kFileHeaderBytes), header))
        return fail("cannot read the log '{}'", path.string());
    const bool magic = std::equal(
        header.begin(), header.begin() + static_cast<ptrdiff_t>(std::min(header.size(), kFileMagic.size())),
        kFileMagic.begin());
    if (header.empty()) return fail("'{}' is empty, a Forkscope log was expected", path.string());
    if (header.size() < kFileHeaderBytes && magic)
        return fail("the log '{}' is cut inside its header: {} bytes of {}", path.string(), header.size(),
                    kFileHeaderBytes);
    if (const auto version = decode_file_header(header)) {
        if (*version > kFormatVersion) unknown_.file_version = *version;
    } else if (magic || head_at(kFileHeaderBytes)) {
        damage_.header = true;
    } else {
        return fail("'{}' is not a Forkscope log", path.string());
    }
    if (!read_by_index()) scan();
    read_meta();
    return {};
}

bool Reader::read_by_index() {
    if (file_bytes_ < kFileHeaderBytes + kEndChunkBytes) return false;
    const uint64_t end_offset = file_bytes_ - kEndChunkBytes;
    const auto end_head = head_at(end_offset);
    if (!end_head || end_head->kind != ChunkKind::End || !end_head->readable()) return false;
    const auto end = decode_end_summary(end_head->summary);
    if (!end || end->index_offset >= end_offset) return false;
    const auto index_head = head_at(end->index_offset);
    if (!index_head || index_head->kind != ChunkKind::Index || !index_head->readable()) return false;
    if (end->index_offset + index_head->bytes_in_file() != end_offset) return false;
    const auto bytes = payload(end->index_offset, *index_head);
    if (!bytes) return false;
    const auto entries = decode_index(*bytes);
    if (!entries || entries->size() + 2 != end->chunks) return false;
    uint64_t previous = kFileHeaderBytes - 1;
    for (const IndexEntry& entry : *entries) {
        if (entry.offset <= previous || entry.offset >= end->index_offset) return false;
        previous = entry.offset;
    }
    for (IndexEntry entry : *entries) {
        entry.first_event = event_count_;
        add_chunk(entry);
    }
    add_chunk(end->index_offset, *index_head, nullptr);
    add_chunk(end_offset, *end_head, nullptr);
    damage_.unwritten_events = end->lost_events;
    damage_.last_chunk = end_head->number;
    return true;
}

void Reader::scan() {
    uint64_t offset = kFileHeaderBytes;
    uint64_t next_number = 0;
    uint64_t next_event = 0;
    damage_.no_end = true;
    while (offset < file_bytes_ && damage_.no_end) {
        const auto head = head_at(offset);
        if (!head) {
            const auto later = find_head_after(offset);
            if (!later) break;
            damage_.damaged_bytes += *later - offset;
            offset = *later;
            continue;
        }
        if (head->bytes_in_file() > file_bytes_ - offset) break;
        if (head->number > next_number) damage_.damaged_chunks += head->number - next_number;
        next_number = head->number + 1;
        damage_.last_chunk = head->number;
        if (head->kind == ChunkKind::Events && head->readable()) {
            const auto summary = decode_events_summary(head->summary);
            if (summary && summary->first_event > next_event)
                damage_.missing_events += summary->first_event - next_event;
            if (summary) next_event = summary->first_event + summary->count;
            add_chunk(offset, *head, summary ? &*summary : nullptr);
        } else {
            add_chunk(offset, *head, nullptr);
        }
        if (head->kind == ChunkKind::End && head->readable()) {
            damage_.no_end = false;
            if (const auto end = decode_end_summary(head->summary))
                damage_.unwritten_events = end->lost_events;
        }
        offset += head->bytes_in_file();
    }
    damage_.ignored_bytes = file_bytes_ - std::min(offset, file_bytes_);
}

// The next place from which a whole head can be read, by its magic.
std::optional<uint64_t> Reader::find_head_after(uint64_t offset) {
    constexpr size_t kWindow = 64 * kKiB;
    uint8_t magic[sizeof(kChunkMagic)];
    std::memcpy(magic, &kChunkMagic, sizeof(magic));
    Bytes window;
    for (uint64_t start = offset + 1; start + kChunkHeadBytes <= file_bytes_; start += kWindow) {
        const auto bytes =
            static_cast<size_t>(std::min<uint64_t>(kWindow + sizeof(magic) - 1, file_bytes_ - start));
        if (!read_at(start, bytes, window)) return std::nullopt;
        auto at = window.begin();
        while ((at = std::search(at, window.end(), std::begin(magic), std::end(magic))) != window.end()) {
            const uint64_t found = start + static_cast<uint64_t>(at - window.begin());
            if (head_at(found)) return found;
            ++at;
        }
    }
    return std::nullopt;
}

void Reader::add_chunk(uint64_t offset, const ChunkHead& head, const EventsSummary* events) {
    IndexEntry entry;
    entry.offset = offset;
    entry.kind = head.kind;
    entry.version = head.version;
    entry.first_event = event_count_;
    if (events != nullptr) {
        entry.first_icount = events->first_icount;
        entry.last_icount = events->last_icount;
        entry.count = events->count;
        entry.first_event = events->first_event;
    }
    add_chunk(entry);
}

void Reader::add_chunk(const IndexEntry& entry) {
    if (known_version(entry.kind) == 0 || entry.version > known_version(entry.kind)) ++unknown_.chunks;
    event_count_ += entry.count;
    const uint64_t latest = latest_icount_.empty() ? 0 : latest_icount_.back();
    latest_icount_.push_back(std::max(latest, entry.last_icount));
    damaged_.push_back(false);
    chunks_.push_back(entry);
}

void Reader::read_meta() {
    for (size_t i = 0; i < chunks_.size(); ++i) {
        if (chunks_[i].kind != ChunkKind::Meta || chunks_[i].version > known_version(ChunkKind::Meta))
            continue;
        const auto head = head_at(chunks_[i].offset);
        const auto text = head ? payload(chunks_[i].offset, *head) : std::nullopt;
        auto meta = text ? meta_from_json({reinterpret_cast<const char*>(text->data()), text->size()})
                         : Result<Meta>(fail("no meta"));
        if (meta) {
            meta_ = std::move(*meta);
        } else {
            chunk_is_damaged(i);
        }
        return;
    }
}

bool Reader::read_at(uint64_t offset, size_t bytes, Bytes& into) {
    into.resize(bytes);
    size_t done = 0;
    while (done < bytes) {
        const ssize_t n = ::pread(fd_, into.data() + done, bytes - done, static_cast<off_t>(offset + done));
        if (n > 0) {
            done += static_cast<size_t>(n);
        } else if (n == 0 || errno != EINTR) {
            return false;
        }
    }
    return true;
}

std::optional<ChunkHead> Reader::head_at(uint64_t offset) {
    Bytes bytes;
    if (offset > file_bytes_ || file_bytes_ - offset < kChunkHeadBytes) return std::nullopt;
    if (!read_at(offset, kChunkHeadBytes, bytes)) return std::nullopt;
    const auto summary = summary_bytes_of(bytes);
    if (!summary || file_bytes_ - offset - kChunkHeadBytes < *summary) return std::nullopt;
    if (!read_at(offset, kChunkHeadBytes + *summary, bytes)) return std::nullopt;
    return decode_head(bytes);
}

std::optional<ByteView> Reader::stored_payload(uint64_t offset, const ChunkHead& head) {
    if (head.bytes_in_file() > file_bytes_ - offset) return std::nullopt;
    if (!read_at(offset + kChunkHeadBytes + head.summary.size(), head.stored_bytes, stored_))
        return std::nullopt;
    if (hash_bytes(stored_) != head.payload_hash) return std::nullopt;
    return stored_;
}

std::optional<ByteView> Reader::payload(uint64_t offset, const ChunkHead& head) {
    const auto stored = stored_payload(offset, head);
    if (!stored || head.codec == Codec::Stored) return stored;
    raw_.resize(head.raw_bytes);
    const size_t size =
        ZSTD_decompressDCtx(zstd_->context, raw_.data(), raw_.size(), stored->data(), stored->size());
    if (ZSTD_isError(size) != 0 || size != head.raw_bytes) return std::nullopt;
    return raw_;
}

void Reader::chunk_is_damaged(size_t chunk) {
    if (damaged_[chunk]) return;
    damaged_[chunk] = true;
    ++damage_.damaged_chunks;
    damage_.missing_events += chunks_[chunk].count;
    damaged_events_ += chunks_[chunk].count;
}

}  // namespace forkscope::log
