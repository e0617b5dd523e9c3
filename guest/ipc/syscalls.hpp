// The system calls of System V IPC and of POSIX message queues. Rows in abi/syscalls.def; behaviour and
// errors are those of the manual pages (man 2).
#pragma once

#include "guest/abi/file.hpp"
#include "guest/abi/ipc.hpp"
#include "guest/lib/address.hpp"
#include "guest/lib/result.hpp"

namespace guest {

// sem.cpp, semop.cpp, semctl.cpp
Result<long> sys_semget(int key, int nsems, int flags);
Result<long> sys_semop(int semid, UserPtr<const abi::Sembuf> sops, uint32_t nsops);
Result<long> sys_semtimedop(int semid, UserPtr<const abi::Sembuf> sops, uint32_t nsops,
                            UserPtr<const abi::Timespec> timeout);
Result<long> sys_semctl(int semid, int semnum, int command, uint64_t argument);

// msg.cpp, msgop.cpp, msgctl.cpp
Result<long> sys_msgget(int key, int flags);
Result<long> sys_msgsnd(int msqid, UserPtr<const int64_t> message, size_t bytes, int flags);
Result<long> sys_msgrcv(int msqid, UserPtr<int64_t> message, size_t bytes, int64_t type, int flags);
Result<long> sys_msgctl(int msqid, int command, UserPtr<abi::MsqidDs> argument);

// shm.cpp, shmat.cpp, shmctl.cpp
Result<long> sys_shmget(int key, size_t bytes, int flags);
Result<long> sys_shmat(int shmid, VirtAddr address, int flags);
Result<long> sys_shmdt(VirtAddr address);
Result<long> sys_shmctl(int shmid, int command, UserPtr<abi::ShmidDs> argument);

}  // namespace guest
