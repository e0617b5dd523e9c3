// User and group ids.
#include "guest/kernel/capability.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"
#include "guest/syscalls/syscalls.hpp"

namespace guest {

namespace {

constexpr uint32_t kKeep = ~uint32_t{0};

Result<> commit_uids(RefPtr<cred> changed) {
    const cred& old = current_cred();
    changed->fsuid = changed->euid;
    if (changed->uid != old.uid) changed->user = TRY(alloc_uid(changed->uid));
    cap_emulate_setxuid(*changed, old);
    commit_creds(std::move(changed));
    return {};
}

}  // namespace

Result<long> sys_getuid() { return current_cred().uid; }
Result<long> sys_getgid() { return current_cred().gid; }
Result<long> sys_geteuid() { return current_cred().euid; }
Result<long> sys_getegid() { return current_cred().egid; }

Result<long> sys_setuid(uint32_t uid) {
    RefPtr<cred> changed = TRY(prepare_creds());
    if (uid == kKeep) return Errno::Inval;
    if (capable(kCapSetuid)) {
        changed->uid = changed->suid = uid;
    } else if (uid != changed->uid && uid != changed->suid) {
        return Errno::Perm;
    }
    changed->euid = uid;
    TRY(commit_uids(std::move(changed)));
    return 0;
}

Result<long> sys_setgid(uint32_t gid) {
    RefPtr<cred> changed = TRY(prepare_creds());
    if (gid == kKeep) return Errno::Inval;
    if (capable(kCapSetgid)) {
        changed->gid = changed->sgid = gid;
    } else if (gid != changed->gid && gid != changed->sgid) {
        return Errno::Perm;
    }
    changed->egid = changed->fsgid = gid;
    commit_creds(std::move(changed));
    return 0;
}

Result<long> sys_setresuid(uint32_t real, uint32_t effective, uint32_t saved) {
    RefPtr<cred> changed = TRY(prepare_creds());
    const auto allowed = [&](uint32_t id) {
        const cred& old = current_cred();
        return id == kKeep || id == old.uid || id == old.euid || id == old.suid || capable(kCapSetuid);
    };
    if (!allowed(real) || !allowed(effective) || !allowed(saved)) return Errno::Perm;
    if (real != kKeep) changed->uid = real;
    if (effective != kKeep) changed->euid = effective;
    if (saved != kKeep) changed->suid = saved;
    TRY(commit_uids(std::move(changed)));
    return 0;
}

Result<long> sys_setresgid(uint32_t real, uint32_t effective, uint32_t saved) {
    RefPtr<cred> changed = TRY(prepare_creds());
    const auto allowed = [&](uint32_t id) {
        const cred& old = current_cred();
        return id == kKeep || id == old.gid || id == old.egid || id == old.sgid || capable(kCapSetgid);
    };
    if (!allowed(real) || !allowed(effective) || !allowed(saved)) return Errno::Perm;
    if (real != kKeep) changed->gid = real;
    if (effective != kKeep) changed->egid = effective;
    if (saved != kKeep) changed->sgid = saved;
    changed->fsgid = changed->egid;
    commit_creds(std::move(changed));
    return 0;
}

// The saved id follows when the real one is set, or the effective one to what was not the real one.
Result<long> sys_setreuid(uint32_t real, uint32_t effective) {
    RefPtr<cred> changed = TRY(prepare_creds());
    const cred& old = current_cred();
    const bool real_allowed = real == kKeep || real == old.uid || real == old.euid;
    const bool effective_allowed =
        effective == kKeep || effective == old.uid || effective == old.euid || effective == old.suid;
    if (!(real_allowed && effective_allowed) && !capable(kCapSetuid)) return Errno::Perm;
    if (real != kKeep) changed->uid = real;
    if (effective != kKeep) changed->euid = effective;
    if (real != kKeep || (effective != kKeep && effective != old.uid)) changed->suid = changed->euid;
    TRY(commit_uids(std::move(changed)));
    return 0;
}

Result<long> sys_setregid(uint32_t real, uint32_t effective) {
    RefPtr<cred> changed = TRY(prepare_creds());
    const cred& old = current_cred();
    const bool real_allowed = real == kKeep || real == old.gid || real == old.egid;
    const bool effective_allowed =
        effective == kKeep || effective == old.gid || effective == old.egid || effective == old.sgid;
    if (!(real_allowed && effective_allowed) && !capable(kCapSetgid)) return Errno::Perm;
    if (real != kKeep) changed->gid = real;
    if (effective != kKeep) changed->egid = effective;
    if (real != kKeep || (effective != kKeep && effective != old.gid)) changed->sgid = changed->egid;
    changed->fsgid = changed->egid;
    commit_creds(std::move(changed));
    return 0;
}

// These two give the old id, whether they could set the new one or not.
Result<long> sys_setfsuid(uint32_t uid) {
    const cred& old = current_cred();
    const long before = old.fsuid;
    if (uid == kKeep || uid == old.fsuid) return before;
    const bool own = uid == old.uid || uid == old.euid || uid == old.suid;
    if (!own && !capable(kCapSetuid)) return before;
    Result<RefPtr<cred>> changed = prepare_creds();
    if (!changed.ok()) return before;
    changed.value()->fsuid = uid;
    cap_fix_setfsuid(*changed.value(), old);
    commit_creds(std::move(changed.value()));
    return before;
}

Result<long> sys_setfsgid(uint32_t gid) {
    const cred& old = current_cred();
    const long before = old.fsgid;
    if (gid == kKeep || gid == old.fsgid) return before;
    const bool own = gid == old.gid || gid == old.egid || gid == old.sgid;
    if (!own && !capable(kCapSetgid)) return before;
    Result<RefPtr<cred>> changed = prepare_creds();
    if (!changed.ok()) return before;
    changed.value()->fsgid = gid;
    commit_creds(std::move(changed.value()));
    return before;
}

Result<long> sys_getresuid(UserPtr<uint32_t> real, UserPtr<uint32_t> effective, UserPtr<uint32_t> saved) {
    TRY(put_user(real, current_cred().uid));
    TRY(put_user(effective, current_cred().euid));
    TRY(put_user(saved, current_cred().suid));
    return 0;
}

Result<long> sys_getresgid(UserPtr<uint32_t> real, UserPtr<uint32_t> effective, UserPtr<uint32_t> saved) {
    TRY(put_user(real, current_cred().gid));
    TRY(put_user(effective, current_cred().egid));
    TRY(put_user(saved, current_cred().sgid));
    return 0;
}

Result<long> sys_getgroups(int count, UserPtr<uint32_t> groups) {
    const group_info* mine = current_cred().groups.get();
    const uint32_t have = mine != nullptr ? mine->ngroups : 0;
    if (count < 0) return Errno::Inval;
    if (count == 0) return have;
    if (static_cast<uint32_t>(count) < have) return Errno::Inval;
    if (have > 0) TRY(copy_to_user(groups, mine->gid, have * sizeof(uint32_t)));
    return have;
}

Result<long> sys_setgroups(int count, UserPtr<const uint32_t> groups) {
    if (!capable(kCapSetgid)) return Errno::Perm;
    if (count < 0 || static_cast<unsigned>(count) > group_info::kMax) return Errno::Inval;
    RefPtr<group_info> fresh = TRY(make_ref<group_info>());
    fresh->ngroups = static_cast<uint32_t>(count);
    TRY(copy_from_user(fresh->gid, groups, fresh->ngroups * sizeof(uint32_t)));
    RefPtr<cred> changed = TRY(prepare_creds());
    changed->groups = std::move(fresh);
    commit_creds(std::move(changed));
    return 0;
}

}  // namespace guest
