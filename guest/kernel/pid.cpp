// Process ids: allocation, look-up, and which tasks stand for which.
#include "guest/kernel/pid.hpp"

#include "guest/kernel/nsproxy.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/array.hpp"

namespace guest {

DEFINE_KMEM_CACHE(pid)

pid_nr_t pid_max = kPidMax;

namespace {

constexpr unsigned kHashBits = 8;
constexpr pid_nr_t kReservedPids = 300;  // after the first round, low numbers stay with the system's own

// Heads of upid::pid_chain. Guarded by pidmap_lock.
constinit Array<list_head, 1u << kHashBits> pid_hash;
constinit spinlock_t pidmap_lock;

list_head& hash_bucket(pid_nr_t nr, const pid_namespace& ns) {
    const uint64_t key = static_cast<uint64_t>(nr) + reinterpret_cast<uint64_t>(&ns);
    return pid_hash[(key * 0x9e3779b97f4a7c15u) >> (64 - kHashBits)];
}

bool test_and_set(pid_namespace& ns, pid_nr_t nr) {
    uint64_t& word = ns.pidmap[nr / 64];
    const uint64_t bit = uint64_t{1} << (nr % 64);
    if ((word & bit) != 0) return false;
    word |= bit;
    return true;
}

// The next free number after the last one given, so that numbers come back late.
Result<pid_nr_t> alloc_pidmap(pid_namespace& ns) {
    const spinlock_guard guard(pidmap_lock);
    pid_nr_t nr = ns.last_pid;
    for (pid_nr_t tries = 0; tries < kPidMax; ++tries) {
        if (++nr >= pid_max) nr = kReservedPids;
        if (!test_and_set(ns, nr)) continue;
        ns.last_pid = nr;
        ++ns.nr_pids;
        return nr;
    }
    return Errno::Again;
}

// That number and no other.
Result<pid_nr_t> take_pidmap(pid_namespace& ns, pid_nr_t nr) {
    if (nr < 1 || nr >= kPidMax) return Errno::Inval;
    // The first of a namespace is its init.
    if (nr != 1 && ns.child_reaper == nullptr) return Errno::Inval;
    if (!capable(kCapSysAdmin) && !capable(kCapCheckpointRestore)) return Errno::Perm;
    const spinlock_guard guard(pidmap_lock);
    if (!test_and_set(ns, nr)) return Errno::Exist;
    ++ns.nr_pids;
    return nr;
}

void free_pidmap(pid_namespace& ns, pid_nr_t nr) {
    ns.pidmap[nr / 64] &= ~(uint64_t{1} << (nr % 64));
    --ns.nr_pids;
}

}  // namespace

Result<RefPtr<pid>> alloc_pid(pid_namespace& ns, WantedTids wanted) {
    if (wanted.count > ns.level + 1) return Errno::Inval;
    // Its init has ended.
    if (ns.child_reaper == nullptr && ns.last_pid != 0) return Errno::NoMem;
    RefPtr<pid> fresh = TRY(make_ref<pid>());
    fresh->level = ns.level;
    pid_namespace* at = &ns;
    for (unsigned level = ns.level + 1; level-- > 0; at = at->parent.get()) {
        // On failure the pid is freed with those numbers that it already has.
        const unsigned above = ns.level - level;  // levels between its own namespace and this one
        fresh->numbers[level].nr =
            TRY(above < wanted.count ? take_pidmap(*at, wanted.tid[above]) : alloc_pidmap(*at));
        at->get();
        fresh->numbers[level].ns = at;
    }
    const spinlock_guard guard(pidmap_lock);
    for (unsigned level = 0; level <= ns.level; ++level) {
        upid& number = fresh->numbers[level];
        list_add(number.pid_chain, hash_bucket(number.nr, *number.ns));
    }
    return fresh;
}

void pid::release() {
    {
        const spinlock_guard guard(pidmap_lock);
        for (unsigned i = 0; i <= level; ++i) {
            if (numbers[i].ns == nullptr) continue;
            numbers[i].pid_chain.unlink();
            free_pidmap(*numbers[i].ns, numbers[i].nr);
        }
    }
    for (unsigned i = 0; i <= level; ++i) {
        if (numbers[i].ns != nullptr) numbers[i].ns->put();
    }
    delete this;
}

pid* find_pid_ns(pid_nr_t nr, const pid_namespace& ns) {
    const spinlock_guard guard(pidmap_lock);
    list_head& bucket = hash_bucket(nr, ns);
    for (list_head* node = bucket.next; node != &bucket; node = node->next) {
        auto* number = list_entry<upid, &upid::pid_chain>(node);
        if (number->nr != nr || number->ns != &ns) continue;
        auto* first = reinterpret_cast<char*>(number - ns.level);
        return reinterpret_cast<pid*>(first - __builtin_offsetof(pid, numbers));
    }
    return nullptr;
}

namespace {

// The lowest set bit of the map at or above nr, or -1.
pid_nr_t next_pidmap(const pid_namespace& ns, pid_nr_t nr) {
    for (pid_nr_t at = nr; at < kPidMax; at = (at / 64 + 1) * 64) {
        const uint64_t word = ns.pidmap[at / 64] >> (at % 64);
        if (word != 0) return at + __builtin_ctzll(word);
    }
    return -1;
}

}  // namespace

RefPtr<pid> find_ge_pid(pid_nr_t nr, const pid_namespace& ns) {
    const spinlock_guard guard(tasklist_lock);
    for (nr = nr > 0 ? nr : 1; (nr = next_pidmap(ns, nr)) > 0; ++nr) {
        // A number is taken before its pid can be found.
        if (pid* found = find_pid_ns(nr, ns)) return RefPtr<pid>(found);
    }
    return nullptr;
}

pid* find_vpid(pid_nr_t nr) { return find_pid_ns(nr, task_active_pid_ns(current())); }

task_struct* pid_task(pid* of, PidType type) {
    if (of == nullptr) return nullptr;
    task_struct* first = nullptr;
    do_each_pid_task(of, type, [&](task_struct& task) {
        if (first == nullptr) first = &task;
    });
    return first;
}

task_struct* find_task_by_vpid(pid_nr_t nr) { return pid_task(find_vpid(nr), PIDTYPE_PID); }

pid_nr_t pid_nr_ns(const pid* of, const pid_namespace& ns) {
    if (of == nullptr || ns.level > of->level || of->numbers[ns.level].ns != &ns) return 0;
    return of->numbers[ns.level].nr;
}
pid_nr_t pid_vnr(const pid* of) { return pid_nr_ns(of, task_active_pid_ns(current())); }
pid_nr_t pid_nr(const pid* of) { return of != nullptr ? of->numbers[0].nr : 0; }

pid* task_pgrp(const task_struct* task) { return task->group_leader->pids[PIDTYPE_PGID].of.get(); }
pid* task_session(const task_struct* task) { return task->group_leader->pids[PIDTYPE_SID].of.get(); }

pid_nr_t task_pid_vnr(const task_struct* task) { return pid_vnr(task->thread_pid.get()); }
pid_nr_t task_tgid_vnr(const task_struct* task) { return pid_vnr(task->group_leader->thread_pid.get()); }
pid_nr_t task_pgrp_vnr(const task_struct* task) { return pid_vnr(task_pgrp(task)); }
pid_nr_t task_session_vnr(const task_struct* task) { return pid_vnr(task_session(task)); }

void attach_pid(task_struct* task, PidType type, RefPtr<pid> of) {
    list_add_tail(task->pids[type].node, of->tasks[type]);
    task->pids[type].of = std::move(of);
}

void detach_pid(task_struct* task, PidType type) {
    task->pids[type].node.unlink();
    task->pids[type].of.reset();
}

void change_pid(task_struct* task, PidType type, RefPtr<pid> of) {
    detach_pid(task, type);
    attach_pid(task, type, std::move(of));
}

}  // namespace guest
