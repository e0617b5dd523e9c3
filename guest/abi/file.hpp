// Files as the Linux x86-64 system-call interface shows them: flags, modes and structures
// (man 2 open, fcntl, lseek, poll; man 7 inode). Names follow Linux's without underscores, since
// O_CREAT and its kin are macros wherever a host header has been included.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace abi {

using loff_t = int64_t;    // offset in a file, bytes
using umode_t = uint32_t;  // type and permission bits of a file
using dev_t = uint64_t;    // major and minor, see make_dev

inline constexpr size_t kPathMax = 4096;  // bytes of a path, the closing zero included
inline constexpr size_t kNameMax = 255;   // bytes of one component, without a closing zero

// open, fcntl(F_SETFL)
inline constexpr uint32_t kOAccMode = 3;
inline constexpr uint32_t kORdOnly = 0;
inline constexpr uint32_t kOWrOnly = 1;
inline constexpr uint32_t kORdWr = 2;
inline constexpr uint32_t kOCreat = 0100;
inline constexpr uint32_t kOExcl = 0200;
inline constexpr uint32_t kONoCtty = 0400;
inline constexpr uint32_t kOTrunc = 01000;
inline constexpr uint32_t kOAppend = 02000;
inline constexpr uint32_t kONonBlock = 04000;
inline constexpr uint32_t kODSync = 010000;
inline constexpr uint32_t kOAsync = 020000;
inline constexpr uint32_t kODirect = 040000;
inline constexpr uint32_t kOLargeFile = 0100000;
inline constexpr uint32_t kODirectory = 0200000;
inline constexpr uint32_t kONoFollow = 0400000;
inline constexpr uint32_t kONoAtime = 01000000;
inline constexpr uint32_t kOCloExec = 02000000;
inline constexpr uint32_t kOSync = 04010000;
inline constexpr uint32_t kOPath = 010000000;
// openat2
struct OpenHow {
    uint64_t flags, mode, resolve;
};
inline constexpr uint32_t kResolveNoXdev = 1, kResolveNoMagicLinks = 2, kResolveNoSymlinks = 4,
                          kResolveBeneath = 8, kResolveInRoot = 0x10, kResolveCached = 0x20;
inline constexpr uint32_t kOTmpFile = 020000000;  // without the O_DIRECTORY that user space adds

// The *at calls
inline constexpr int kAtFdCwd = -100;
inline constexpr uint32_t kAtSymlinkNoFollow = 0x100;
inline constexpr uint32_t kAtRemoveDir = 0x200;
inline constexpr uint32_t kAtEAccess = 0x200;
inline constexpr uint32_t kAtSymlinkFollow = 0x400;
inline constexpr uint32_t kAtNoAutomount = 0x800;
inline constexpr uint32_t kAtEmptyPath = 0x1000;

inline constexpr uint32_t kAtStatxSyncType = 0x6000;

inline constexpr uint32_t kRenameNoReplace = 1;
inline constexpr uint32_t kRenameExchange = 2;
inline constexpr uint32_t kRenameWhiteout = 4;

// access
inline constexpr uint32_t kExecOk = 1;
inline constexpr uint32_t kWriteOk = 2;
inline constexpr uint32_t kReadOk = 4;

// lseek
inline constexpr uint32_t kSeekSet = 0;
inline constexpr uint32_t kSeekCur = 1;
inline constexpr uint32_t kSeekEnd = 2;
inline constexpr uint32_t kSeekData = 3;
inline constexpr uint32_t kSeekHole = 4;

