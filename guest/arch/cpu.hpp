// Control registers, model-specific registers and CPUID.
#pragma once

#include <stdint.h>

#include "guest/lib/address.hpp"

namespace guest {

inline constexpr uint64_t kCr0Mp = 1u << 1, kCr0Em = 1u << 2, kCr0Ts = 1u << 3, kCr0Ne = 1u << 5,
                          kCr0Wp = 1u << 16, kCr0Am = 1u << 18;
inline constexpr uint64_t kCr4Tsd = 1u << 2, kCr4Pge = 1u << 7, kCr4OsFxsr = 1u << 9,
                          kCr4OsXmmExcpt = 1u << 10, kCr4Smep = 1u << 20, kCr4Smap = 1u << 21;

inline constexpr uint32_t kMsrEfer = 0xc0000080, kMsrStar = 0xc0000081, kMsrLstar = 0xc0000082,
                          kMsrCstar = 0xc0000083, kMsrSyscallMask = 0xc0000084, kMsrFsBase = 0xc0000100,
                          kMsrGsBase = 0xc0000101, kMsrKernelGsBase = 0xc0000102;
inline constexpr uint64_t kEferSce = 1;

inline constexpr uint64_t kFlagsTf = 1u << 8, kFlagsDf = 1u << 10, kFlagsNt = 1u << 14, kFlagsRf = 1u << 16,
                          kFlagsAc = 1u << 18, kFlagsIopl = 3u << 12;

inline uint64_t read_cr0() {
    uint64_t value;
    asm volatile("movq %%cr0, %0" : "=r"(value));
    return value;
}
inline void write_cr0(uint64_t value) { asm volatile("movq %0, %%cr0" : : "r"(value) : "memory"); }
inline VirtAddr read_cr2() {
    uint64_t value;
    asm volatile("movq %%cr2, %0" : "=r"(value));
    return VirtAddr(value);
}
inline PhysAddr read_cr3() {
    uint64_t value;
    asm volatile("movq %%cr3, %0" : "=r"(value) : : "memory");
    return PhysAddr(value);
}
inline void write_cr3(PhysAddr root) { asm volatile("movq %0, %%cr3" : : "r"(root.raw()) : "memory"); }
inline uint64_t read_cr4() {
    uint64_t value;
    asm volatile("movq %%cr4, %0" : "=r"(value));
    return value;
}
inline void write_cr4(uint64_t value) { asm volatile("movq %0, %%cr4" : : "r"(value) : "memory"); }

inline uint64_t rdmsr(uint32_t msr) {
    uint32_t low, high;
    asm volatile("rdmsr" : "=a"(low), "=d"(high) : "c"(msr));
    return (uint64_t{high} << 32) | low;
}
inline void wrmsr(uint32_t msr, uint64_t value) {
    asm volatile("wrmsr"
                 :
                 : "c"(msr), "a"(static_cast<uint32_t>(value)), "d"(static_cast<uint32_t>(value >> 32))
                 : "memory");
}

struct CpuidWords {
    uint32_t eax, ebx, ecx, edx;
};
inline CpuidWords cpuid(uint32_t leaf, uint32_t subleaf = 0) {
    CpuidWords words;
    asm volatile("cpuid"
                 : "=a"(words.eax), "=b"(words.ebx), "=c"(words.ecx), "=d"(words.edx)
                 : "a"(leaf), "c"(subleaf));
    return words;
}

inline uint64_t rdtsc() {
    uint32_t low, high;
    asm volatile("rdtsc" : "=a"(low), "=d"(high));
    return (uint64_t{high} << 32) | low;
}

inline void cpu_relax() { asm volatile("pause" : : : "memory"); }
// Lets interrupts in and waits for one: STI's shadow covers the HLT, so that none is lost in between.
inline void safe_halt() { asm volatile("sti; hlt" : : : "memory"); }

// Descriptor tables, control registers, system-call entry, per-CPU block: all that one CPU needs before
// anything else.
void cpu_init(uint32_t cpu);
// What the CPU can do; set by cpu_init.
extern "C" bool cpu_has_smap;
extern bool cpu_has_smep;

// rsp0: where the CPU puts the frame when it comes from user mode.
void set_kernel_stack(uint64_t top);

}  // namespace guest
