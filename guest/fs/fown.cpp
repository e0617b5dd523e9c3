// Owners of descriptions, and the signals that they get.
#include "guest/fs/fown.hpp"

#include "guest/abi/signal.hpp"
#include "guest/fs/file.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

// Guards all fasync lists. Taken before tasklist_lock.
constinit spinlock_t fasync_lock;

using Kind = fown_struct::Kind;

void set_owner(file& f, RefPtr<pid> owner, Kind kind) {
    const cred& mine = current_cred();
    const spinlock_guard guard(f.f_lock);
    // The old one goes when the lock has been given back.
    std::swap(f.f_owner.pid, owner);
    f.f_owner.kind = kind;
    f.f_owner.uid = mine.uid;
    f.f_owner.euid = mine.euid;
}

Result<RefPtr<pid>> find_owner(pid_nr_t nr) {
    if (nr == 0) return RefPtr<pid>();
    const spinlock_guard guard(tasklist_lock);
    pid* found = find_vpid(nr);
    if (found == nullptr) return Errno::Srch;
    return RefPtr<pid>(found);
}

// A process, or below 0 a group.
Result<long> set_own(file& f, int32_t who) {
    if (who == INT32_MIN) return Errno::Inval;
    set_owner(f, TRY(find_owner(who < 0 ? -who : who)), who < 0 ? Kind::Group : Kind::Process);
    return 0;
}

fown_struct owner_of(const file& f) {
    const spinlock_guard guard(f.f_lock);
    return f.f_owner;
}

// 0 if it is gone.
pid_nr_t owner_nr(const fown_struct& owner) {
    if (!owner.pid) return 0;
    const spinlock_guard guard(tasklist_lock);
    const PidType type = owner.kind == Kind::Group ? PIDTYPE_PGID : PIDTYPE_PID;
    return pid_task(owner.pid.get(), type) != nullptr ? pid_vnr(owner.pid.get()) : 0;
}

Result<long> get_own(const file& f) {
    const fown_struct owner = owner_of(f);
    const pid_nr_t nr = owner_nr(owner);
    return owner.kind == Kind::Group ? -nr : nr;
}

Result<long> set_own_ex(file& f, UserPtr<const abi::FOwnerEx> from) {
    const abi::FOwnerEx given = TRY(get_user(from));
    Kind kind{};
    switch (given.type) {
        case abi::kFOwnerTid:
            kind = Kind::Thread;
            break;
        case abi::kFOwnerPid:
            kind = Kind::Process;
            break;
        case abi::kFOwnerPgrp:
            kind = Kind::Group;
            break;
        default:
            return Errno::Inval;
    }
    set_owner(f, TRY(find_owner(given.pid)), kind);
    return 0;
}

Result<long> get_own_ex(const file& f, UserPtr<abi::FOwnerEx> to) {
    const fown_struct owner = owner_of(f);
    const int32_t type = owner.kind == Kind::Thread    ? abi::kFOwnerTid
                         : owner.kind == Kind::Process ? abi::kFOwnerPid
                                                       : abi::kFOwnerPgrp;
    TRY(put_user(to, abi::FOwnerEx{type, owner_nr(owner)}));
    return 0;
}

Result<long> set_sig(file& f, uint64_t sig) {
    if (sig > static_cast<uint64_t>(abi::kNsig)) return Errno::Inval;
    const spinlock_guard guard(f.f_lock);
    f.f_owner.signum = static_cast<int>(sig);
    return 0;
}

// Whoever set the owner must have been allowed to send it signals.
bool may_signal(const fown_struct& owner, const task_struct& task) {
    const cred& theirs = *task.cred;
    return owner.euid == 0 || owner.euid == theirs.suid || owner.euid == theirs.uid ||
           owner.uid == theirs.suid || owner.uid == theirs.uid;
}

// tasklist_lock is held.
void send_sigio_to(const fown_struct& owner, task_struct& task, const siginfo& info, SigTarget target) {
    if (!may_signal(owner, task)) return;
    if (owner.signum != 0) {
        siginfo told = info;
        told.signo = owner.signum;
        if (send_sig_info(owner.signum, told, &task, target, SigSource::Kernel).ok()) return;
        // There is no room for it: at least something is to be known.
    }
    siginfo plain{};
    plain.signo = abi::kSigIo;
    plain.code = abi::kSiKernel;
    (void)send_sig_info(abi::kSigIo, plain, &task, target, SigSource::Kernel).ok();
}

void send_sigio(const file& f, const siginfo& info) {
    const fown_struct owner = owner_of(f);
    if (!owner.pid) return;
    const spinlock_guard guard(tasklist_lock);
    const SigTarget target = owner.kind == Kind::Thread ? SigTarget::Thread : SigTarget::Process;
    if (owner.kind == Kind::Group) {
        do_each_pid_task(owner.pid.get(), PIDTYPE_PGID,
                         [&](task_struct& task) { send_sigio_to(owner, task, info, target); });
    } else if (task_struct* task = pid_task(owner.pid.get(), PIDTYPE_PID)) {
        send_sigio_to(owner, *task, info, target);
    }
}

}  // namespace

bool is_owner_command(uint32_t command) {
    return (command >= abi::kFSetOwn && command <= abi::kFGetSig) || command == abi::kFSetOwnEx ||
           command == abi::kFGetOwnEx || command == abi::kFGetOwnerUids;
}

Result<long> fcntl_owner(file& f, uint32_t command, uint64_t argument) {
    switch (command) {
        case abi::kFSetOwn:
            return set_own(f, static_cast<int32_t>(argument));
        case abi::kFGetOwn:
            return get_own(f);
        case abi::kFSetOwnEx:
            return set_own_ex(f, UserPtr<const abi::FOwnerEx>(argument));
        case abi::kFGetOwnEx:
            return get_own_ex(f, UserPtr<abi::FOwnerEx>(argument));
        case abi::kFSetSig:
            return set_sig(f, argument);
        case abi::kFGetSig:
            return owner_of(f).signum;
        default: {
            const fown_struct owner = owner_of(f);
            const UserPtr<uint32_t> out(argument);
            TRY(put_user(out, owner.uid));
            TRY(put_user(out + 1, owner.euid));
            return 0;
        }
    }
}

void fown_default(file& f, RefPtr<pid> owner, Kind kind) {
    if (!owner_of(f).pid) set_owner(f, std::move(owner), kind);
}

void fasync_add(file& f, fasync_list& list, int fd) {
    const spinlock_guard guard(fasync_lock);
    f.f_fasync.unlink();
    f.f_fasync_fd = fd;
    list_add_tail(f.f_fasync, list.head);
}

void fasync_remove(file& f) {
    const spinlock_guard guard(fasync_lock);
    f.f_fasync.unlink();
}

void kill_fasync(fasync_list& list, int32_t code) {
    if (list_empty(list.head)) return;
    const spinlock_guard guard(fasync_lock);
    for (list_head* node = list.head.next; node != &list.head; node = node->next) {
        const file& f = *list_entry<file, &file::f_fasync>(node);
        siginfo info{};
        info.code = code;
        info.poll.band = code == abi::kPollInCode ? abi::kPollIn | abi::kPollRdNorm
                                                  : abi::kPollOut | abi::kPollWrNorm | abi::kPollWrBand;
        info.poll.fd = f.f_fasync_fd;
        send_sigio(f, info);
    }
}

}  // namespace guest
