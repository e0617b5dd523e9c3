// System V semaphores: sets of them, operations on several at once, and what is undone when a process ends.
#pragma once

#include <stdint.h>

#include "guest/ipc/ids.hpp"
#include "guest/kernel/pid.hpp"
#include "guest/lib/list.hpp"
#include "guest/lib/refcount.hpp"
#include "guest/mm/slab.hpp"

namespace guest {

struct ipc_namespace;
struct task_struct;

inline constexpr int kSemVmx = 32767;    // the highest value
inline constexpr int kSemAem = kSemVmx;  // the highest adjustment

struct sem {
    int semval = 0;
    pid_nr_t sempid = 0;  // who changed it last, as its own namespace numbers it
};

// What one process, or a group that shares it (CLONE_SYSVSEM), owes one set.
struct sem_undo {
    list_head list_proc;  // in sem_undo_list
    list_head list_id;    // in sem_array
    int semid = -1;
    int16_t* semadj = nullptr;  // one for each semaphore: added at exit

    KMEM_CACHED()
    sem_undo() = default;
    sem_undo(const sem_undo&) = delete;
    sem_undo& operator=(const sem_undo&) = delete;
    ~sem_undo() { kfree(semadj); }
};

// task_struct::sysvsem. Guarded by the lock of the semaphores' ipc_ids. The last reference adjusts the sets
// (rows F8, C11).
struct sem_undo_list : RefCounted<sem_undo_list> {
    KMEM_CACHED()
    sem_undo_list() = default;
    void release();
    IntrusiveList<sem_undo, &sem_undo::list_proc> list_proc;
};

// One call of semop that has to wait, on its task's stack.
struct sem_queue {
    static constexpr int kWaiting = 1;

    list_head node;
    const abi::Sembuf* sops = nullptr;
    unsigned nsops = 0;
    const abi::Sembuf* blocking = nullptr;  // the operation that cannot be done
    sem_undo* undo = nullptr;               // null: none asked for
    pid_nr_t pid = 0;
    bool alter = false;              // changes a value, not only waits for zero
    volatile int status = kWaiting;  // then 0, or an errno
    wait_queue_head wait;
};

struct sem_array : kern_ipc_perm {
    KMEM_CACHED()
    sem_array() = default;
    sem_array(const sem_array&) = delete;
    sem_array& operator=(const sem_array&) = delete;
    ~sem_array() { kfree(sems); }

    int64_t sem_otime = 0;  // s, of the last semop
    int64_t sem_ctime = 0;
    unsigned nsems = 0;
    sem* sems = nullptr;
    IntrusiveList<sem_queue, &sem_queue::node> pending_const;  // wait for zeros only
    IntrusiveList<sem_queue, &sem_queue::node> pending_alter;
    IntrusiveList<sem_undo, &sem_undo::list_id> undos;
};

// All of these want the lock of the semaphores' ipc_ids held.

Result<sem_array*> sem_obtain_object(const ipc_namespace& ns, int semid);
// Does all operations of q, or none. False: q has to wait (q.blocking says for what). Again: it may not.
// Range.
Result<bool> perform_atomic_semop(sem_array& set, sem_queue& q);
// Values changed: whoever can go on now does its operations, in the order in which they came, and is woken.
void update_queue(sem_array& set);
// SETVAL, SETALL: nobody owes this semaphore anything any more.
void clear_undo(sem_array& set, unsigned semnum);
// IPC_RMID: waiters fail with IdRm.
void freeary(ipc_namespace& ns, sem_array& set);

// What current owes the set, made if there is none. Inval, NoMem.
Result<sem_undo*> find_alloc_undo(sem_array& set);

// current's list, made if there is none; takes no lock. NoMem.
Result<sem_undo_list*> get_undo_list();
void put_undo_list(sem_undo_list* list);

}  // namespace guest
