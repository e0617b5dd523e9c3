// Advisory locks: conflicts, waiting, splitting and joining.
//
// One lock guards all: to see a ring of tasks that wait for each other, those of all files must stand still.
#include "guest/fs/locks.hpp"

#include "guest/fs/inode.hpp"
#include "guest/kernel/wait.hpp"
#include "guest/lib/spinlock.hpp"

namespace guest {

DEFINE_KMEM_CACHE(file_lock)

namespace {

constinit spinlock_t file_lock_lock;

// A task that waits, on its stack. In `blocked` until the lock that it waits for changes, so that nobody is
// taken to be waiting for what has gone.
struct lock_waiter {
    list_head node;
    const file_lock* request = nullptr;
    const file_lock* holder = nullptr;  // that it waits for
    bool woken = false;
    wait_queue_head wait;
};
constinit IntrusiveList<lock_waiter, &lock_waiter::node> blocked;
constinit IntrusiveList<file_lock, &file_lock::fl_link> held_locks;

file_lock* lock_of(list_head* node) { return list_entry<file_lock, &file_lock::fl_list>(node); }

// Calls visit(lock) for each; visit may take that lock out.
template <typename Visit>
void for_each_lock(list_head& list, Visit&& visit) {
    for (list_head* node = list.next; node != &list;) {
        list_head* next = node->next;
        visit(*lock_of(node));
        node = next;
    }
}

void remove_lock(file_lock& lock) {
    lock.fl_list.unlink();
    lock.fl_link.unlink();
    delete &lock;
}

bool overlap(const file_lock& a, const file_lock& b) {
    return a.fl_start <= b.fl_end && b.fl_start <= a.fl_end;
}

// Overlap, or one ends where the other begins.
bool touch(const file_lock& a, const file_lock& b) {
    return a.fl_start - 1 <= b.fl_end && b.fl_start - 1 <= a.fl_end;
}

bool conflict(const file_lock& a, const file_lock& b) {
    if (a.fl_owner == b.fl_owner || !overlap(a, b)) return false;
    return a.fl_type == abi::kFWrLck || b.fl_type == abi::kFWrLck;
}

file_lock* find_conflict(const list_head& list, const file_lock& request) {
    for (list_head* node = list.next; node != &list; node = node->next) {
        if (conflict(*lock_of(node), request)) return lock_of(node);
    }
    return nullptr;
}

// Whoever waits for a lock of this file looks again.
void wake_blocked(const inode& node) {
    for (lock_waiter& waiter : blocked) {
        if (waiter.request->fl_inode != &node) continue;
        waiter.node.unlink();
        waiter.woken = true;
        wake_up_all(waiter.wait);
    }
}

// Whether `owner` would wait for itself by waiting for `blocker`. A long chain is taken to have no ring in
// it, as on Linux: it could have one that does not lead through `owner`.
bool would_deadlock(const void* owner, const void* blocker) {
    constexpr int kMaxChain = 10;
    for (int i = 0; i < kMaxChain; ++i) {
        const void* next = nullptr;
        for (const lock_waiter& waiter : blocked) {
            if (waiter.request->fl_owner == blocker) next = waiter.holder->fl_owner;
            if (next != nullptr) break;
        }
        if (next == nullptr) return false;
        if (next == owner) return true;
        blocker = next;
    }
    return false;
}

// Somebody holds what is asked for. With a waiter, current is about to sleep.
Result<> refuse(const file_lock& request, const file_lock& holder, lock_waiter* waiter) {
    if (waiter == nullptr) return Errno::Again;
    // A description may be used by any process: who waits for one cannot be told.
    if (request.fl_kind == LockKind::Posix && would_deadlock(request.fl_owner, holder.fl_owner))
        return Errno::DeadLk;
    waiter->request = &request;
    waiter->holder = &holder;
    waiter->woken = false;
    blocked.push_back(*waiter);
    return Errno::Again;
}

// Calls attempt(waiter) until it does not have to wait any more. RestartSys.
template <typename Attempt>
Result<> attempt_until_free(LockWait wait, Attempt&& attempt) {
    if (wait == LockWait::No) return attempt(nullptr);
    for (;;) {
        lock_waiter waiter;
        const Result<> outcome = attempt(&waiter);
        if (outcome.ok() || outcome.error() != Errno::Again) return outcome;
        const Result<uint64_t> woken = wait_event_interruptible(waiter.wait, waiter.woken);
        {
            const spinlock_guard guard(file_lock_lock);
            waiter.node.unlink();
        }
        if (!woken.ok()) return woken.error();
    }
}

// By first byte, so that the first conflict is the lowest.
void insert_sorted(list_head& list, file_lock& lock) {
    list_head* before = list.next;
    while (before != &list && lock_of(before)->fl_start <= lock.fl_start) before = before->next;
    list_add_tail(lock.fl_list, *before);
    if (!lock.fl_link.is_linked()) held_locks.push_back(lock);
}

// Takes request's range out of held, which is the same owner's and of another type. `right` is used, and
// emptied, if two parts are left.
void cut(list_head& list, file_lock& held, const file_lock& request, OwnPtr<file_lock>& right) {
    const bool left_part = held.fl_start < request.fl_start;
    const bool right_part = held.fl_end > request.fl_end;
    if (left_part && right_part) {
        file_lock& upper = *right.leak();
        upper.fl_type = held.fl_type;
        upper.fl_pid = held.fl_pid;
        upper.fl_start = request.fl_end + 1;
        upper.fl_end = held.fl_end;
        held.fl_end = request.fl_start - 1;
        insert_sorted(list, upper);
    } else if (left_part) {
        held.fl_end = request.fl_start - 1;
    } else if (right_part) {
        held.fl_start = request.fl_end + 1;
        held.fl_list.unlink();
        insert_sorted(list, held);
    } else {
        remove_lock(held);
    }
}

// The owner's locks become what they are after the request. `fresh` is null when it gives back.
void apply(list_head& list, const file_lock& request, OwnPtr<file_lock> fresh, OwnPtr<file_lock> right) {
    abi::loff_t start = request.fl_start;
    abi::loff_t end = request.fl_end;
    for_each_lock(list, [&](file_lock& held) {
        if (held.fl_owner != request.fl_owner) return;
        if (held.fl_type != request.fl_type) {
            if (overlap(held, request)) cut(list, held, request, right);
        } else if (touch(held, request)) {
            start = held.fl_start < start ? held.fl_start : start;
            end = held.fl_end > end ? held.fl_end : end;
            remove_lock(held);
        }
    });
    if (!fresh) return;
    fresh->fl_start = start;
    fresh->fl_end = end;
    insert_sorted(list, *fresh.leak());
}

Result<> try_posix_lock(inode& node, const file_lock& request, lock_waiter* waiter) {
    // Before anything changes. Giving everything back needs nothing and cannot fail.
    OwnPtr<file_lock> fresh;
    OwnPtr<file_lock> right;
    const bool gives_back = request.fl_type == abi::kFUnLck;
    const bool whole = request.fl_start == 0 && request.fl_end == kOffsetMax;
    if (!gives_back) fresh = OwnPtr<file_lock>(new (nothrow) file_lock(request));
    if (!whole) right = OwnPtr<file_lock>(new (nothrow) file_lock(request));
    if ((!gives_back && !fresh) || (!whole && !right)) return Errno::NoLck;
    const spinlock_guard guard(file_lock_lock);
    const file_lock* holder = gives_back ? nullptr : find_conflict(node.i_posix, request);
    if (holder != nullptr) return refuse(request, *holder, waiter);
    apply(node.i_posix, request, std::move(fresh), std::move(right));
    wake_blocked(node);
    return {};
}

Result<> try_flock(inode& node, const file_lock& request, lock_waiter* waiter) {
    OwnPtr<file_lock> fresh;
    if (request.fl_type != abi::kFUnLck) fresh = TRY(make_owned<file_lock>(request));
    const spinlock_guard guard(file_lock_lock);
    bool same = false;
    for_each_lock(node.i_flock, [&](file_lock& held) {
        if (held.fl_owner != request.fl_owner) return;
        same = held.fl_type == request.fl_type;
        if (same) return;
        remove_lock(held);
        wake_blocked(node);
    });
    if (same || !fresh) return {};
    if (const file_lock* holder = find_conflict(node.i_flock, request))
        return refuse(request, *holder, waiter);
    file_lock& lock = *fresh.leak();
    list_add_tail(lock.fl_list, node.i_flock);
    held_locks.push_back(lock);
    return {};
}

void remove_all_of(inode& node, list_head& list, const void* owner) {
    // Most files are never locked.
    if (list_empty(list)) return;
    const spinlock_guard guard(file_lock_lock);
    bool any = false;
    for_each_lock(list, [&](file_lock& held) {
        if (held.fl_owner != owner) return;
        remove_lock(held);
        any = true;
    });
    if (any) wake_blocked(node);
}

}  // namespace

Result<> posix_lock_file(inode& node, const file_lock& request, LockWait wait) {
    return attempt_until_free(wait,
                              [&](lock_waiter* waiter) { return try_posix_lock(node, request, waiter); });
}

bool posix_test_lock(const inode& node, const file_lock& request, file_lock& found) {
    const spinlock_guard guard(file_lock_lock);
    const file_lock* holder = find_conflict(node.i_posix, request);
    if (holder == nullptr) return false;
    found.fl_type = holder->fl_type;
    found.fl_kind = holder->fl_kind;
    found.fl_pid = holder->fl_pid;
    found.fl_start = holder->fl_start;
    found.fl_end = holder->fl_end;
    return true;
}

Result<> flock_lock_file(inode& node, const file_lock& request, LockWait wait) {
    return attempt_until_free(wait, [&](lock_waiter* waiter) { return try_flock(node, request, waiter); });
}

void for_each_file_lock(void (*visit)(const file_lock& lock, bool waits, void* context), void* context) {
    const spinlock_guard guard(file_lock_lock);
    for (const file_lock& held : held_locks) {
        visit(held, false, context);
        for (const lock_waiter& waiter : blocked) {
            if (waiter.holder == &held) visit(*waiter.request, true, context);
        }
    }
}

void locks_remove_posix(const file& f, const void* owner) {
    remove_all_of(f.node(), f.node().i_posix, owner);
}

void locks_remove_file(const file& f) {
    remove_all_of(f.node(), f.node().i_flock, &f);
    remove_all_of(f.node(), f.node().i_posix, &f);
}

}  // namespace guest
