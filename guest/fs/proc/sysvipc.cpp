// /proc/sysvipc: what System V objects there are, in the reader's namespace (man 5 proc).
#include "guest/fs/inode.hpp"
#include "guest/fs/proc/root_files.hpp"
#include "guest/ipc/msg.hpp"
#include "guest/ipc/sem.hpp"
#include "guest/ipc/shm.hpp"
#include "guest/kernel/nsproxy.hpp"

namespace guest {

namespace {

ipc_namespace& current_ns() { return *current()->nsproxy->ipc_ns; }

Result<> msg_show(proc_text& m) {
    m.puts(
        "       key      msqid perms      cbytes       qnum lspid lrpid   uid   gid  cuid  cgid      stime   "
        "   rtime      "
        "ctime\n");
    const mutex_guard guard(current_ns().msg_ids.lock);
    for_each_ipc(current_ns().msg_ids, [&](const kern_ipc_perm& object) {
        const auto& queue = static_cast<const msg_queue&>(object);
        m.printf("%10d %10d  %4o  %10lu %10lu %5d %5d %5u %5u %5u %5u %10ld %10ld %10ld\n", queue.key,
                 queue.id, queue.mode, queue.q_cbytes, queue.q_qnum, queue.q_lspid, queue.q_lrpid, queue.uid,
                 queue.gid, queue.cuid, queue.cgid, queue.q_stime, queue.q_rtime, queue.q_ctime);
    });
    return {};
}

Result<> sem_show(proc_text& m) {
    m.puts("       key      semid perms      nsems   uid   gid  cuid  cgid      otime      ctime\n");
    const mutex_guard guard(current_ns().sem_ids.lock);
    for_each_ipc(current_ns().sem_ids, [&](const kern_ipc_perm& object) {
        const auto& set = static_cast<const sem_array&>(object);
        m.printf("%10d %10d  %4o %10u %5u %5u %5u %5u %10ld %10ld\n", set.key, set.id, set.mode, set.nsems,
                 set.uid, set.gid, set.cuid, set.cgid, set.sem_otime, set.sem_ctime);
    });
    return {};
}

Result<> shm_show(proc_text& m) {
    m.puts(
        "       key      shmid perms                  size  cpid  lpid nattch   uid   gid  cuid  cgid      "
        "atime      "
        "dtime      ctime                   rss                  swap\n");
    const mutex_guard guard(current_ns().shm_ids.lock);
    for_each_ipc(current_ns().shm_ids, [&](const kern_ipc_perm& object) {
        const auto& segment = static_cast<const shmid_kernel&>(object);
        m.printf("%10d %10d  %4o %21lu %5d %5d  %5lu %5u %5u %5u %5u %10ld %10ld %10ld %21lu %21lu\n",
                 segment.key, segment.id, segment.mode, segment.shm_segsz, segment.shm_cprid,
                 segment.shm_lprid, segment.shm_nattch, segment.uid, segment.gid, segment.cuid, segment.cgid,
                 segment.shm_atim, segment.shm_dtim, segment.shm_ctim,
                 shm_resident_pages(segment) * kPageSize, uint64_t{0});
    });
    return {};
}

}  // namespace

constinit const proc_entry kSysvipcEntries[kNrSysvipcEntries] = {
    {.name = "msg", .mode = abi::kIfReg | 0444, .show = msg_show},
    {.name = "sem", .mode = abi::kIfReg | 0444, .show = sem_show},
    {.name = "shm", .mode = abi::kIfReg | 0444, .show = shm_show},
};

}  // namespace guest
