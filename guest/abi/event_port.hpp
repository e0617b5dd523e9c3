// The event port: how a guest tells its host about tasks, forks and frames. Used by the bundled
// kernel and by any other that wants names in the log; on a machine without the port the writes
// reach nobody.
//
// Write the words of an announcement to kEventDataPort, 32 bits each, low half of a word first
// (`rep outsl` from a buffer does it), then its code to kEventCommandPort (16 bits). A command takes
// the words written since the last one by this CPU; words not written are 0; more than
// kEventWords are dropped. Keep interrupts off between the two.
#pragma once

#include <stdint.h>

namespace abi {

inline constexpr uint16_t kEventDataPort = 0x5e0;
inline constexpr uint16_t kEventCommandPort = 0x5e4;
// Reads as kEventSignature on a machine that listens, all ones elsewhere.
inline constexpr uint16_t kEventSignaturePort = 0x5e8;
inline constexpr uint32_t kEventSignature = 0x4b534b46;  // "FKSK"
inline constexpr unsigned kEventWords = 4;               // 64-bit words

// w0..w3 are the words. A tid is a 32-bit number, unique while its task lives. Values are part of
// the log format: append, never renumber.
enum class Announcement : uint16_t {
    None = 0,
    TaskCreate = 1,   // w0 tid, w1 parent's tid, w2 tgid, w3 clone flags
    TaskName = 2,     // w0 tid, w1 and w2 its name: 16 bytes, zero-padded, as the kernel's comm
    TaskSwitch = 3,   // w0 tid that runs from here on, w1 tid before
    TaskExec = 4,     // w0 tid, w1 and w2 the new name, w3 root (physical address of the top table)
    TaskExit = 5,     // w0 tid, w1 wait status as wait4 would show it
    TaskReap = 6,     // w0 tid, w1 tid of the one that reaped it
    ForkBegin = 7,    // w0 tid of the caller, w1 clone flags, w2 its root
    ForkEnd = 8,      // w0 tid of the caller, w1 child's tid or -errno, w2 child's root
    CowBreak = 9,     // w0 tid, w1 virtual page, w2 old frame (physical address), w3 new frame; equal: reuse
    FrameAlloc = 10,  // w0 frame (physical address), w1 FrameUse, w2 tid it is charged to
    FrameFree = 11,   // w0 frame, w1 as FrameRefs: 0 references
    FrameRefs = 12,   // w0 frame, w1 RefsWord: references after the change, and who changed them
    MmDestroy = 13,   // w0 root
    PowerOff = 14,    // w0 exit status: the machine stops with it
    Marker = 15,      // w0 free for test programs, w1 tid
};

enum class FrameUse : uint32_t {
    Other = 0,
    Anonymous = 1,
    PageCache = 2,
    PageTable = 3,
    KernelStack = 4,
    Slab = 5,
    Zero = 6
};

// References in the low half; in the high half the low half of the address of the code that took or gave
// back one (kernels live in the topmost 2 GiB), 0 if it is not told.
[[nodiscard]] constexpr uint64_t refs_word(uint32_t references, uint64_t by) {
    return (by << 32) | references;
}
[[nodiscard]] constexpr uint32_t references_of(uint64_t word) { return static_cast<uint32_t>(word); }
[[nodiscard]] constexpr uint64_t changed_by(uint64_t word) {
    constexpr uint64_t kTopHalf = 0xffff'ffff'0000'0000;
    return word >> 32 == 0 ? 0 : kTopHalf | word >> 32;
}

}  // namespace abi
