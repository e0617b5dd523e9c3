// The CPU's own accesses to guest memory by linear address: descriptor tables, task state, exception
// frames. They go through our MMU as any other access does, and can fault.
#pragma once

#include <cstdint>
#include <span>

#include "emu/cpu/cpu_core.hpp"
#include "emu/cpu/exception.hpp"

namespace forkscope::cpu {

// An MMU fault as the exception that it raises.
[[nodiscard]] Exception exception_of(const mmu::Fault& fault);

class SystemMemory {
public:
    explicit SystemMemory(CpuCore& core) : core_(core) {}

    // Little-endian, size 1..8 bytes, anywhere.
    [[nodiscard]] Guarded<uint64_t> read(uint64_t linear, unsigned size, mmu::Privilege privilege);

    // All of it or, on a fault, nothing. Addresses wrap at 4 GiB outside 64-bit mode.
    [[nodiscard]] Guarded<bool> write(uint64_t linear, std::span<const uint8_t> bytes,
                                      mmu::Privilege privilege);

    // The same for words that are pushed from the top down: a fault is that of the first of them that cannot
    // be.
    [[nodiscard]] Guarded<bool> push(uint64_t linear, std::span<const uint8_t> bytes, unsigned word_bytes,
                                     mmu::Privilege privilege);

    // By physical address, for a device. False, and nothing done, if not all of it is RAM.
    [[nodiscard]] bool write_for_device(PhysAddr to, std::span<const uint8_t> bytes);

private:
    CpuCore& core_;
};

}  // namespace forkscope::cpu
