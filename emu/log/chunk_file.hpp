// Appends chunks to a log file. A chunk goes out with one write(2); when that fails half-way the file
// is cut back to its last whole chunk.
#pragma once

#include <cstdint>
#include <filesystem>
#include <memory>
#include <vector>

#include "emu/base/result.hpp"
#include "emu/log/format.hpp"

struct ZSTD_CCtx_s;

namespace forkscope::log {

class ChunkFile {
public:
    // Creates or empties the file and writes the file header. Leaves no new file behind when it fails.
    [[nodiscard]] static Result<std::unique_ptr<ChunkFile>> create(const std::filesystem::path& path);

    ~ChunkFile();
    ChunkFile(const ChunkFile&) = delete;
    ChunkFile& operator=(const ChunkFile&) = delete;

    // Compresses the payload if that makes it smaller. The entry's offset, kind and version are filled in.
    [[nodiscard]] Result<> append(ChunkKind kind, ByteView payload, Bytes summary, IndexEntry entry);

    // Index and end mark. Nothing may follow.
    [[nodiscard]] Result<> append_end(uint64_t events, uint64_t lost_events);

    // Takes back what create() made: closes and removes the file if it was not there before.
    void discard();

    [[nodiscard]] Result<> close();
    [[nodiscard]] uint64_t bytes() const { return bytes_; }

private:
    ChunkFile(std::filesystem::path path, int fd, bool created);
    [[nodiscard]] Result<> write_whole(ByteView bytes);
    [[nodiscard]] tl::unexpected<Error> error(int number) const;

    struct FreeContext {
        void operator()(ZSTD_CCtx_s* context) const;
    };

    std::filesystem::path path_;
    int fd_;
    bool created_;
    uint64_t bytes_ = 0;
    std::vector<IndexEntry> index_;
    std::unique_ptr<ZSTD_CCtx_s, FreeContext> zstd_;
    Bytes compressed_;
    Bytes out_;
};

}  // namespace forkscope::log
