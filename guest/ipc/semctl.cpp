// semctl.
#include "guest/ipc/sem.hpp"
#include "guest/ipc/syscalls.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

ipc_namespace& current_ns() { return *current()->nsproxy->ipc_ns; }

Result<long> sem_info(int command, UserPtr<abi::SemInfo> out) {
    ipc_namespace& ns = current_ns();
    abi::SemInfo info{};
    info.semmap = info.semmns = info.semmnu = static_cast<int32_t>(ns.limits.semmns);
    info.semmni = static_cast<int32_t>(ns.limits.semmni);
    info.semmsl = static_cast<int32_t>(ns.limits.semmsl);
    info.semopm = info.semume = static_cast<int32_t>(ns.limits.semopm);
    info.semusz = 20;  // bytes of an undo structure, once
    info.semvmx = kSemVmx;
    info.semaem = kSemAem;
    int highest;
    {
        const mutex_guard guard(ns.sem_ids.lock);
        if (command == abi::kSemInfo) {
            info.semusz = ns.sem_ids.in_use;
            info.semaem = ns.used_sems;
        }
        highest = ipc_max_index(ns.sem_ids);
    }
    TRY(put_user(out, info));
    return highest;
}

// IPC_STAT names a set by its identifier, the others by its place.
Result<long> sem_stat(int semid, int command, UserPtr<abi::SemidDs> out) {
    ipc_namespace& ns = current_ns();
    abi::SemidDs shown{};
    long result = 0;
    {
        const mutex_guard guard(ns.sem_ids.lock);
        const bool by_id = command == abi::kIpcStat;
        kern_ipc_perm* found =
            by_id ? TRY(ipc_obtain_object(ns.sem_ids, semid)) : TRY(ipc_obtain_index(ns.sem_ids, semid));
        const auto& set = static_cast<const sem_array&>(*found);
        if (command != abi::kSemStatAny) TRY(ipcperms(set, kMayRead));
        shown.sem_perm = to_abi_perm(set);
        shown.sem_otime = set.sem_otime;
        shown.sem_ctime = set.sem_ctime;
        shown.sem_nsems = set.nsems;
        if (!by_id) result = set.id;
    }
    TRY(put_user(out, shown));
    return result;
}

Result<long> sem_down(int semid, int command, UserPtr<const abi::SemidDs> from) {
    abi::SemidDs wanted{};
    if (command == abi::kIpcSet) wanted = TRY(get_user(from));
    ipc_namespace& ns = current_ns();
    const mutex_guard guard(ns.sem_ids.lock);
    sem_array& set = *TRY(sem_obtain_object(ns, semid));
    TRY(ipc_check_owner(set));
    if (command == abi::kIpcRmid) {
        freeary(ns, set);
        return 0;
    }
    TRY(ipc_update_perm(set, wanted.sem_perm));
    set.sem_ctime = ipc_now();
    return 0;
}

long count_waiters(const sem_array& set, unsigned semnum, bool for_zero) {
    long count = 0;
    const auto look = [&](const IntrusiveList<sem_queue, &sem_queue::node>& waiters) {
        for (const sem_queue& q : waiters) {
            if (q.blocking->sem_num == semnum && (q.blocking->sem_op == 0) == for_zero) ++count;
        }
    };
    look(set.pending_const);
    look(set.pending_alter);
    return count;
}

Result<long> get_one(int semid, int semnum, int command) {
    ipc_namespace& ns = current_ns();
    const mutex_guard guard(ns.sem_ids.lock);
    const sem_array& set = *TRY(sem_obtain_object(ns, semid));
    TRY(ipcperms(set, kMayRead));
    const auto number = static_cast<unsigned>(semnum);
    if (semnum < 0 || number >= set.nsems) return Errno::Inval;
    switch (command) {
        case abi::kGetVal:
            return set.sems[number].semval;
        case abi::kGetPid:
            return set.sems[number].sempid;
        case abi::kGetNCnt:
            return count_waiters(set, number, false);
        default:
            return count_waiters(set, number, true);
    }
}

