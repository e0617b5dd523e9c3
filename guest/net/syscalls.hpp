// The system calls on sockets. Rows in abi/syscalls.def; behaviour and errors are those of man 2 and man 7
// unix.
#pragma once

#include "guest/abi/file.hpp"
#include "guest/abi/socket.hpp"
#include "guest/lib/address.hpp"
#include "guest/lib/result.hpp"

namespace guest {

// sys_socket.cpp
Result<long> sys_socket(int family, uint32_t type, int protocol);
Result<long> sys_socketpair(int family, uint32_t type, int protocol, UserPtr<int32_t> fds);
Result<long> sys_bind(int fd, UserPtr<void> name, int len);
Result<long> sys_connect(int fd, UserPtr<void> name, int len);
Result<long> sys_listen(int fd, int backlog);
Result<long> sys_accept(int fd, UserPtr<void> name, UserPtr<int32_t> len);
Result<long> sys_accept4(int fd, UserPtr<void> name, UserPtr<int32_t> len, uint32_t flags);
Result<long> sys_shutdown(int fd, int how);
Result<long> sys_getsockname(int fd, UserPtr<void> name, UserPtr<int32_t> len);
Result<long> sys_getpeername(int fd, UserPtr<void> name, UserPtr<int32_t> len);

// sys_sockopt.cpp
Result<long> sys_setsockopt(int fd, int level, int option, VirtAddr value, int len);
Result<long> sys_getsockopt(int fd, int level, int option, VirtAddr value, UserPtr<int32_t> len);

// sys_message.cpp
Result<long> sys_sendto(int fd, VirtAddr buffer, size_t bytes, uint32_t flags, UserPtr<void> name, int len);
Result<long> sys_recvfrom(int fd, VirtAddr buffer, size_t bytes, uint32_t flags, UserPtr<void> name,
                          UserPtr<int32_t> len);
Result<long> sys_sendmsg(int fd, UserPtr<abi::Msghdr> message, uint32_t flags);
Result<long> sys_recvmsg(int fd, UserPtr<abi::Msghdr> message, uint32_t flags);
Result<long> sys_sendmmsg(int fd, UserPtr<abi::Mmsghdr> messages, uint32_t count, uint32_t flags);
Result<long> sys_recvmmsg(int fd, UserPtr<abi::Mmsghdr> messages, uint32_t count, uint32_t flags,
                          UserPtr<abi::Timespec> timeout);

}  // namespace guest
