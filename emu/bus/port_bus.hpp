// The 64 Ki I/O ports and the devices behind them.
#pragma once

#include <cstdint>
#include <functional>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "emu/base/result.hpp"
#include "emu/base/units.hpp"
#include "emu/bus/access.hpp"

namespace forkscope::bus {

inline constexpr uint32_t kPortCount = 0x10000;

struct PortAccess {
    uint16_t offset;  // from the start of the device's range
    Width width;      // Byte, Word or Dword; one of the device's widths
    CpuId cpu;
};

// A device behind ports. It does not know its address; one that owns several ranges offers one
// PortDevice for each. An access lies wholly inside the range.
class PortDevice {
public:
    virtual ~PortDevice() = default;

    // The widths that the device decodes; asked once, at insert.
    [[nodiscard]] virtual WidthSet widths() const { return width_set(Width::Byte); }
    // Bits above the width are ignored.
    [[nodiscard]] virtual uint32_t read(const PortAccess& access) = 0;
    // Bits above the width are 0.
    virtual void write(const PortAccess& access, uint32_t value) = 0;
};

struct PortRange {
    uint16_t first;
    uint32_t count;  // ports, at least 1
};

class PortBus {
public:
    struct Claim {
        std::string name;
        PortRange range;
        PortDevice* device;
        WidthSet widths;
        AccessCounts counts;
    };
    struct UnclaimedCounts {
        uint64_t reads = 0;
        uint64_t writes = 0;
    };
    using UnclaimedHandler = std::function<void(uint16_t port, Width width, Direction direction)>;

    PortBus();

    // The device must outlive the bus. An error names both owners of a port, and claims nothing.
    Result<> insert(std::string_view name, PortRange range, PortDevice& device);

    // An access inside one range reaches its device in one piece if the device decodes that width, else
    // in the widest pieces that it does decode, lowest address first, as the chipset of a PC does for
    // 8-bit devices. An access that touches several ranges is split into bytes. Where nobody answers,
    // reads give all ones and writes are dropped; so do pieces narrower than any width of the device.
    // Ports past 0xffff belong to nobody.
    [[nodiscard]] uint32_t read(uint16_t port, Width width, CpuId cpu);
    void write(uint16_t port, Width width, uint32_t value, CpuId cpu);

    // Called at the first access to each unclaimed port.
    void on_unclaimed(UnclaimedHandler handler) { unclaimed_handler_ = std::move(handler); }
    // Accesses to ports without an owner, by port; an access that is split counts at each such byte.
    [[nodiscard]] const std::map<uint16_t, UnclaimedCounts>& unclaimed() const { return unclaimed_; }
    [[nodiscard]] const std::vector<Claim>& claims() const { return claims_; }

private:
    using ClaimIndex = uint16_t;
    static constexpr ClaimIndex kNobody = 0xffff;

    // Owner of all of [port, port + bytes), or kNobody with *split set when it has several owners.
    [[nodiscard]] ClaimIndex owner_of(uint32_t port, unsigned bytes, bool* split) const;
    void note_unclaimed(uint16_t port, Width width, Direction direction);

    std::vector<ClaimIndex> owners_;  // by port
    std::vector<Claim> claims_;
    std::map<uint16_t, UnclaimedCounts> unclaimed_;
    UnclaimedHandler unclaimed_handler_;
};

}  // namespace forkscope::bus
