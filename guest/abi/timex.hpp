// adjtimex(2).
#pragma once

#include <stdint.h>

#include "guest/abi/process.hpp"

namespace abi {

inline constexpr int64_t kUserHz = 100;

struct Timex {
    uint32_t modes;
    int32_t pad;
    int64_t offset, freq, maxerror, esterror;
    int32_t status, pad2;
    int64_t constant, precision, tolerance;
    Timeval time;  // nanoseconds in it with kStaNano
    int64_t tick;  // us
    int64_t ppsfreq, jitter;
    int32_t shift, pad3;
    int64_t stabil, jitcnt, calcnt, errcnt, stbcnt;
    int32_t tai;
    int32_t reserved[11];
};
static_assert(sizeof(Timex) == 208);

inline constexpr uint32_t kAdjOffset = 1, kAdjFrequency = 2, kAdjMaxError = 4, kAdjEstError = 8,
                          kAdjStatus = 0x10, kAdjTimeConst = 0x20, kAdjTai = 0x80, kAdjSetOffset = 0x100,
                          kAdjMicro = 0x1000, kAdjNano = 0x2000, kAdjTick = 0x4000, kAdjAdjTime = 0x8000,
                          kAdjOffsetSingleshot = 1, kAdjOffsetReadOnly = 0x2000;
inline constexpr int32_t kStaUnsync = 0x40, kStaClockErr = 0x1000, kStaNano = 0x2000, kStaReadOnly = 0xff00;
inline constexpr long kTimeOk = 0, kTimeError = 5;

}  // namespace abi
