// How every flush and every HLT is seen: the engine carries the intercept checks of AMD's virtualization
// inside INVLPG, MOV CRn, LMSW, CLTS and WRMSR (AMD APM vol. 2, 15.9 "Instruction Intercepts"). Armed, they
// arrive in the interrupt hook before the instruction takes effect, wherever it stands in memory. HLT comes
// the same way, since the engine's return does not tell it from a stop. The engine's own interrupt requests
// do too, when it is about to deliver them: INTR with interrupts enabled and outside an STI shadow, NMI at
// any block; they never reach the guest's IDT, but tell us that the moment is right.
#pragma once

#include <cstdint>
#include <vector>

#include "emu/cpu/live_state.hpp"

namespace forkscope::cpu {

// Exception numbers under which they arrive: 0x100 + the exit code.
inline constexpr int kInterceptCr0 = 0x110;
inline constexpr int kInterceptCr3 = 0x113;
inline constexpr int kInterceptCr4 = 0x114;
inline constexpr int kInterceptIntr = 0x160;
inline constexpr int kInterceptNmi = 0x161;
inline constexpr int kInterceptHlt = 0x178;
inline constexpr int kInterceptInvlpg = 0x179;
inline constexpr int kInterceptMsr = 0x17c;
inline constexpr int kFirstIntercept = 0x100;

inline constexpr uint64_t kVmcbMsrMap = 0x48;  // offset of the MSR map's physical address in a VMCB
inline constexpr size_t kMsrMapBytes = 0x2000;

// The map that intercepts writes of EFER alone (APM vol. 2, 15.11 "MSR Intercepts": two bits an MSR,
// read and write; the second 2 KiB cover c000_0000..c000_1fff).
[[nodiscard]] inline std::vector<uint8_t> msr_permission_map() {
    std::vector<uint8_t> map(kMsrMapBytes, 0);
    map[0x800 + 0x80 / 4] = 2;
    return map;
}

// vmcb: a physical address that the guest cannot reach, whose word at kVmcbMsrMap leads to the map.
inline void arm_intercepts(LiveState& state, uint64_t vmcb) {
    constexpr unsigned kIntrBit = 0, kNmiBit = 1, kHltBit = 24, kInvlpgBit = 25, kMsrBit = 28;
    constexpr uint16_t kCr0Cr3Cr4 = 0x19;
    state.vm_vmcb() = vmcb;
    state.intercept() = (uint64_t{1} << kIntrBit) | (uint64_t{1} << kNmiBit) | (uint64_t{1} << kHltBit) |
                        (uint64_t{1} << kInvlpgBit) | (uint64_t{1} << kMsrBit);
    state.intercept_cr_write() = kCr0Cr3Cr4;
    state.hflags() |= kHfGuest;
}

}  // namespace forkscope::cpu
