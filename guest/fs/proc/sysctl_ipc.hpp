// The limits of IPC in /proc/sys: those of System V of the reader's namespace, and those of POSIX message
// queues.
#pragma once

#include "guest/fs/proc/root_files.hpp"
#include "guest/ipc/mqueue.hpp"
#include "guest/kernel/nsproxy.hpp"

namespace guest {

[[nodiscard]] ipc_limits& current_ipc_limits();
// A number from a write, in [least, most]: Inval.
Result<int64_t> sysctl_number(const char* text, int64_t least, int64_t most);
Result<> sysctl_show(proc_text& m, int64_t value);

inline constexpr int64_t kIpcMostObjects = 32768;  // IPCMNI

template <int64_t ipc_limits::*kMember>
Result<> ipc_limit_show(proc_text& m) {
    return sysctl_show(m, current_ipc_limits().*kMember);
}
template <int64_t ipc_limits::*kMember, int64_t kMost>
Result<size_t> ipc_limit_write(char* text, size_t bytes) {
    current_ipc_limits().*kMember = TRY(sysctl_number(text, 0, kMost));
    return bytes;
}

template <uint64_t ipc_limits::*kMember>
Result<> ipc_large_show(proc_text& m) {
    m.printf("%lu\n", current_ipc_limits().*kMember);
    return {};
}
Result<uint64_t> sysctl_large(const char* text);
template <uint64_t ipc_limits::*kMember>
Result<size_t> ipc_large_write(char* text, size_t bytes) {
    current_ipc_limits().*kMember = TRY(sysctl_large(text));
    return bytes;
}

// The four numbers of kernel/sem.
Result<> sem_limits_show(proc_text& m);
Result<size_t> sem_limits_write(char* text, size_t bytes);

template <int64_t mq_limits::*kMember>
Result<> mq_limit_show(proc_text& m) {
    return sysctl_show(m, mqueue_limits.*kMember);
}
template <int64_t mq_limits::*kMember, int64_t kLeast, int64_t kMost>
Result<size_t> mq_limit_write(char* text, size_t bytes) {
    mqueue_limits.*kMember = TRY(sysctl_number(text, kLeast, kMost));
    return bytes;
}

}  // namespace guest
