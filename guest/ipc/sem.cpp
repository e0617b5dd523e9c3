// Semaphore sets: made, operated on, removed.
#include "guest/ipc/sem.hpp"

#include "guest/ipc/syscalls.hpp"
#include "guest/kernel/sched.hpp"

namespace guest {

DEFINE_KMEM_CACHE(sem_array)

namespace {

void wake(sem_queue& q, int status) {
    q.node.unlink();
    q.status = status;
    wake_up_all(q.wait);
}

// One operation. False: it cannot be done now.
Result<bool> do_one(sem_array& set, const sem_queue& q, const abi::Sembuf& op) {
    sem& one = set.sems[op.sem_num];
    if (op.sem_op == 0) return one.semval == 0;
    const int value = one.semval + op.sem_op;
    if (value < 0) return false;
    if (value > kSemVmx) return Errno::Range;
    if ((op.sem_flg & abi::kSemUndo) != 0) {
        const int adjust = q.undo->semadj[op.sem_num] - op.sem_op;
        if (adjust < -kSemAem - 1 || adjust > kSemAem) return Errno::Range;
        q.undo->semadj[op.sem_num] = static_cast<int16_t>(adjust);
    }
    one.semval = value;
    return true;
}

// Takes the first `count` operations back.
void roll_back(sem_array& set, const sem_queue& q, unsigned count) {
    while (count-- > 0) {
        const abi::Sembuf& op = q.sops[count];
        set.sems[op.sem_num].semval -= op.sem_op;
        if ((op.sem_flg & abi::kSemUndo) != 0) {
            int16_t& adjust = q.undo->semadj[op.sem_num];
            adjust = static_cast<int16_t>(adjust + op.sem_op);
        }
    }
}

// Lets those go on that can. True at the first one that changed a value: the others have to look again.
bool try_waiters(sem_array& set, IntrusiveList<sem_queue, &sem_queue::node>& waiters) {
    for (sem_queue& q : waiters) {
        Result<bool> done = perform_atomic_semop(set, q);
        if (!done.ok()) {
            wake(q, static_cast<int>(done.error()));
        } else if (done.value()) {
            const bool altered = q.alter;
            set.sem_otime = ipc_now();
            wake(q, 0);
            if (altered) return true;
        }
    }
    return false;
}

Result<int> newary(ipc_namespace& ns, abi::key_t key, int nsems, int flags) {
    if (nsems == 0) return Errno::Inval;
    if (ns.used_sems + nsems > ns.limits.semmns) return Errno::NoSpc;
    auto set = TRY(make_owned<sem_array>());
    set->sems = static_cast<sem*>(kzalloc(static_cast<size_t>(nsems) * sizeof(sem)));
    if (set->sems == nullptr) return Errno::NoMem;
    set->nsems = static_cast<unsigned>(nsems);
    set->sem_ctime = ipc_now();
    TRY(ipc_addid(ns.sem_ids, *set, key, flags, ns.limits.semmni));
    ns.used_sems += nsems;
    return set.leak()->id;
}

}  // namespace

Result<sem_array*> sem_obtain_object(const ipc_namespace& ns, int semid) {
    return static_cast<sem_array*>(TRY(ipc_obtain_object(ns.sem_ids, semid)));
}

Result<bool> perform_atomic_semop(sem_array& set, sem_queue& q) {
    for (unsigned i = 0; i < q.nsops; ++i) {
        const abi::Sembuf& op = q.sops[i];
        Result<bool> done = do_one(set, q, op);
        if (done.ok() && done.value()) continue;
        roll_back(set, q, i);
        if (!done.ok()) return done.error();
        if ((op.sem_flg & abi::kIpcNoWait) != 0) return Errno::Again;
        q.blocking = &op;
        return false;
    }
    for (unsigned i = 0; i < q.nsops; ++i) set.sems[q.sops[i].sem_num].sempid = q.pid;
    return true;
}

void update_queue(sem_array& set) {
    // Those that wait for zero first, after each change: the next change may end the zero.
    do {
        (void)try_waiters(set, set.pending_const);
    } while (try_waiters(set, set.pending_alter));
}

void freeary(ipc_namespace& ns, sem_array& set) {
    for (sem_undo& undo : set.undos) {
        undo.list_id.unlink();
        undo.list_proc.unlink();
        delete &undo;
    }
    for (sem_queue& q : set.pending_const) wake(q, static_cast<int>(Errno::IdRm));
    for (sem_queue& q : set.pending_alter) wake(q, static_cast<int>(Errno::IdRm));
    ipc_rmid(ns.sem_ids, set);
    ns.used_sems -= static_cast<int>(set.nsems);
    delete &set;
}

Result<long> sys_semget(int key, int nsems, int flags) {
    ipc_namespace& ns = *current()->nsproxy->ipc_ns;
    if (nsems < 0 || nsems > ns.limits.semmsl) return Errno::Inval;
    return TRY(ipcget(
        ns.sem_ids, key, flags, [&] { return newary(ns, key, nsems, flags); },
        [&](const kern_ipc_perm& found) -> Result<> {
            const auto& set = static_cast<const sem_array&>(found);
            if (static_cast<unsigned>(nsems) > set.nsems) return Errno::Inval;
            return {};
        }));
}

}  // namespace guest
