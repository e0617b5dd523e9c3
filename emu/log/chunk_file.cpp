// The writing side of a log file, chunk by chunk.
#include "emu/log/chunk_file.hpp"

#include <fcntl.h>
#include <sys/file.h>
#include <sys/stat.h>
#include <unistd.h>
#include <zstd.h>

#include <cassert>
#include <cerrno>
#include <cstring>
#include <new>

namespace forkscope::log {

namespace {

// Level 1 holds a realistic stream at some 6 bytes an event; level 3 gains a tenth and costs twice the time.
constexpr int kCompressionLevel = 1;

}  // namespace

void ChunkFile::FreeContext::operator()(ZSTD_CCtx_s* context) const { ZSTD_freeCCtx(context); }

ChunkFile::ChunkFile(std::filesystem::path path, int fd, bool created)
    : path_(std::move(path)), fd_(fd), created_(created), zstd_(ZSTD_createCCtx()) {
    if (!zstd_) throw std::bad_alloc();
    ZSTD_CCtx_setParameter(zstd_.get(), ZSTD_c_compressionLevel, kCompressionLevel);
}

ChunkFile::~ChunkFile() {
    if (fd_ >= 0) ::close(fd_);
}

Result<std::unique_ptr<ChunkFile>> ChunkFile::create(const std::filesystem::path& path) {
    constexpr int kFlags = O_WRONLY | O_CREAT | O_CLOEXEC;
    bool created = true;
    int fd = ::open(path.c_str(), kFlags | O_EXCL, 0666);
    if (fd < 0 && errno == EEXIST) {
        created = false;
        fd = ::open(path.c_str(), kFlags, 0666);
    }
    if (fd < 0) return fail("cannot write the log '{}': {}", path.string(), std::strerror(errno));
    std::unique_ptr<ChunkFile> file(new ChunkFile(path, fd, created));

    // Before the file is emptied: it may be the log of a run that still goes on.
    if (::flock(fd, LOCK_EX | LOCK_NB) != 0 && errno == EWOULDBLOCK)
        return fail("cannot write the log '{}': another run is writing it", path.string());
    struct stat status {};
    if (::fstat(fd, &status) == 0 && S_ISREG(status.st_mode) && ::ftruncate(fd, 0) != 0)
        return file->error(errno);
    if (auto written = file->write_whole(encode_file_header(kFormatVersion)); !written) {
        file->discard();
        return tl::make_unexpected(written.error());
    }
    return file;
}

tl::unexpected<Error> ChunkFile::error(int number) const {
    return fail("cannot write the log '{}': {}", path_.string(), std::strerror(number));
}

Result<> ChunkFile::write_whole(ByteView bytes) {
    size_t done = 0;
    while (done < bytes.size()) {
        const ssize_t n = ::write(fd_, bytes.data() + done, bytes.size() - done);
        if (n > 0) {
            done += static_cast<size_t>(n);
        } else if (n == 0 || errno != EINTR) {
            const int number = n == 0 ? ENOSPC : errno;
            // Back to the last whole chunk. Not possible on a pipe or a device, where it does not matter.
            if (done != 0 && ::ftruncate(fd_, static_cast<off_t>(bytes_)) == 0)
                (void)::lseek(fd_, static_cast<off_t>(bytes_), SEEK_SET);
            return error(number);
        }
    }
    bytes_ += bytes.size();
    return {};
}

Result<> ChunkFile::append(ChunkKind kind, ByteView payload, Bytes summary, IndexEntry entry) {
    if (payload.size() > kMaxRawBytes)
        return fail("a chunk of {} bytes, where at most {} are allowed", payload.size(), kMaxRawBytes);
    assert(summary.size() <= kMaxSummaryBytes);
    compressed_.resize(ZSTD_compressBound(payload.size()));
    const size_t packed =
        ZSTD_compress2(zstd_.get(), compressed_.data(), compressed_.size(), payload.data(), payload.size());
    const bool smaller = ZSTD_isError(packed) == 0 && packed < payload.size();
    const ByteView stored = smaller ? ByteView(compressed_).first(packed) : payload;

    ChunkHead head;
    head.kind = kind;
    head.version = known_version(kind);
    head.codec = smaller ? Codec::Zstd : Codec::Stored;
    head.stored_bytes = static_cast<uint32_t>(stored.size());
    head.raw_bytes = static_cast<uint32_t>(payload.size());
    head.number = index_.size();
    head.payload_hash = hash_bytes(stored);
    head.summary = std::move(summary);

    entry.offset = bytes_;
    entry.kind = kind;
    entry.version = head.version;
    out_ = encode_head(head);
    out_.insert(out_.end(), stored.begin(), stored.end());
    TRY_VOID(write_whole(out_));
    index_.push_back(entry);
    return {};
}

Result<> ChunkFile::append_end(uint64_t events, uint64_t lost_events) {
    EndSummary end;
    end.index_offset = bytes_;
    end.events = events;
    end.lost_events = lost_events;
    TRY_VOID(append(ChunkKind::Index, encode_index(index_), {}, {}));
    end.chunks = index_.size() + 1;
    return append(ChunkKind::End, {}, encode_summary(end), {});
}

void ChunkFile::discard() {
    if (created_) (void)::unlink(path_.c_str());
    ::close(fd_);
    fd_ = -1;
}

Result<> ChunkFile::close() {
    const int result = ::close(fd_);
    fd_ = -1;
    if (result != 0 && errno != EINTR) return error(errno);
    return {};
}

}  // namespace forkscope::log
