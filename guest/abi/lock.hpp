// Locks on files as the Linux x86-64 system-call interface shows them (man 2 fcntl, flock).
#pragma once

#include <stdint.h>

namespace abi {

// fcntl
inline constexpr uint32_t kFGetLk = 5;
inline constexpr uint32_t kFSetLk = 6;
inline constexpr uint32_t kFSetLkW = 7;
inline constexpr uint32_t kFOfdGetLk = 36;
inline constexpr uint32_t kFOfdSetLk = 37;
inline constexpr uint32_t kFOfdSetLkW = 38;

inline constexpr int16_t kFRdLck = 0;
inline constexpr int16_t kFWrLck = 1;
inline constexpr int16_t kFUnLck = 2;

struct Flock {
    int16_t l_type;    // kFRdLck ...
    int16_t l_whence;  // kSeekSet, kSeekCur, kSeekEnd
    int64_t l_start;   // bytes
    int64_t l_len;     // bytes; 0: to the end, however the file grows
    int32_t l_pid;
};
static_assert(sizeof(Flock) == 32);

// flock
inline constexpr uint32_t kLockSh = 1;
inline constexpr uint32_t kLockEx = 2;
inline constexpr uint32_t kLockNb = 4;
inline constexpr uint32_t kLockUn = 8;
inline constexpr uint32_t kLockMand = 32;  // once: mandatory

}  // namespace abi
