// Signals of the Linux x86-64 ABI: numbers, sets, actions, siginfo and what stands on the stack of a handler.
#pragma once

#include <stdint.h>

namespace abi {

inline constexpr int kSigHup = 1, kSigInt = 2, kSigQuit = 3, kSigIll = 4, kSigTrap = 5, kSigAbrt = 6,
                     kSigBus = 7, kSigFpe = 8, kSigKill = 9, kSigUsr1 = 10, kSigSegv = 11, kSigUsr2 = 12,
                     kSigPipe = 13, kSigAlrm = 14, kSigTerm = 15, kSigStkFlt = 16, kSigChld = 17,
                     kSigCont = 18, kSigStop = 19, kSigTstp = 20, kSigTtin = 21, kSigTtou = 22, kSigUrg = 23,
                     kSigXcpu = 24, kSigXfsz = 25, kSigVtalrm = 26, kSigProf = 27, kSigWinch = 28,
                     kSigIo = 29, kSigPwr = 30, kSigSys = 31, kSigRtMin = 32, kNsig = 64;

// Bit n-1 is signal n.
using SigSet = uint64_t;
constexpr SigSet sig_bit(int sig) { return SigSet{1} << (sig - 1); }

inline constexpr uint64_t kSigDfl = 0, kSigIgn = 1;  // sa_handler

// sa_flags
inline constexpr uint64_t kSaNoCldStop = 1, kSaNoCldWait = 2, kSaSigInfo = 4, kSaExposeTagBits = 0x800,
                          kSaRestorer = 0x04000000, kSaOnStack = 0x08000000, kSaRestart = 0x10000000,
                          kSaNoDefer = 0x40000000, kSaResetHand = 0x80000000;

struct SigAction {
    uint64_t handler;
    uint64_t flags;
    uint64_t restorer;
    SigSet mask;
};

enum class SigHow : int { Block = 0, Unblock = 1, SetMask = 2 };

struct SigAltStack {
    uint64_t sp;
    int32_t flags;
    uint32_t pad;
    uint64_t size;  // bytes
};
inline constexpr int32_t kSsOnStack = 1, kSsDisable = 2, kSsAutoDisarm = -2147483647 - 1;
inline constexpr uint64_t kMinSigStackSize = 2048;

// si_code
inline constexpr int32_t kPollInCode = 1, kPollOutCode = 2;  // si_code of SIGIO
inline constexpr int32_t kSiUser = 0, kSiKernel = 0x80, kSiQueue = -1, kSiTimer = -2, kSiMesgQ = -3,
                         kSiTkill = -6;
inline constexpr int32_t kSegvMapErr = 1, kSegvAccErr = 2, kBusAdrAln = 1, kBusAdrErr = 2, kIllOpn = 2,
                         kFpeIntDiv = 1, kFpeIntOvf = 2, kFpeFltDiv = 3, kFpeFltOvf = 4, kFpeFltUnd = 5,
                         kFpeFltRes = 6, kFpeFltInv = 7, kTrapBrkpt = 1, kTrapTrace = 2, kTrapHwBkpt = 4;
inline constexpr int32_t kCldExited = 1, kCldKilled = 2, kCldDumped = 3, kCldTrapped = 4, kCldStopped = 5,
                         kCldContinued = 6;

union SigVal {
    int32_t number;
    uint64_t pointer;
};

struct SigInfo {
    int32_t signo;
    int32_t error;
    int32_t code;
    int32_t pad;
    union {
        struct {
            int32_t pid;
            uint32_t uid;
            SigVal value;
        } kill;  // and the real-time signals
        struct {
            int32_t timer;
            int32_t overrun;
            SigVal value;
        } timer;
        struct {
            int32_t pid;
            uint32_t uid;
            int32_t status;
            uint32_t pad;
            int64_t utime;  // clock ticks
            int64_t stime;
        } child;
        struct {
            uint64_t address;
        } fault;
        struct {
            int64_t band;  // kPollIn and its like
            int32_t fd;
        } poll;
        uint8_t fill[112];
    };
};
static_assert(sizeof(SigInfo) == 128);

// How a timer tells that it went off (sigevent(7)).
enum class SigevNotify : int32_t { Signal = 0, None = 1, Thread = 2, ThreadId = 4 };
struct Sigevent {
    SigVal value;
    int32_t signo;
    int32_t notify;
    int32_t tid;
    uint8_t pad[44];
};
static_assert(sizeof(Sigevent) == 64);

// What a signalfd is read as.
struct SignalfdSiginfo {
    uint32_t signo;
    int32_t error, code;
    uint32_t pid, uid;
    int32_t fd;
    uint32_t tid, band, overrun, trapno;
    int32_t status, number;
    uint64_t pointer, utime, stime, address;
    uint16_t address_lsb;
    uint8_t pad[46];
};
static_assert(sizeof(SignalfdSiginfo) == 128);

// struct sigcontext
struct SigContext {
    uint64_t r8, r9, r10, r11, r12, r13, r14, r15;
    uint64_t rdi, rsi, rbp, rbx, rdx, rax, rcx, rsp, rip, eflags;
    uint16_t cs, gs, fs, ss;
    uint64_t err, trapno, oldmask, cr2;
    uint64_t fpstate;  // address of 512 bytes as FXSAVE stores them, 0 if none
    uint64_t reserved[8];
};
static_assert(sizeof(SigContext) == 256);

struct UContext {
    uint64_t flags;
    uint64_t link;
    SigAltStack stack;
    SigContext mcontext;
    SigSet sigmask;
};
// UContext::flags: ss is saved, and is to be restored as it is.
inline constexpr uint64_t kUcSigContextSs = 2, kUcStrictRestoreSs = 4;

// What a handler finds at its stack pointer.
struct RtSigFrame {
    uint64_t pretcode;  // return address: sa_restorer
    UContext uc;
    SigInfo info;
};

// waitid's idtype and wait4's options
inline constexpr int kPAll = 0, kPPid = 1, kPPgid = 2, kPPidfd = 3;
inline constexpr uint32_t kWNoHang = 1, kWUntraced = 2, kWStopped = 2, kWExited = 4, kWContinued = 8,
                          kWNoWait = 0x01000000, kWNoThread = 0x20000000, kWAll = 0x40000000,
                          kWClone = 0x80000000;

}  // namespace abi
