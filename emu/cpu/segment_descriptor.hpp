// Segment descriptors and gates as they lie in memory (Intel SDM vol. 3, 3.4.5 "Segment Descriptors",
// 6.11 "IDT Descriptors", 6.14.1 "64-Bit Mode IDT").
#pragma once

#include <cstdint>

#include "emu/base/bits.hpp"
#include "emu/cpu/live_state.hpp"

namespace forkscope::cpu {

class SegmentDescriptor {
public:
    explicit constexpr SegmentDescriptor(uint64_t raw) : raw_(raw) {}

    [[nodiscard]] constexpr uint32_t base() const {
        return static_cast<uint32_t>(bits(raw_, 39, 16) | (bits(raw_, 63, 56) << 24));
    }
    [[nodiscard]] constexpr uint32_t limit() const {
        const auto raw = static_cast<uint32_t>(bits(raw_, 15, 0) | (bits(raw_, 51, 48) << 16));
        return (raw_ & bit(55)) != 0 ? (raw << 12) | 0xfff : raw;
    }
    // The second word, as the engine's segment caches keep it.
    [[nodiscard]] constexpr uint32_t flags() const { return static_cast<uint32_t>(raw_ >> 32); }
    [[nodiscard]] constexpr bool accessed() const { return (raw_ & bit(40)) != 0; }
    [[nodiscard]] constexpr bool is_code() const { return (raw_ & bit(44)) != 0 && (raw_ & bit(43)) != 0; }
    [[nodiscard]] constexpr bool is_writable_data() const {
        return (raw_ & bit(44)) != 0 && (raw_ & bit(43)) == 0 && (raw_ & bit(41)) != 0;
    }
    [[nodiscard]] constexpr bool is_readable() const {
        return (raw_ & bit(44)) != 0 && ((raw_ & bit(43)) == 0 || (raw_ & bit(41)) != 0);
    }
    [[nodiscard]] constexpr bool conforming() const { return (raw_ & bit(42)) != 0; }
    [[nodiscard]] constexpr unsigned dpl() const { return static_cast<unsigned>(bits(raw_, 46, 45)); }
    [[nodiscard]] constexpr bool present() const { return (raw_ & bit(47)) != 0; }
    [[nodiscard]] constexpr bool long_code() const { return (raw_ & bit(53)) != 0; }
    [[nodiscard]] constexpr bool default_32() const { return (raw_ & bit(54)) != 0; }

    [[nodiscard]] SegmentCache cache(uint16_t selector) const {
        return {selector, 0, base(), limit(), flags()};
    }

private:
    uint64_t raw_;
};

// One gate of the IDT; `high` is the second half of a 16-byte gate, else 0.
class Gate {
public:
    constexpr Gate(uint64_t low, uint64_t high) : low_(low), high_(high) {}

    [[nodiscard]] constexpr uint64_t offset() const {
        return bits(low_, 15, 0) | (bits(low_, 63, 48) << 16) | (bits(high_, 31, 0) << 32);
    }
    [[nodiscard]] constexpr uint16_t selector() const { return static_cast<uint16_t>(bits(low_, 31, 16)); }
    [[nodiscard]] constexpr unsigned ist() const { return static_cast<unsigned>(bits(low_, 34, 32)); }
    [[nodiscard]] constexpr unsigned type() const { return static_cast<unsigned>(bits(low_, 44, 40)); }
    [[nodiscard]] constexpr unsigned dpl() const { return static_cast<unsigned>(bits(low_, 46, 45)); }
    [[nodiscard]] constexpr bool present() const { return (low_ & bit(47)) != 0; }

    static constexpr unsigned kTask = 0x5, kInterrupt16 = 0x6, kTrap16 = 0x7, kInterrupt32 = 0xe,
                              kTrap32 = 0xf;
    [[nodiscard]] constexpr bool masks_interrupts() const {
        return type() == kInterrupt16 || type() == kInterrupt32;
    }
    [[nodiscard]] constexpr bool is_16bit() const { return type() == kInterrupt16 || type() == kTrap16; }

private:
    uint64_t low_;
    uint64_t high_;
};

}  // namespace forkscope::cpu
