// Who is told by a signal that something can be read or written: fcntl F_SETOWN, F_SETSIG and O_ASYNC.
#pragma once

#include "guest/kernel/pid.hpp"
#include "guest/lib/list.hpp"
#include "guest/lib/result.hpp"

namespace guest {

struct file;

// What a description knows of it. Guarded by file::f_lock.
struct fown_struct {
    enum class Kind : uint8_t { Process, Thread, Group };
    RefPtr<struct pid> pid;  // null: nobody
    Kind kind = Kind::Process;
    uint32_t uid = 0, euid = 0;  // of who set it
    int signum = 0;              // 0: SIGIO, which tells nothing
};

// fcntl's commands about it. Inval, Srch, Fault.
[[nodiscard]] bool is_owner_command(uint32_t command);
Result<long> fcntl_owner(file& f, uint32_t command, uint64_t argument);

// The owner, unless there is one already.
void fown_default(file& f, RefPtr<struct pid> owner, fown_struct::Kind kind);

// Descriptions with O_ASYNC that wait for the same, through file::f_fasync.
struct fasync_list {
    list_head head;
};
// f_op->fasync: takes f into the list; fd is the descriptor that the signals are to name.
void fasync_add(file& f, fasync_list& list, int fd);
// Out of the list that it is in, if it is in one.
void fasync_remove(file& f);
// Something can be done now: code is abi::kPollInCode or kPollOutCode. Callable from interrupts.
void kill_fasync(fasync_list& list, int32_t code);

}  // namespace guest
