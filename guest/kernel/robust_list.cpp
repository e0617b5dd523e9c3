// Robust futexes: the locks that a thread holds when it dies are marked, and one waiter each is woken. The
// list is the program's own memory: it is read with suspicion (man 2 get_robust_list).
#include "guest/kernel/futex_pi_state.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

constexpr unsigned kListLimit = 2048;

struct RobustListHead {
    uint64_t first;
    int64_t futex_offset;  // bytes from an entry to its lock word
    uint64_t pending;      // an entry that is just being linked or unlinked
};

// Bit 0 of an entry's address is set for a priority-inheriting lock.
uint64_t entry_address(uint64_t raw) { return raw & ~uint64_t{1}; }
bool is_pi(uint64_t raw) { return (raw & 1) != 0; }

enum class Entry { Linked, Pending };

// False: the list leads to where no lock can be.
bool handle_futex_death(const task_struct& task, uint64_t entry, int64_t offset, Entry kind) {
    const UserPtr<uint32_t> word(entry_address(entry) + static_cast<uint64_t>(offset));
    if (!word.address().is_aligned(sizeof(uint32_t))) return false;
    Result<uint32_t> value = get_user(word);
    if (!value) return false;
    // Unlocked, but the one waiter that was to be woken may not have been yet.
    if (kind == Entry::Pending && !is_pi(entry) && value.value() == 0) {
        futex_wake_address(word.cast<int32_t>(), 1);
        return true;
    }
    if ((value.value() & kFutexTidMask) != static_cast<uint32_t>(task_pid_vnr(&task))) return true;
    if (!put_user(word, (value.value() & kFutexWaiters) | kFutexOwnerDied)) return false;
    // Of a priority-inheriting lock the kernel knows who is next.
    if (!is_pi(entry) && (value.value() & kFutexWaiters) != 0) futex_wake_address(word.cast<int32_t>(), 1);
    return true;
}

void exit_robust_list(task_struct& task) {
    const UserPtr<RobustListHead> where = task.robust_list.cast<RobustListHead>();
    task.robust_list = UserPtr<void>();
    if (!where || !task.mm) return;
    Result<RobustListHead> head = get_user(where);
    if (!head) return;
    const RobustListHead list = head.value();
    uint64_t entry = list.first;
    for (unsigned i = 0; i < kListLimit && entry_address(entry) != where.raw(); ++i) {
        // The next one first: waking may let its owner take this one away.
        Result<uint64_t> next = get_user(UserPtr<uint64_t>(entry_address(entry)));
        const bool pending = entry_address(entry) == entry_address(list.pending);
        if (!pending && !handle_futex_death(task, entry, list.futex_offset, Entry::Linked)) return;
        if (!next) break;
        entry = next.value();
    }
    if (entry_address(list.pending) != 0)
        (void)handle_futex_death(task, list.pending, list.futex_offset, Entry::Pending);
}

constinit wait_queue_head exits;

void set_futex_state(task_struct& task, FutexState state) {
    {
        const spinlock_guard guard(pi_lock);
        task.futex_state = state;
    }
    wake_up_all(exits);
}

void release_locks(task_struct& task, FutexState afterwards) {
    set_futex_state(task, FutexState::Exiting);
    exit_robust_list(task);
    exit_pi_state_list(task);
    set_futex_state(task, afterwards);
}

}  // namespace

void futex_exit_release(task_struct& task) { release_locks(task, FutexState::Dead); }
void futex_exec_release(task_struct& task) { release_locks(task, FutexState::Ok); }

void wait_for_futex_exit(const task_struct& task) {
    wait_event(exits, task.futex_state != FutexState::Exiting);
}

}  // namespace guest
