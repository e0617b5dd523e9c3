// semop and semtimedop.
#include "guest/ipc/sem.hpp"
#include "guest/ipc/syscalls.hpp"
#include "guest/kernel/ktime.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

// What the operations ask for, taken together.
struct Wants {
    unsigned max = 0;  // the highest semaphore number
    bool alter = false;
    bool undo = false;
};

Wants look_through(const abi::Sembuf* sops, unsigned nsops) {
    Wants wants;
    for (unsigned i = 0; i < nsops; ++i) {
        if (sops[i].sem_num > wants.max) wants.max = sops[i].sem_num;
        if (sops[i].sem_op == 0) continue;
        wants.alter = true;
        if ((sops[i].sem_flg & abi::kSemUndo) != 0) wants.undo = true;
    }
    return wants;
}

// Does the operations, or queues q for them. True: done.
Result<bool> start(ipc_ids& ids, const ipc_namespace& ns, int semid, sem_queue& q, const Wants& wants) {
    const mutex_guard guard(ids.lock);
    sem_array& set = *TRY(sem_obtain_object(ns, semid));
    if (wants.max >= set.nsems) return Errno::FBig;
    TRY(ipcperms(set, wants.alter ? kMayWrite : kMayRead));
    if (wants.undo) q.undo = TRY(find_alloc_undo(set));
    if (!TRY(perform_atomic_semop(set, q))) {
        (wants.alter ? set.pending_alter : set.pending_const).push_back(q);
        return false;
    }
    set.sem_otime = ipc_now();
    if (wants.alter) update_queue(set);
    return true;
}

// Never restarted: man 7 signal.
Result<long> wait_for_turn(ipc_ids& ids, sem_queue& q, uint64_t ns) {
    const Result<uint64_t> left =
        wait_event_interruptible_timeout(q.wait, q.status != sem_queue::kWaiting, ns);
    const mutex_guard guard(ids.lock);
    // Whatever woke us, the set may have come to a result meanwhile.
    if (q.status == 0) return 0;
    if (q.status != sem_queue::kWaiting) return static_cast<Errno>(q.status);
    q.node.unlink();
    return left.ok() ? Errno::Again : Errno::Intr;
}

Result<long> do_semtimedop(int semid, UserPtr<const abi::Sembuf> from, uint32_t nsops,
                           UserPtr<const abi::Timespec> timeout) {
    abi::Timespec longest{};
    if (timeout) longest = TRY(get_user(timeout));
    const RefPtr<ipc_namespace> space = current()->nsproxy->ipc_ns;
    if (nsops > static_cast<uint64_t>(space->limits.semopm)) return Errno::TooBig;
    const KBuffer memory = TRY(KBuffer::allocate((nsops + 1) * sizeof(abi::Sembuf)));
    TRY(copy_from_user(memory.data(), from, nsops * sizeof(abi::Sembuf)));
    if (nsops < 1 || semid < 0) return Errno::Inval;
    const uint64_t ns = timeout ? TRY(timespec_to_ns(longest)) : kNoTimeout;

    sem_queue q;
    q.sops = reinterpret_cast<const abi::Sembuf*>(memory.data());
    q.nsops = nsops;
    q.pid = task_tgid_vnr(current());
    const Wants wants = look_through(q.sops, nsops);
    q.alter = wants.alter;
    if (TRY(start(space->sem_ids, *space, semid, q, wants))) return 0;
    return wait_for_turn(space->sem_ids, q, ns);
}

}  // namespace

Result<long> sys_semop(int semid, UserPtr<const abi::Sembuf> sops, uint32_t nsops) {
    return do_semtimedop(semid, sops, nsops, UserPtr<const abi::Timespec>());
}

Result<long> sys_semtimedop(int semid, UserPtr<const abi::Sembuf> sops, uint32_t nsops,
                            UserPtr<const abi::Timespec> timeout) {
    return do_semtimedop(semid, sops, nsops, timeout);
}

}  // namespace guest
