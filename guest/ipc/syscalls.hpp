// The system calls of System V IPC and of POSIX message queues. Rows in abi/syscalls.def; behaviour and
// errors are those of the manual pages (man 2).
#pragma once

#include "guest/abi/file.hpp"
#include "guest/abi/ipc.hpp"
#include "guest/abi/mqueue.hpp"
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

// sys_mqueue.cpp
Result<long> sys_mq_open(UserPtr<const char> name, int flags, uint32_t mode, UserPtr<const abi::MqAttr> attr);
Result<long> sys_mq_unlink(UserPtr<const char> name);
Result<long> sys_mq_timedsend(int fd, VirtAddr from, size_t bytes, uint32_t priority,
                              UserPtr<const abi::Timespec> deadline);
Result<long> sys_mq_timedreceive(int fd, VirtAddr to, size_t bytes, UserPtr<uint32_t> priority,
                                 UserPtr<const abi::Timespec> deadline);
Result<long> sys_mq_notify(int fd, UserPtr<const abi::Sigevent> event);
Result<long> sys_mq_getsetattr(int fd, UserPtr<const abi::MqAttr> fresh, UserPtr<abi::MqAttr> old);

}  // namespace guest
