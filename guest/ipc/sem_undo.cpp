// SEM_UNDO: what a process owes the sets is settled when it, or the last of those that share the list, ends.
#include "guest/ipc/sem.hpp"
#include "guest/kernel/sched.hpp"

namespace guest {

DEFINE_KMEM_CACHE(sem_undo)
DEFINE_KMEM_CACHE(sem_undo_list)

namespace {

// Values that Linux says nothing about are cut to what a semaphore can have.
void settle(sem_array& set, const sem_undo& undo) {
    for (unsigned i = 0; i < set.nsems; ++i) {
        if (undo.semadj[i] == 0) continue;
        sem& one = set.sems[i];
        one.semval += undo.semadj[i];
        if (one.semval < 0) one.semval = 0;
        if (one.semval > kSemVmx) one.semval = kSemVmx;
        one.sempid = task_tgid_vnr(current());
    }
    set.sem_otime = ipc_now();
    update_queue(set);
}

}  // namespace

// Only the end of a task comes here: others that drop a reference know that one is left.
void sem_undo_list::release() {
    ipc_namespace& ns = *current()->nsproxy->ipc_ns;
    {
        const mutex_guard guard(ns.sem_ids.lock);
        while (sem_undo* undo = list_proc.pop_front()) {
            undo->list_id.unlink();
            // A set that is removed takes what is owed to it with it: this one exists.
            Result<sem_array*> found = sem_obtain_object(ns, undo->semid);
            BUG_ON(!found.ok());
            settle(*found.value(), *undo);
            delete undo;
        }
    }
    delete this;
}

void put_undo_list(sem_undo_list* list) { list->put(); }

Result<sem_undo_list*> get_undo_list() {
    task_struct& task = *current();
    if (!task.sysvsem) task.sysvsem.reset(TRY(make_ref<sem_undo_list>()).leak());
    return task.sysvsem.get();
}

Result<sem_undo*> find_alloc_undo(sem_array& set) {
    sem_undo_list& list = *TRY(get_undo_list());
    for (sem_undo& undo : list.list_proc) {
        if (undo.semid == set.id) return &undo;
    }
    auto fresh = TRY(make_owned<sem_undo>());
    fresh->semadj = static_cast<int16_t*>(kzalloc(set.nsems * sizeof(int16_t)));
    if (fresh->semadj == nullptr) return Errno::NoMem;
    fresh->semid = set.id;
    list.list_proc.push_back(*fresh);
    set.undos.push_back(*fresh);
    return fresh.leak();
}

void clear_undo(sem_array& set, unsigned semnum) {
    for (sem_undo& undo : set.undos) undo.semadj[semnum] = 0;
}

}  // namespace guest
