// Structures of the Linux x86-64 ABI that are about processes, memory and time.
#pragma once

#include <stdint.h>

namespace abi {

// mmap(2)
inline constexpr uint64_t kProtNone = 0, kProtRead = 1, kProtWrite = 2, kProtExec = 4, kProtSem = 8,
                          kProtGrowsDown = 0x01000000, kProtGrowsUp = 0x02000000;
inline constexpr uint64_t kMapShared = 1, kMapPrivate = 2, kMapSharedValidate = 3, kMapType = 0xf,
                          kMapFixed = 0x10, kMapAnonymous = 0x20, kMapGrowsDown = 0x100,
                          kMapDenyWrite = 0x800, kMapLocked = 0x2000, kMapNoReserve = 0x4000,
                          kMapPopulate = 0x8000, kMapNonBlock = 0x10000, kMapStack = 0x20000,
                          kMapHugeTlb = 0x40000, kMapSync = 0x80000, kMapFixedNoReplace = 0x100000;
inline constexpr uint64_t kMremapMayMove = 1, kMremapFixed = 2, kMremapDontUnmap = 4;
enum class Madvice : int {
    Normal = 0,
    Random = 1,
    Sequential = 2,
    WillNeed = 3,
    DontNeed = 4,
    Free = 8,
    Remove = 9,
    DontFork = 10,
    DoFork = 11,
    Mergeable = 12,
    Unmergeable = 13,
    HugePage = 14,
    NoHugePage = 15,
    DontDump = 16,
    DoDump = 17,
    WipeOnFork = 18,
    KeepOnFork = 19,
    Cold = 20,
    PageOut = 21,
    PopulateRead = 22,
    PopulateWrite = 23,
    DontNeedLocked = 24
};

// Resource limits
enum class Rlimit : unsigned {
    Cpu = 0,
    FSize = 1,
    Data = 2,
    Stack = 3,
    Core = 4,
    Rss = 5,
    NProc = 6,
    NoFile = 7,
    MemLock = 8,
    As = 9,
    Locks = 10,
    SigPending = 11,
    MsgQueue = 12,
    Nice = 13,
    RtPrio = 14,
    RtTime = 15
};
inline constexpr unsigned kRlimits = 16;
inline constexpr uint64_t kRlimInfinity = ~uint64_t{0};
struct RlimitPair {
    uint64_t current;
    uint64_t maximum;
};

struct UtsName {
    char sysname[65];
    char nodename[65];
    char release[65];
    char version[65];
    char machine[65];
    char domainname[65];
};

struct Timeval {
    int64_t seconds;
    int64_t microseconds;
};

struct Itimerval {
    Timeval interval;
    Timeval value;
};

struct Rusage {
    Timeval utime;
    Timeval stime;
    int64_t maxrss;  // KiB
    int64_t ixrss, idrss, isrss;
    int64_t minflt, majflt, nswap, inblock, oublock, msgsnd, msgrcv, nsignals, nvcsw, nivcsw;
};

struct Tms {
    int64_t utime, stime, cutime, cstime;  // clock ticks
};

struct SysInfo {
    int64_t uptime;     // seconds
    uint64_t loads[3];  // 1/65536
    uint64_t totalram, freeram, sharedram, bufferram, totalswap, freeswap;
    uint16_t procs;
    uint16_t pad;
    uint64_t totalhigh, freehigh;
    uint32_t mem_unit;  // bytes
};

// sched_setattr(2), first version; a second one is 8 bytes longer.
struct SchedAttr {
    uint32_t size;  // bytes
    uint32_t policy;
    uint64_t flags;
    int32_t nice;
    uint32_t priority;
    uint64_t runtime, deadline, period;  // ns, of SCHED_DEADLINE
    uint32_t util_min, util_max;         // utilization clamps: since version 1 of the structure
};
static_assert(sizeof(SchedAttr) == 56);
inline constexpr uint32_t kSchedAttrSizeVer0 = 48;

// The auxiliary vector
enum class Aux : uint64_t {
    Null = 0,
    Phdr = 3,
    PhEnt = 4,
    PhNum = 5,
    PageSz = 6,
    Base = 7,
    Flags = 8,
    Entry = 9,
    Uid = 11,
    EUid = 12,
    Gid = 13,
    EGid = 14,
    Platform = 15,
    HwCap = 16,
    ClkTck = 17,
    Secure = 23,
    Random = 25,
    HwCap2 = 26,
    ExecFn = 31,
    MinSigStkSz = 51
};

// arch_prctl(2)
inline constexpr int kArchSetGs = 0x1001, kArchSetFs = 0x1002, kArchGetFs = 0x1003, kArchGetGs = 0x1004;

// futex(2)
inline constexpr int kFutexWait = 0, kFutexWake = 1, kFutexRequeue = 3, kFutexCmpRequeue = 4,
                     kFutexWakeOp = 5, kFutexLockPi = 6, kFutexUnlockPi = 7, kFutexTrylockPi = 8,
                     kFutexWaitBitset = 9, kFutexWakeBitset = 10, kFutexWaitRequeuePi = 11,
                     kFutexCmpRequeuePi = 12, kFutexLockPi2 = 13, kFutexPrivateFlag = 128,
                     kFutexClockRealtime = 256, kFutexCmdMask = ~(kFutexPrivateFlag | kFutexClockRealtime);
// futex_waitv(2)
struct FutexWaitv {
    uint64_t val;
    uint64_t uaddr;
    uint32_t flags;  // size of the word, and whether it is private
    uint32_t reserved;
};
inline constexpr uint32_t kFutex2SizeMask = 3, kFutex2SizeU32 = 2, kFutex2Private = 128;
inline constexpr unsigned kFutexWaitvMax = 128;
inline constexpr uint32_t kFutexBitsetMatchAny = 0xffffffff;

enum class ClockId : int {
    Realtime = 0,
    Monotonic = 1,
    ProcessCpu = 2,
    ThreadCpu = 3,
    MonotonicRaw = 4,
    RealtimeCoarse = 5,
    MonotonicCoarse = 6,
    Boottime = 7,
    RealtimeAlarm = 8,
    BoottimeAlarm = 9,
    Tai = 11
};
enum class Itimer : int { Real = 0, Virtual = 1, Prof = 2 };
inline constexpr int kTimerAbstime = 1, kTimerCancelOnSet = 2;

}  // namespace abi