void set_value(sem_array& set, unsigned number, int value) {
    set.sems[number].semval = value;
    set.sems[number].sempid = task_tgid_vnr(current());
    clear_undo(set, number);
}

Result<long> set_one(int semid, int semnum, int value) {
    if (value < 0 || value > kSemVmx) return Errno::Range;
    ipc_namespace& ns = current_ns();
    const mutex_guard guard(ns.sem_ids.lock);
    sem_array& set = *TRY(sem_obtain_object(ns, semid));
    const auto number = static_cast<unsigned>(semnum);
    if (semnum < 0 || number >= set.nsems) return Errno::Inval;
    TRY(ipcperms(set, kMayWrite));
    set_value(set, number, value);
    set.sem_ctime = ipc_now();
    update_queue(set);
    return 0;
}

// A buffer for all values; how many there are does not change while the set is there.
Result<KBuffer> values_buffer(ipc_namespace& ns, int semid, int rights) {
    const mutex_guard guard(ns.sem_ids.lock);
    const sem_array& set = *TRY(sem_obtain_object(ns, semid));
    TRY(ipcperms(set, rights));
    return KBuffer::allocate(set.nsems * sizeof(uint16_t));
}

Result<long> get_all(int semid, UserPtr<uint16_t> out) {
    ipc_namespace& ns = current_ns();
    const KBuffer memory = TRY(values_buffer(ns, semid, kMayRead));
    auto* values = reinterpret_cast<uint16_t*>(memory.data());
    {
        const mutex_guard guard(ns.sem_ids.lock);
        Result<sem_array*> found = sem_obtain_object(ns, semid);
        if (!found.ok()) return Errno::IdRm;
        const sem_array& set = *found.value();
        for (unsigned i = 0; i < set.nsems; ++i) values[i] = static_cast<uint16_t>(set.sems[i].semval);
    }
    TRY(copy_to_user(out, values, memory.size()));
    return 0;
}

Result<long> set_all(int semid, UserPtr<const uint16_t> from) {
    ipc_namespace& ns = current_ns();
    const KBuffer memory = TRY(values_buffer(ns, semid, kMayWrite));
    const auto* values = reinterpret_cast<const uint16_t*>(memory.data());
    TRY(copy_from_user(memory.data(), from, memory.size()));
    for (size_t i = 0; i < memory.size() / sizeof(uint16_t); ++i) {
        if (values[i] > kSemVmx) return Errno::Range;
    }
    const mutex_guard guard(ns.sem_ids.lock);
    Result<sem_array*> found = sem_obtain_object(ns, semid);
    if (!found.ok()) return Errno::IdRm;
    sem_array& set = *found.value();
    for (unsigned i = 0; i < set.nsems; ++i) set_value(set, i, values[i]);
    set.sem_ctime = ipc_now();
    update_queue(set);
    return 0;
}

}  // namespace

Result<long> sys_semctl(int semid, int semnum, int command, uint64_t argument) {
    if (semid < 0) return Errno::Inval;
    switch (command) {
        case abi::kIpcInfo:
        case abi::kSemInfo:
            return sem_info(command, UserPtr<abi::SemInfo>(argument));
        case abi::kIpcStat:
        case abi::kSemStat:
        case abi::kSemStatAny:
            return sem_stat(semid, command, UserPtr<abi::SemidDs>(argument));
        case abi::kGetAll:
            return get_all(semid, UserPtr<uint16_t>(argument));
        case abi::kSetAll:
            return set_all(semid, UserPtr<const uint16_t>(argument));
        case abi::kGetVal:
        case abi::kGetPid:
        case abi::kGetNCnt:
        case abi::kGetZCnt:
            return get_one(semid, semnum, command);
        case abi::kSetVal:
            return set_one(semid, semnum, static_cast<int>(argument));
        case abi::kIpcRmid:
        case abi::kIpcSet:
            return sem_down(semid, command, UserPtr<const abi::SemidDs>(argument));
        default:
            return Errno::Inval;
    }
}

}  // namespace guest
