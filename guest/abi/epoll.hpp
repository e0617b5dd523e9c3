// What epoll's calls are given and give back (man 2 epoll_ctl, epoll_wait).
#pragma once

#include <stdint.h>

namespace abi {

inline constexpr int32_t kEpollCtlAdd = 1, kEpollCtlDel = 2, kEpollCtlMod = 3;

// Beside the events of poll(2), which have the same bits.
inline constexpr uint32_t kEpollExclusive = 1U << 28;
inline constexpr uint32_t kEpollWakeUp = 1U << 29;
inline constexpr uint32_t kEpollOneShot = 1U << 30;
inline constexpr uint32_t kEpollEt = 1U << 31;

// Without padding on x86-64, so that it is what it is on i386.
struct __attribute__((packed)) EpollEvent {
    uint32_t events;
    uint64_t data;
};
static_assert(sizeof(EpollEvent) == 12);

}  // namespace abi
