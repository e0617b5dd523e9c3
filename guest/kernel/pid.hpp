// Process ids. A struct pid outlives its task as long as somebody names it: as a process group, a session, or
// a waiter. It has one number in each pid namespace from its own up to the first.
#pragma once

#include <stdint.h>

#include "guest/kernel/wait.hpp"
#include "guest/lib/list.hpp"
#include "guest/lib/refcount.hpp"
#include "guest/mm/slab.hpp"

namespace guest {

struct task_struct;
struct pid_namespace;

using pid_nr_t = int32_t;

enum PidType : unsigned { PIDTYPE_PID = 0, PIDTYPE_PGID = 1, PIDTYPE_SID = 2, PIDTYPE_MAX = 3 };

inline constexpr unsigned kMaxPidLevels = 8;

struct upid {
    pid_nr_t nr = 0;
    pid_namespace* ns = nullptr;
    list_head pid_chain;  // hash by number and namespace
};

struct pid : RefCounted<pid> {
    KMEM_CACHED()
    pid() = default;
    void release();

    unsigned level = 0;            // of its own namespace: numbers[level]
    list_head tasks[PIDTYPE_MAX];  // through task_struct::pids[type].node
    wait_queue_head wait_pidfd;    // polls of its pidfds
    upid numbers[kMaxPidLevels];
};

// A task's membership in the list of one pid.
struct pid_link {
    list_head node;
    RefPtr<struct pid> of;
};

// The numbers that clone3 wants a child to have: `count` of them, for its own namespace first.
struct WantedTids {
    const pid_nr_t* tid = nullptr;
    unsigned count = 0;
};
// A fresh pid, numbered in ns and every namespace above it. Again when numbers are used up, NoMem. Of a
// wanted number: Inval, Perm, Exist.
Result<RefPtr<pid>> alloc_pid(pid_namespace& ns, WantedTids wanted = {});

// By number, in current's pid namespace; null if there is none. Call with tasklist_lock held, or take a
// reference before anything else can run.
[[nodiscard]] pid* find_vpid(pid_nr_t nr);
[[nodiscard]] pid* find_pid_ns(pid_nr_t nr, const pid_namespace& ns);
// The lowest number at or above nr that is in use in ns; null if there is none.
[[nodiscard]] RefPtr<pid> find_ge_pid(pid_nr_t nr, const pid_namespace& ns);
// The first task of that kind, or null.
[[nodiscard]] task_struct* pid_task(pid* of, PidType type);
[[nodiscard]] task_struct* find_task_by_vpid(pid_nr_t nr);

// The number as ns sees it, 0 if it does not.
[[nodiscard]] pid_nr_t pid_nr_ns(const pid* of, const pid_namespace& ns);
// As current's namespace sees it.
[[nodiscard]] pid_nr_t pid_vnr(const pid* of);
// As the first namespace sees it: what the host's log shows.
[[nodiscard]] pid_nr_t pid_nr(const pid* of);

[[nodiscard]] pid_nr_t task_pid_vnr(const task_struct* task);
[[nodiscard]] pid_nr_t task_tgid_vnr(const task_struct* task);
[[nodiscard]] pid* task_pgrp(const task_struct* task);
[[nodiscard]] pid* task_session(const task_struct* task);
[[nodiscard]] pid_nr_t task_pgrp_vnr(const task_struct* task);
[[nodiscard]] pid_nr_t task_session_vnr(const task_struct* task);

// With tasklist_lock held.
void attach_pid(task_struct* task, PidType type, RefPtr<pid> of);
void detach_pid(task_struct* task, PidType type);
void change_pid(task_struct* task, PidType type, RefPtr<pid> of);

// Calls visit(task) for each task whose `type` is `of`. visit may not unlink others. tasklist_lock is held.
template <typename Visit>
void do_each_pid_task(pid* of, PidType type, Visit&& visit);

}  // namespace guest
