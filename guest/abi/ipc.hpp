// System V IPC as the Linux x86-64 system-call interface shows it (man 7 sysvipc, man 2 msgctl, semctl,
// shmctl).
#pragma once

#include <stdint.h>

namespace abi {

using key_t = int32_t;
inline constexpr key_t kIpcPrivate = 0;

// Flags of the get calls, beside nine permission bits
inline constexpr int kIpcCreat = 01000, kIpcExcl = 02000, kIpcNoWait = 04000;

// Commands of the ctl calls
inline constexpr int kIpcRmid = 0, kIpcSet = 1, kIpcStat = 2, kIpcInfo = 3;
inline constexpr int kMsgStat = 11, kMsgInfo = 12, kMsgStatAny = 13;
inline constexpr int kGetPid = 11, kGetVal = 12, kGetAll = 13, kGetNCnt = 14, kGetZCnt = 15, kSetVal = 16,
                     kSetAll = 17, kSemStat = 18, kSemInfo = 19, kSemStatAny = 20;
inline constexpr int kShmLock = 11, kShmUnlock = 12, kShmStat = 13, kShmInfo = 14, kShmStatAny = 15;

struct IpcPerm {
    key_t key;
    uint32_t uid, gid;    // owner
    uint32_t cuid, cgid;  // creator
    uint32_t mode;
    uint16_t seq;
    uint16_t pad2;
    uint64_t unused1, unused2;
};
static_assert(sizeof(IpcPerm) == 48);

// Message queues
inline constexpr int kMsgNoError = 010000, kMsgExcept = 020000, kMsgCopy = 040000;

struct MsqidDs {
    IpcPerm msg_perm;
    int64_t msg_stime, msg_rtime, msg_ctime;  // s
    uint64_t msg_cbytes;                      // in the queue
    uint64_t msg_qnum;
    uint64_t msg_qbytes;  // limit
    int32_t msg_lspid, msg_lrpid;
    uint64_t unused4, unused5;
};
static_assert(sizeof(MsqidDs) == 120);

struct MsgInfo {
    int32_t msgpool, msgmap, msgmax, msgmnb, msgmni, msgssz, msgtql;
    uint16_t msgseg;
};
static_assert(sizeof(MsgInfo) == 32);

// Semaphores
inline constexpr int kSemUndo = 0x1000;  // sem_flg

struct Sembuf {
    uint16_t sem_num;
    int16_t sem_op;
    int16_t sem_flg;
};
static_assert(sizeof(Sembuf) == 6);

struct SemidDs {
    IpcPerm sem_perm;
    int64_t sem_otime;  // s
    uint64_t unused1;
    int64_t sem_ctime;
    uint64_t unused2;
    uint64_t sem_nsems;
    uint64_t unused3, unused4;
};
static_assert(sizeof(SemidDs) == 104);

struct SemInfo {
    int32_t semmap, semmni, semmns, semmnu, semmsl, semopm, semume, semusz, semvmx, semaem;
};

// Shared memory
inline constexpr int kShmHugeTlb = 04000, kShmNoReserve = 010000;                                    // shmget
inline constexpr int kShmRdOnly = 010000, kShmRnd = 020000, kShmRemap = 040000, kShmExec = 0100000;  // shmat
inline constexpr uint32_t kShmDest = 01000, kShmLocked = 02000;                                      // mode

struct ShmidDs {
    IpcPerm shm_perm;
    uint64_t shm_segsz;                       // bytes
    int64_t shm_atime, shm_dtime, shm_ctime;  // s
    int32_t shm_cpid, shm_lpid;
    uint64_t shm_nattch;
    uint64_t unused4, unused5;
};
static_assert(sizeof(ShmidDs) == 112);

struct ShmInfo64 {
    uint64_t shmmax, shmmin, shmmni, shmseg, shmall;
    uint64_t unused[4];
};
struct ShmInfo {
    int32_t used_ids;
    uint64_t shm_tot, shm_rss, shm_swp;  // pages
    uint64_t swap_attempts, swap_successes;
};
static_assert(sizeof(ShmInfo) == 48);

}  // namespace abi
