// Guest RAM: one memory file, mapped on the host once for ourselves and again for each view that the
// CPU needs (a view is the same bytes behind another host address).
#pragma once

#include <cstddef>
#include <cstdint>
#include <cstring>
#include <optional>
#include <span>
#include <type_traits>
#include <vector>

#include "emu/base/address.hpp"
#include "emu/base/result.hpp"
#include "emu/base/units.hpp"

namespace forkscope::mem {

// RAM below the hole that PC hardware keeps for devices under 4 GiB; the rest continues at 4 GiB.
inline constexpr uint64_t kLowRamLimit = 3 * kGiB;
inline constexpr uint64_t kHighRamBase = 4 * kGiB;

struct RamRegion {
    PhysAddr base;
    uint64_t size;    // bytes
    uint64_t offset;  // of its first byte in the memory file
};

class GuestRam {
public:
    // size: bytes, a multiple of 2 MiB, at least 2 MiB.
    static Result<GuestRam> create(uint64_t size);

    GuestRam(GuestRam&& other) noexcept;
    GuestRam& operator=(GuestRam&&) = delete;
    ~GuestRam();

    [[nodiscard]] uint64_t size() const { return size_; }
    // One region, or two when RAM reaches past kLowRamLimit.
    [[nodiscard]] std::span<const RamRegion> regions() const { return regions_; }

    // Whether [pa, pa + length) is all RAM, inside one region.
    [[nodiscard]] bool contains(PhysAddr pa, uint64_t length) const {
        return offset_of(pa, length).has_value();
    }
    [[nodiscard]] bool is_ram_frame(PhysAddr pa) const { return contains(pa.page_base(), kPageSize); }

    // Host pointer to [pa, pa + length), or null when that is not all RAM. Writing through it does not
    // tell the CPU: whoever writes code or page tables that way must say so to cpu and mmu.
    [[nodiscard]] uint8_t* at(PhysAddr pa, uint64_t length) {
        const auto offset = offset_of(pa, length);
        return offset ? base_ + *offset : nullptr;
    }
    [[nodiscard]] const uint8_t* at(PhysAddr pa, uint64_t length) const {
        const auto offset = offset_of(pa, length);
        return offset ? base_ + *offset : nullptr;
    }

    // A value at pa. Reads outside RAM give 0 and writes there do nothing; ask contains() where that matters.
    template <typename T>
    [[nodiscard]] T read(PhysAddr pa) const {
        static_assert(std::is_trivially_copyable_v<T>);
        T value{};
        if (const uint8_t* p = at(pa, sizeof(T))) std::memcpy(&value, p, sizeof(T));
        return value;
    }
    template <typename T>
    void write(PhysAddr pa, const T& value) {
        static_assert(std::is_trivially_copyable_v<T>);
        if (uint8_t* p = at(pa, sizeof(T))) std::memcpy(p, &value, sizeof(T));
    }

    // Maps the whole file once more. The view lives as long as this object; region.offset indexes it.
    Result<uint8_t*> map_view();

private:
    GuestRam(int fd, uint8_t* base, uint64_t size);

    [[nodiscard]] std::optional<uint64_t> offset_of(PhysAddr pa, uint64_t length) const {
        for (const RamRegion& r : regions_) {
            if (pa < r.base) continue;
            const uint64_t into = pa - r.base;
            if (into < r.size && length <= r.size - into) return r.offset + into;
        }
        return std::nullopt;
    }

    int fd_;
    uint8_t* base_;
    uint64_t size_;
    std::vector<RamRegion> regions_;
    std::vector<uint8_t*> views_;
};

}  // namespace forkscope::mem