// fcntl
inline constexpr uint32_t kFDupFd = 0;
inline constexpr uint32_t kFGetFd = 1;
inline constexpr uint32_t kFSetFd = 2;
inline constexpr uint32_t kFGetFl = 3;
inline constexpr uint32_t kFSetFl = 4;
inline constexpr uint32_t kFDupFdCloExec = 1030;
inline constexpr uint32_t kFSetOwn = 8;
inline constexpr uint32_t kFGetOwn = 9;
inline constexpr uint32_t kFSetSig = 10;
inline constexpr uint32_t kFGetSig = 11;
inline constexpr uint32_t kFSetOwnEx = 15;
inline constexpr uint32_t kFGetOwnEx = 16;
inline constexpr uint32_t kFGetOwnerUids = 17;
inline constexpr uint32_t kFSetPipeSz = 1031;
inline constexpr uint32_t kFGetPipeSz = 1032;
inline constexpr uint32_t kFDupFdQuery = 1027, kFCreatedQuery = 1028;
inline constexpr uint32_t kFAddSeals = 1033;
inline constexpr uint32_t kFGetSeals = 1034;
inline constexpr uint32_t kFdCloExec = 1;
struct FOwnerEx {
    int32_t type;  // thread, process, process group
    int32_t pid;
};
inline constexpr int32_t kFOwnerTid = 0, kFOwnerPid = 1, kFOwnerPgrp = 2;

// What may no longer be done to a file of memfd_create.
inline constexpr uint32_t kSealSeal = 1, kSealShrink = 2, kSealGrow = 4, kSealWrite = 8,
                          kSealFutureWrite = 0x10, kSealExec = 0x20, kSealAll = 0x3f;
inline constexpr uint32_t kMfdCloExec = 1, kMfdAllowSealing = 2, kMfdHugeTlb = 4, kMfdNoExecSeal = 8,
                          kMfdExec = 0x10;

// The mode of fallocate(2).
inline constexpr int kFallocKeepSize = 1, kFallocPunchHole = 2, kFallocCollapseRange = 8,
                     kFallocZeroRange = 0x10, kFallocInsertRange = 0x20;

inline constexpr uint32_t kCloseRangeUnshare = 2;
inline constexpr uint32_t kCloseRangeCloExec = 4;

// The type of a file, in the upper bits of its mode
inline constexpr umode_t kIfMt = 0170000;
inline constexpr umode_t kIfSock = 0140000;
inline constexpr umode_t kIfLnk = 0120000;
inline constexpr umode_t kIfReg = 0100000;
inline constexpr umode_t kIfBlk = 0060000;
inline constexpr umode_t kIfDir = 0040000;
inline constexpr umode_t kIfChr = 0020000;
inline constexpr umode_t kIfIfo = 0010000;
inline constexpr umode_t kIsUid = 04000;
inline constexpr umode_t kIsGid = 02000;
inline constexpr umode_t kIsVtx = 01000;
inline constexpr umode_t kIAllUgo = 07777;  // the bits that chmod may set
inline constexpr umode_t kIrwxUgo = 0777;

[[nodiscard]] constexpr bool is_reg(umode_t mode) { return (mode & kIfMt) == kIfReg; }
[[nodiscard]] constexpr bool is_dir(umode_t mode) { return (mode & kIfMt) == kIfDir; }
[[nodiscard]] constexpr bool is_lnk(umode_t mode) { return (mode & kIfMt) == kIfLnk; }
[[nodiscard]] constexpr bool is_chr(umode_t mode) { return (mode & kIfMt) == kIfChr; }
[[nodiscard]] constexpr bool is_blk(umode_t mode) { return (mode & kIfMt) == kIfBlk; }
[[nodiscard]] constexpr bool is_fifo(umode_t mode) { return (mode & kIfMt) == kIfIfo; }
[[nodiscard]] constexpr bool is_sock(umode_t mode) { return (mode & kIfMt) == kIfSock; }

// A device number as stat shows it and mknod takes it.
[[nodiscard]] constexpr dev_t make_dev(uint32_t major, uint32_t minor) {
    return (uint64_t{minor} & 0xff) | (uint64_t{major} & 0xfff) << 8 | (uint64_t{minor} & ~0xffU) << 12 |
           (uint64_t{major} & ~0xfffU) << 32;
}
[[nodiscard]] constexpr uint32_t dev_major(dev_t dev) {
    return static_cast<uint32_t>((dev >> 8 & 0xfff) | (dev >> 32 & ~uint64_t{0xfff}));
}
[[nodiscard]] constexpr uint32_t dev_minor(dev_t dev) {
    return static_cast<uint32_t>((dev & 0xff) | (dev >> 12 & ~uint64_t{0xff}));
}

