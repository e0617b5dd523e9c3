// msgctl.
#include "guest/ipc/msg.hpp"
#include "guest/ipc/syscalls.hpp"
#include "guest/kernel/cred.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

ipc_namespace& current_ns() { return *current()->nsproxy->ipc_ns; }

// Limits that mean nothing to today's kernels, as they give them.
constexpr int kMsgPool = 32000 * (16384 / 1024);  // KiB
constexpr int kMsgMap = 16384;
constexpr int kMsgSsz = 16;
constexpr uint16_t kMsgSeg = 0xffff;

Result<long> msg_info(int command, UserPtr<abi::MsgInfo> out) {
    ipc_namespace& ns = current_ns();
    abi::MsgInfo info{};
    info.msgmni = static_cast<int32_t>(ns.limits.msgmni);
    info.msgmax = static_cast<int32_t>(ns.limits.msgmax);
    info.msgmnb = static_cast<int32_t>(ns.limits.msgmnb);
    info.msgssz = kMsgSsz;
    info.msgseg = kMsgSeg;
    info.msgmap = info.msgtql = kMsgMap;
    info.msgpool = kMsgPool;
    int highest;
    {
        const mutex_guard guard(ns.msg_ids.lock);
        if (command == abi::kMsgInfo) {
            info.msgpool = ns.msg_ids.in_use;
            info.msgmap = static_cast<int32_t>(ns.msg_hdrs);
            info.msgtql = static_cast<int32_t>(ns.msg_bytes);
        }
        highest = ipc_max_index(ns.msg_ids);
    }
    TRY(put_user(out, info));
    return highest;
}

// IPC_STAT names a queue by its identifier, the others by its place.
Result<long> msg_stat(int msqid, int command, UserPtr<abi::MsqidDs> out) {
    ipc_namespace& ns = current_ns();
    abi::MsqidDs shown{};
    long result = 0;
    {
        const mutex_guard guard(ns.msg_ids.lock);
        const bool by_id = command == abi::kIpcStat;
        kern_ipc_perm* found =
            by_id ? TRY(ipc_obtain_object(ns.msg_ids, msqid)) : TRY(ipc_obtain_index(ns.msg_ids, msqid));
        const auto& queue = static_cast<const msg_queue&>(*found);
        if (command != abi::kMsgStatAny) TRY(ipcperms(queue, kMayRead));
        shown.msg_perm = to_abi_perm(queue);
        shown.msg_stime = queue.q_stime;
        shown.msg_rtime = queue.q_rtime;
        shown.msg_ctime = queue.q_ctime;
        shown.msg_cbytes = queue.q_cbytes;
        shown.msg_qnum = queue.q_qnum;
        shown.msg_qbytes = queue.q_qbytes;
        shown.msg_lspid = queue.q_lspid;
        shown.msg_lrpid = queue.q_lrpid;
        if (!by_id) result = queue.id;
    }
    TRY(put_user(out, shown));
    return result;
}

Result<long> msg_down(int msqid, int command, UserPtr<abi::MsqidDs> from) {
    abi::MsqidDs wanted{};
    if (command == abi::kIpcSet) wanted = TRY(get_user(from));
    ipc_namespace& ns = current_ns();
    const mutex_guard guard(ns.msg_ids.lock);
    msg_queue& queue = *TRY(msq_obtain_object(ns, msqid));
    TRY(ipc_check_owner(queue));
    if (command == abi::kIpcRmid) {
        freeque(ns, queue);
        return 0;
    }
    if (wanted.msg_qbytes > static_cast<uint64_t>(ns.limits.msgmnb) && !capable(kCapSysResource))
        return Errno::Perm;
    TRY(ipc_update_perm(queue, wanted.msg_perm));
    queue.q_qbytes = wanted.msg_qbytes;
    queue.q_ctime = ipc_now();
    // Rights and room may be others now: all who wait ask again.
    expunge_all(queue, Errno::Again);
    ss_wakeup(queue, false);
    return 0;
}

}  // namespace

Result<long> sys_msgctl(int msqid, int command, UserPtr<abi::MsqidDs> argument) {
    if (msqid < 0 || command < 0) return Errno::Inval;
    switch (command) {
        case abi::kIpcInfo:
        case abi::kMsgInfo:
            return msg_info(command, argument.cast<abi::MsgInfo>());
        case abi::kIpcStat:
        case abi::kMsgStat:
        case abi::kMsgStatAny:
            return msg_stat(msqid, command, argument);
        case abi::kIpcSet:
        case abi::kIpcRmid:
            return msg_down(msqid, command, argument);
        default:
            return Errno::Inval;
    }
}

}  // namespace guest
