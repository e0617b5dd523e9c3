#include "emu/cpu/cpu.hpp"

namespace forkscope::cpu {

// SDM vol. 1, 19.5 "Protected-Mode I/O": by IOPL, or by the bit map in the task state.
bool Cpu::port_permitted(uint16_t port, unsigned bytes) {
    LiveState& s = core_.state();
    if (!s.protected_mode()) return true;
    const auto iopl = static_cast<unsigned>((s.eflags() & kFlagIopl) >> 12);
    if (s.cpl() <= iopl && (s.eflags() & kFlagVm) == 0) return true;
    constexpr uint64_t kMapBase = 0x66;
    const SegmentCache& tr = s.tr();
    if (tr.limit < kMapBase + 1) return false;
    SystemMemory memory(core_);
    const auto offset = memory.read(tr.base + kMapBase, 2, mmu::Privilege::ImplicitSupervisor);
    if (!offset) return false;
    const uint64_t at = *offset + port / 8;
    if (at + 1 > tr.limit) return false;
    const auto map = memory.read(tr.base + at, 2, mmu::Privilege::ImplicitSupervisor);
    if (!map) return false;
    const uint64_t mask = ((uint64_t{1} << bytes) - 1) << (port % 8);
    return (*map & mask) == 0;
}

}  // namespace forkscope::cpu
