// The bytes behind a disk.
#pragma once

#include <cstdint>
#include <span>

namespace forkscope::bus {

class BlockStore {
public:
    static constexpr uint64_t kSectorBytes = 512;

    virtual ~BlockStore() = default;
    [[nodiscard]] virtual uint64_t sectors() const = 0;
    [[nodiscard]] virtual bool read_only() const = 0;
    // Whole sectors inside the disk. False: the host could not.
    [[nodiscard]] virtual bool read(uint64_t sector, std::span<uint8_t> to) = 0;
    [[nodiscard]] virtual bool write(uint64_t sector, std::span<const uint8_t> from) = 0;
    [[nodiscard]] virtual bool flush() = 0;
};

}  // namespace forkscope::bus
