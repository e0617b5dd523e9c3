// ptrace(2) of the Linux x86-64 ABI: requests, options, events and the structures that they fill.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace abi {

enum class PtraceRequest : int64_t {
    TraceMe = 0,
    PeekText = 1,
    PeekData = 2,
    PeekUser = 3,
    PokeText = 4,
    PokeData = 5,
    PokeUser = 6,
    Cont = 7,
    Kill = 8,
    SingleStep = 9,
    GetRegs = 12,
    SetRegs = 13,
    GetFpRegs = 14,
    SetFpRegs = 15,
    Attach = 16,
    Detach = 17,
    OldSetOptions = 21,
    Syscall = 24,
    ArchPrctl = 30,
    SysEmu = 31,
    SysEmuSingleStep = 32,
    SetOptions = 0x4200,
    GetEventMsg = 0x4201,
    GetSigInfo = 0x4202,
    SetSigInfo = 0x4203,
    GetRegSet = 0x4204,
    SetRegSet = 0x4205,
    Seize = 0x4206,
    Interrupt = 0x4207,
    Listen = 0x4208,
    PeekSigInfo = 0x4209,
    GetSigMask = 0x420a,
    SetSigMask = 0x420b,
    GetSyscallInfo = 0x420e
};

// Option bits; those of an event are 1 << event.
inline constexpr uint64_t kPtraceOTraceSysGood = 1, kPtraceOTraceFork = 2, kPtraceOTraceVfork = 4,
                          kPtraceOTraceClone = 8, kPtraceOTraceExec = 0x10, kPtraceOTraceVforkDone = 0x20,
                          kPtraceOTraceExit = 0x40, kPtraceOTraceSeccomp = 0x80, kPtraceOExitKill = 1u << 20,
                          kPtraceOSuspendSeccomp = 1u << 21;
inline constexpr uint64_t kPtraceOMask = 0xff | kPtraceOExitKill | kPtraceOSuspendSeccomp;

// Bits 8 and up of the stop's code.
inline constexpr unsigned kPtraceEventNone = 0, kPtraceEventFork = 1, kPtraceEventVfork = 2,
                          kPtraceEventClone = 3, kPtraceEventExec = 4, kPtraceEventVforkDone = 5,
                          kPtraceEventExit = 6, kPtraceEventStop = 128;
// GETEVENTMSG in a system-call stop
inline constexpr uint64_t kPtraceEventMsgEntry = 1, kPtraceEventMsgExit = 2;

inline constexpr uint64_t kPeekSigInfoShared = 1;
struct PtracePeekSigInfo {
    uint64_t off;
    uint32_t flags;
    int32_t nr;
};

// struct user_regs_struct: the registers of an entry into the kernel, then what is kept elsewhere.
struct UserRegs {
    uint64_t r15, r14, r13, r12, rbp, rbx;
    uint64_t r11, r10, r9, r8, rax, rcx, rdx, rsi, rdi;
    uint64_t orig_rax;
    uint64_t rip, cs, eflags, rsp, ss;
    uint64_t fs_base, gs_base, ds, es, fs, gs;
};
static_assert(sizeof(UserRegs) == 27 * 8);

// struct user, which PEEKUSER and POKEUSER take offsets into. Only registers and debug registers are there.
inline constexpr uint64_t kUserAreaBytes = 928, kUserDebugRegs = 848, kUserDebugRegsEnd = 912;

// Register sets of GETREGSET, by their ELF note types.
inline constexpr uint64_t kNtPrStatus = 1, kNtPrFpReg = 2, kNtIoPerm = 0x201, kNtXState = 0x202;

inline constexpr uint8_t kSyscallInfoNone = 0, kSyscallInfoEntry = 1, kSyscallInfoExit = 2;
inline constexpr uint32_t kAuditArchX86_64 = 0xc000003e;
struct PtraceSyscallInfo {
    uint8_t op;
    uint8_t pad[3];
    uint32_t arch;
    uint64_t instruction_pointer;
    uint64_t stack_pointer;
    union {
        struct {
            uint64_t nr;
            uint64_t args[6];
        } entry;
        struct {
            int64_t rval;
            uint8_t is_error;
        } exit;
        uint64_t seccomp[8];  // the largest; not produced
    };
};
static_assert(sizeof(PtraceSyscallInfo) == 88);

}  // namespace abi
