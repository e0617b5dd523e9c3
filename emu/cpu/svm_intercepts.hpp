// How every flush and every HLT is seen: the engine carries the intercept checks of AMD's virtualization
// inside INVLPG, MOV CRn, LMSW, CLTS and WRMSR (AMD APM vol. 2, 15.9 "Instruction Intercepts"). Armed, they
// arrive in the interrupt hook before the instruction takes effect, wherever it stands in memory. PAUSE,
// which takes time, comes the same way, and HLT, since the engine's return does not tell it from a stop. The
// engine's own interrupt requests do too, when it is about to deliver them: INTR with interrupts enabled and
// outside an STI shadow, NMI at any block; they never reach the guest's IDT, but tell us that the moment is
// right.
#pragma once

#include <cstdint>
#include <vector>

#include "emu/cpu/live_state.hpp"

namespace forkscope::cpu {

// Exception numbers under which they arrive: 0x100 + the exit code.
inline constexpr int kInterceptCr0 = 0x110;
inline constexpr int kInterceptCr3 = 0x113;
inline constexpr int kInterceptCr4 = 0x114;
inline constexpr int kInterceptReadCr8 = 0x108;
inline constexpr int kInterceptWriteCr8 = 0x118;
inline constexpr int kInterceptIntr = 0x160;
inline constexpr int kInterceptNmi = 0x161;
inline constexpr int kInterceptReadDr = 0x120;  // DR0; the other seven follow
inline constexpr int kInterceptWriteDr = 0x130;
inline constexpr int kInterceptLidt = 0x16a;
inline constexpr int kInterceptLgdt = 0x16b;
inline constexpr int kInterceptLldt = 0x16c;
inline constexpr int kInterceptLtr = 0x16d;
inline constexpr int kInterceptRdpmc = 0x16f;
inline constexpr int kInterceptPause = 0x177;
inline constexpr int kInterceptHlt = 0x178;
inline constexpr int kInterceptInvlpg = 0x179;
inline constexpr int kInterceptMsr = 0x17c;
inline constexpr int kFirstIntercept = 0x100;

inline constexpr uint64_t kVmcbMsrMap = 0x48;  // offset of the MSR map's physical address in a VMCB
inline constexpr size_t kMsrMapBytes = 0x2000;

// What the map says of one register (APM vol. 2, 15.11 "MSR Intercepts": two bits each).
inline constexpr uint8_t kInterceptNothing = 0, kInterceptWrites = 2;

struct MsrRange {
    uint32_t first, last;
    uint8_t intercept;
};
// Registers that the engine keeps; those whose writes need a check come to us to be written. All others
// come to us both ways (msr_access.hpp).
inline constexpr MsrRange kEngineMsrs[] = {
    {0xfe, 0xfe, kInterceptNothing},    // MTRRcap
    {0x174, 0x174, kInterceptNothing},  // SYSENTER_CS
    {0x175, 0x176, kInterceptWrites},   // SYSENTER_ESP, SYSENTER_EIP
    {0x179, 0x17b, kInterceptNothing},  // machine check: capabilities, status, control
    {0x198, 0x198, kInterceptNothing},  // PERF_STATUS
    {0x1a0, 0x1a0, kInterceptNothing},  // MISC_ENABLE
    {0x200, 0x20f, kInterceptNothing},  // MTRRs
    {0x250, 0x250, kInterceptNothing},
    {0x258, 0x259, kInterceptNothing},
    {0x268, 0x26f, kInterceptNothing},
    {0x277, 0x277, kInterceptWrites},               // PAT
    {0x2ff, 0x2ff, kInterceptNothing},              // MTRRdefType
    {0x400, 0x427, kInterceptNothing},              // ten machine-check banks
    {0xc000'0080, 0xc000'0080, kInterceptWrites},   // EFER
    {0xc000'0081, 0xc000'0081, kInterceptNothing},  // STAR
    {0xc000'0082, 0xc000'0083, kInterceptWrites},   // LSTAR, CSTAR
    {0xc000'0084, 0xc000'0084, kInterceptNothing},  // FMASK
    {0xc000'0100, 0xc000'0102, kInterceptWrites},   // FS_BASE, GS_BASE, KERNEL_GS_BASE
    {0xc000'0103, 0xc000'0103, kInterceptNothing},  // TSC_AUX
};

// Three parts of 2 KiB: registers from 0, from c000_0000 and from c001_0000 on. What is in none is
// intercepted always.
[[nodiscard]] inline std::vector<uint8_t> msr_permission_map() {
    constexpr uint32_t kPartBytes = 0x800;
    std::vector<uint8_t> map(kMsrMapBytes, 0xff);
    for (const MsrRange& range : kEngineMsrs) {
        for (uint32_t msr = range.first; msr <= range.last; ++msr) {
            const uint32_t byte = (msr >= 0xc000'0000 ? kPartBytes : 0) + (msr & 0x1fff) / 4;
            const unsigned shift = msr % 4 * 2;
            map[byte] =
                static_cast<uint8_t>((map[byte] & ~(3u << shift)) | unsigned{range.intercept} << shift);
        }
    }
    return map;
}

// vmcb: a physical address that the guest cannot reach, whose word at kVmcbMsrMap leads to the map.
inline void arm_intercepts(LiveState& state, uint64_t vmcb) {
    constexpr uint16_t kCr8 = 0x100, kCr0Cr3Cr4 = 0x19;
    state.vm_vmcb() = vmcb;
    state.intercept() = 0;
    for (const int number :
         {kInterceptIntr, kInterceptNmi, kInterceptLidt, kInterceptLgdt, kInterceptLldt, kInterceptLtr,
          kInterceptRdpmc, kInterceptPause, kInterceptHlt, kInterceptInvlpg, kInterceptMsr})
        state.intercept() |= uint64_t{1} << (number - kInterceptIntr);
    state.intercept_cr_read() = kCr8;
    state.intercept_cr_write() = kCr0Cr3Cr4 | kCr8;
    state.intercept_dr_read() = state.intercept_dr_write() = 0xff;
    state.hflags() |= kHfGuest;
}

}  // namespace forkscope::cpu
