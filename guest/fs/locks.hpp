// Advisory locks: on ranges of bytes (fcntl), owned by a descriptor table or by an open file description, and
// on whole files (flock), owned by a description. Kept by execve, not inherited by fork (row F6).
#pragma once

#include <stdint.h>

#include "guest/abi/lock.hpp"
#include "guest/fs/file.hpp"
#include "guest/kernel/pid.hpp"
#include "guest/lib/address.hpp"
#include "guest/lib/list.hpp"
#include "guest/lib/result.hpp"
#include "guest/mm/slab.hpp"

namespace guest {

struct inode;

// The last byte that a lock can cover: "to the end" for l_len 0.
inline constexpr abi::loff_t kOffsetMax = INT64_MAX;

// Whose it is: a descriptor table's (F_SETLK), a description's (F_OFD_SETLK), or a description's for the
// whole file (flock).
enum class LockKind : uint8_t { Posix, Ofd, Flock };

// A lock that is held (then in a list of its inode), or one that is asked for.
struct file_lock {
    KMEM_CACHED()
    file_lock() = default;
    // The same range and owner; in no list.
    file_lock(const file_lock& other)
        : fl_owner(other.fl_owner),
          fl_pid(other.fl_pid),
          fl_inode(other.fl_inode),
          fl_kind(other.fl_kind),
          fl_type(other.fl_type),
          fl_start(other.fl_start),
          fl_end(other.fl_end) {}

    list_head fl_list;               // inode::i_posix or inode::i_flock
    list_head fl_link;               // in the list of all that are held
    const void* fl_owner = nullptr;  // files_struct, or file; only compared
    RefPtr<pid> fl_pid;              // thread group of who took it
    const inode* fl_inode = nullptr;
    LockKind fl_kind = LockKind::Posix;
    int16_t fl_type = abi::kFUnLck;
    abi::loff_t fl_start = 0;
    abi::loff_t fl_end = kOffsetMax;  // the last byte, not one past it
};

enum class LockWait : uint8_t { No, Yes };

// Takes, changes or (fl_type kFUnLck) gives back the range for the request's owner: what it held there before
// is replaced, split or joined. Again: somebody else holds it, and wait is No. DeadLk: waiting would never
// end. NoLck: no memory. RestartSys: a signal came first.
Result<> posix_lock_file(inode& node, const file_lock& request, LockWait wait);
// The first lock that stands in the request's way, copied to conflict. False: none.
bool posix_test_lock(const inode& node, const file_lock& request, file_lock& conflict);

// The same for the whole file; only owner and type count. One lock of another type that the owner holds is
// given back first, even if the new one is then refused (man 2 flock).
Result<> flock_lock_file(inode& node, const file_lock& request, LockWait wait);

// The lock commands of fcntl(2), for current. BadF, Fault, Inval, Overflow and the errors above.
Result<long> fcntl_lock(int fd, file& f, uint32_t command, UserPtr<abi::Flock> argument);

// Calls visit(lock, waits, context) for each lock that is held, and behind it for each that waits for it. A
// spinlock is held meanwhile.
void for_each_file_lock(void (*visit)(const file_lock& lock, bool waits, void* context), void* context);

// owner closed a descriptor of f: its ranges go, whichever descriptor took them.
void locks_remove_posix(const file& f, const void* owner);
// The last reference to f goes: what the description itself holds.
void locks_remove_file(const file& f);

}  // namespace guest
