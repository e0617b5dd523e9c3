// Descriptors that name a process (pidfd_open(2), CLONE_PIDFD): they cannot come to mean another one.
#pragma once

#include "guest/fs/file.hpp"
#include "guest/kernel/pid.hpp"
#include "guest/lib/refcount.hpp"
#include "guest/lib/result.hpp"

namespace guest {

// PIDFD_THREAD: names a thread, and not the process that it leads.
inline constexpr uint32_t kPidfdThread = abi::kOExcl;
inline constexpr uint32_t kPidfdNonBlock = abi::kONonBlock;

// A description for `of`; flags: the two above. NFile, NoMem.
Result<RefPtr<file>> pidfd_file(pid& of, uint32_t flags);
// The pid that a description names; null if it is of another kind. Valid while the description is.
[[nodiscard]] pid* pidfd_pid(const file& f);
// The current process's descriptor: BadF.
Result<RefPtr<pid>> pidfd_get_pid(int fd, uint32_t& flags);

// The pidfd of a child that is being made: a reserved descriptor and what comes into it.
class ChildPidfd {
public:
    ChildPidfd() = default;
    ChildPidfd(const ChildPidfd&) = delete;
    ChildPidfd& operator=(const ChildPidfd&) = delete;
    // Nobody has come to see it: gives the descriptor back.
    ~ChildPidfd();
    // Its number goes to `out` in the caller's memory. MFile, NFile, NoMem, Fault.
    Result<> prepare(pid& of, uint32_t flags, UserPtr<int32_t> out);
    // Makes it valid, if there is one.
    void install();

private:
    int fd_ = -1;
    RefPtr<file> file_;
};

}  // namespace guest