struct Timespec {
    int64_t tv_sec;
    int64_t tv_nsec;
    constexpr bool operator==(const Timespec&) const = default;
};
struct Itimerspec {
    Timespec interval;
    Timespec value;
};
// tv_nsec of utimensat
inline constexpr int64_t kUtimeNow = (1 << 30) - 1;
inline constexpr int64_t kUtimeOmit = (1 << 30) - 2;

struct Stat {
    uint64_t st_dev;
    uint64_t st_ino;
    uint64_t st_nlink;
    uint32_t st_mode;
    uint32_t st_uid;
    uint32_t st_gid;
    uint32_t pad0;
    uint64_t st_rdev;
    int64_t st_size;
    int64_t st_blksize;
    int64_t st_blocks;  // units of 512 bytes
    Timespec st_atim;
    Timespec st_mtim;
    Timespec st_ctim;
    int64_t unused[3];
};
static_assert(sizeof(Stat) == 144);

struct StatxTime {
    int64_t tv_sec;
    uint32_t tv_nsec;
    int32_t pad;
};

struct Statx {
    uint32_t stx_mask;
    uint32_t stx_blksize;
    uint64_t stx_attributes;
    uint32_t stx_nlink;
    uint32_t stx_uid;
    uint32_t stx_gid;
    uint16_t stx_mode;
    uint16_t pad0;
    uint64_t stx_ino;
    uint64_t stx_size;
    uint64_t stx_blocks;
    uint64_t stx_attributes_mask;
    StatxTime stx_atime;
    StatxTime stx_btime;
    StatxTime stx_ctime;
    StatxTime stx_mtime;
    uint32_t stx_rdev_major;
    uint32_t stx_rdev_minor;
    uint32_t stx_dev_major;
    uint32_t stx_dev_minor;
    uint64_t spare[14];
};
static_assert(sizeof(Statx) == 256);
inline constexpr uint32_t kStatxBasicStats = 0x7ff;  // all but the time of birth
inline constexpr uint32_t kStatxReserved = 0x80000000;

struct Statfs {
    int64_t f_type;
    int64_t f_bsize;
    uint64_t f_blocks;
    uint64_t f_bfree;
    uint64_t f_bavail;
    uint64_t f_files;
    uint64_t f_ffree;
    int32_t f_fsid[2];
    int64_t f_namelen;
    int64_t f_frsize;
    int64_t f_flags;
    int64_t f_spare[4];
};
static_assert(sizeof(Statfs) == 120);

// A getdents64 record; the name follows d_type, closed by a zero, and the record is padded to 8.
struct Dirent64 {
    uint64_t d_ino;
    int64_t d_off;
    uint16_t d_reclen;
    uint8_t d_type;
};
inline constexpr size_t kDirentNameOffset = 19;

// d_type is the type of the mode, shifted down.
[[nodiscard]] constexpr uint8_t dirent_type(umode_t mode) {
    return static_cast<uint8_t>((mode & kIfMt) >> 12);
}

struct Iovec {
    uint64_t iov_base;  // user address
    uint64_t iov_len;   // bytes
};
inline constexpr size_t kUioMaxIov = 1024;

struct Pollfd {
    int32_t fd;
    int16_t events;
    int16_t revents;
};
// The last argument of pselect6.
struct SigsetArgument {
    uint64_t address;
    uint64_t bytes;
};
inline constexpr uint32_t kPollIn = 0x001;
inline constexpr uint32_t kPollPri = 0x002;
inline constexpr uint32_t kPollOut = 0x004;
inline constexpr uint32_t kPollErr = 0x008;
inline constexpr uint32_t kPollHup = 0x010;
inline constexpr uint32_t kPollNval = 0x020;
inline constexpr uint32_t kPollRdNorm = 0x040;
inline constexpr uint32_t kPollRdBand = 0x080;
inline constexpr uint32_t kPollWrNorm = 0x100;
inline constexpr uint32_t kPollWrBand = 0x200;
inline constexpr uint32_t kPollRdHup = 0x2000;
// What goes together when something can be read, or written.
inline constexpr uint32_t kPollReadable = kPollIn | kPollRdNorm;
inline constexpr uint32_t kPollWritable = kPollOut | kPollWrNorm;

}  // namespace abi
