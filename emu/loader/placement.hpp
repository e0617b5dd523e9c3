// The pieces that go into RAM. They are gathered and checked first, and written together at the end.
#pragma once

#include <cstdint>
#include <span>
#include <string>
#include <vector>

#include "emu/base/address.hpp"
#include "emu/base/result.hpp"
#include "emu/loader/boot_plan.hpp"
#include "emu/loader/memory_map.hpp"
#include "emu/mem/guest_ram.hpp"

namespace forkscope::loader {

class Placement {
public:
    explicit Placement(mem::GuestRam& ram)
        : ram_(ram), map_(build_memory_map(ram)), low_end_(ram.regions().front().size) {}

    // [base, base + size) gets `bytes` and zeros after them; bytes.size() <= size. They must live until
    // commit(). `what` begins an error message: "kernel.elf: segment 1 (program header at offset 0x78)".
    Result<> add(const std::string& what, const std::string& name, PhysAddr base, uint64_t size,
                 std::span<const uint8_t> bytes);
    // The same at the highest page below `limit` that is free.
    Result<PhysAddr> add_high(const std::string& what, const std::string& name,
                              std::span<const uint8_t> bytes, PhysAddr limit = kInitrdLimit);
    // The same at the lowest page from `from` on that is free, below 4 GiB.
    Result<PhysAddr> add_above(const std::string& what, const std::string& name, PhysAddr from,
                               std::span<const uint8_t> bytes);
    // The same for bytes that the loader made itself.
    Result<> add_owned(const std::string& name, PhysAddr base, std::vector<uint8_t> bytes);
    // Gives the piece that was added at `base`, without bytes, what it is to hold; it must fit.
    void fill(PhysAddr base, std::vector<uint8_t> bytes);

    // Takes whole pages from the end of RAM below 4 GiB and tells the guest that they are reserved. Before
    // anything is added. `what` begins an error message.
    Result<PhysAddr> reserve_end(const std::string& what, uint64_t size);

    [[nodiscard]] const std::vector<MemoryRange>& map() const { return map_; }
    [[nodiscard]] bool is_ram(PhysAddr base, uint64_t size) const;
    // Whether all of [base, base + size) is in one piece that was added.
    [[nodiscard]] bool covers(PhysAddr base, uint64_t size) const;

    // Writes everything; cannot fail. Returns what went where, in order of address.
    std::vector<PlacedRange> commit();

private:
    struct Piece {
        PlacedRange range;
        std::span<const uint8_t> bytes;
    };

    [[nodiscard]] const Piece* overlapping(PhysAddr base, uint64_t size) const;
    // Why [base, base + size) is not RAM, as the end of an error message.
    [[nodiscard]] std::string refusal(PhysAddr base, uint64_t size) const;

    mem::GuestRam& ram_;
    std::vector<MemoryRange> map_;
    uint64_t low_end_;  // of RAM below 4 GiB
    std::vector<Piece> pieces_;
    std::vector<std::vector<uint8_t>> owned_;
};

}  // namespace forkscope::loader
