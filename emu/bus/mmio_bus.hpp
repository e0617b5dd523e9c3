// Physical address ranges that are devices, not RAM.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "emu/base/address.hpp"
#include "emu/base/result.hpp"
#include "emu/base/units.hpp"
#include "emu/bus/access.hpp"

namespace forkscope::bus {

struct MmioAccess {
    uint64_t offset;  // bytes from the start of the device's range
    Width width;      // one of the device's widths
    CpuId cpu;
};

// A device behind memory addresses. It does not know its address. An access lies wholly inside the range.
class MmioDevice {
public:
    virtual ~MmioDevice() = default;

    // The widths that the device decodes; asked once, at insert.
    [[nodiscard]] virtual WidthSet widths() const {
        return width_set(Width::Byte, Width::Word, Width::Dword, Width::Qword);
    }
    // Bits above the width are ignored.
    [[nodiscard]] virtual uint64_t read(const MmioAccess& access) = 0;
    // Bits above the width are 0.
    virtual void write(const MmioAccess& access, uint64_t value) = 0;
};

struct MmioRange {
    PhysAddr base;
    uint64_t size;  // bytes, at least 1
};

class MmioBus {
public:
    struct Claim {
        std::string name;
        MmioRange range;
        MmioDevice* device;
        WidthSet widths;
        AccessCounts counts;
    };
    struct UnclaimedCounts {
        uint64_t reads = 0;
        uint64_t writes = 0;
    };
    using UnclaimedHandler = std::function<void(PhysAddr pa, Width width, Direction direction)>;

    // A guest can touch any number of unclaimed pages; this many are told apart, the rest only counted.
    static constexpr size_t kMaxUnclaimedPages = 1024;

    // The device must outlive the bus. An error names both owners of an address, and claims nothing.
    Result<> insert(std::string_view name, MmioRange range, MmioDevice& device);

    // Same rules as PortBus. Addresses past the end of the physical address space belong to nobody.
    [[nodiscard]] uint64_t read(PhysAddr pa, Width width, CpuId cpu);
    void write(PhysAddr pa, Width width, uint64_t value, CpuId cpu);

    [[nodiscard]] bool is_claimed(PhysAddr pa) const { return find(pa) != nullptr; }

    // Called at the first access to each unclaimed page.
    void on_unclaimed(UnclaimedHandler handler) { unclaimed_handler_ = std::move(handler); }
    // By page base address, for the first kMaxUnclaimedPages pages.
    [[nodiscard]] const std::map<PhysAddr, UnclaimedCounts>& unclaimed() const { return unclaimed_; }
    [[nodiscard]] const UnclaimedCounts& unclaimed_total() const { return unclaimed_total_; }
    // In order of address.
    [[nodiscard]] const std::vector<Claim>& claims() const { return claims_; }

private:
    [[nodiscard]] const Claim* find(PhysAddr pa) const;
    [[nodiscard]] Claim* find(PhysAddr pa) {
        return const_cast<Claim*>(static_cast<const MmioBus*>(this)->find(pa));
    }
    // Owner of all of [pa, pa + bytes), or null with *split set when it has several owners.
    [[nodiscard]] Claim* owner_of(PhysAddr pa, unsigned bytes, bool* split);
    void note_unclaimed(PhysAddr pa, Width width, Direction direction);

    std::vector<Claim> claims_;
    std::map<PhysAddr, UnclaimedCounts> unclaimed_;
    UnclaimedCounts unclaimed_total_;
    UnclaimedHandler unclaimed_handler_;
};

}  // namespace forkscope::bus
