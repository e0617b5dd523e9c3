// Segment selectors: Linux's, since programs see some of them. The order is what SYSCALL and SYSRET want
// (Intel SDM vol. 2B, SYSRET: CS = STAR[63:48] + 16, SS = STAR[63:48] + 8).
#pragma once

#ifdef __ASSEMBLER__
#define KERNEL_CS 0x10
#define KERNEL_DS 0x18
#define USER_DS 0x2b
#define USER_CS 0x33
#else

#include <stdint.h>

namespace guest {

inline constexpr uint16_t kKernelCs = 0x10;
inline constexpr uint16_t kKernelDs = 0x18;
inline constexpr uint16_t kUser32Cs = 0x23;
inline constexpr uint16_t kUserDs = 0x2b;
inline constexpr uint16_t kUserCs = 0x33;
inline constexpr uint16_t kTssSelector = 0x40;

}  // namespace guest

#endif
