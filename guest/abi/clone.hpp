// The flags of clone(2).
#pragma once

#include <stdint.h>

namespace abi {

inline constexpr uint64_t kCSignal = 0x000000ff;  // the signal that the child's end sends
inline constexpr uint64_t kCloneVm = 0x00000100, kCloneFs = 0x00000200, kCloneFiles = 0x00000400,
                          kCloneSighand = 0x00000800, kClonePidfd = 0x00001000, kClonePtrace = 0x00002000,
                          kCloneVfork = 0x00004000, kCloneParent = 0x00008000, kCloneThread = 0x00010000,
                          kCloneNewNs = 0x00020000, kCloneSysvSem = 0x00040000, kCloneSetTls = 0x00080000,
                          kCloneParentSetTid = 0x00100000, kCloneChildClearTid = 0x00200000,
                          kCloneDetached = 0x00400000, kCloneUntraced = 0x00800000,
                          kCloneChildSetTid = 0x01000000, kCloneStopped = 0x02000000,
                          kCloneNewUts = 0x04000000, kCloneNewIpc = 0x08000000, kCloneNewUser = 0x10000000,
                          kCloneNewPid = 0x20000000, kCloneNewNet = 0x40000000, kCloneIo = 0x80000000;
// Where those numbers have since got another meaning: for clone3 and unshare, not for clone itself.
inline constexpr uint64_t kCloneNewCgroup = 0x02000000, kCloneNewTime = 0x00000080;
// clone3 alone
inline constexpr uint64_t kCloneClearSighand = 0x100000000, kCloneIntoCgroup = 0x200000000;

// clone3's arguments; later kernels append to them. The sizes that there have been, in bytes.
struct CloneArgs {
    uint64_t flags;
    uint64_t pidfd;
    uint64_t child_tid;
    uint64_t parent_tid;
    uint64_t exit_signal;
    uint64_t stack;       // its lowest address
    uint64_t stack_size;  // bytes
    uint64_t tls;
    uint64_t set_tid;
    uint64_t set_tid_size;  // numbers
    uint64_t cgroup;
};
inline constexpr uint64_t kCloneArgsSizeVer0 = 64, kCloneArgsSizeVer1 = 80, kCloneArgsSizeVer2 = 88;
static_assert(sizeof(CloneArgs) == kCloneArgsSizeVer2);

}  // namespace abi
