// Credentials.
#include "guest/kernel/cred.hpp"

#include "guest/kernel/sched.hpp"

namespace guest {

DEFINE_KMEM_CACHE(cred)
DEFINE_KMEM_CACHE(user_struct)

namespace {
constinit spinlock_t uid_lock;
constinit IntrusiveList<user_struct, &user_struct::users> all_users;

RefPtr<user_struct> find_user(uid_t uid) {
    for (user_struct& user : all_users) {
        if (user.uid == uid) return RefPtr<user_struct>(&user);
    }
    return nullptr;
}
}  // namespace

Result<RefPtr<user_struct>> alloc_uid(uid_t uid) {
    {
        const spinlock_guard guard(uid_lock);
        if (RefPtr<user_struct> found = find_user(uid)) return found;
    }
    RefPtr<user_struct> fresh = TRY(make_ref<user_struct>(uid));
    const spinlock_guard guard(uid_lock);
    all_users.push_back(*fresh);
    return fresh;
}

void user_struct::release() {
    spinlock_guard guard(uid_lock);
    users.unlink();
    guard.unlock();
    delete this;
}

const cred& current_cred() { return *current()->cred; }

bool capable(unsigned capability) {
    if ((current_cred().cap_effective & (uint64_t{1} << capability)) == 0) return false;
    current()->flags |= PF_SUPERPRIV;
    return true;
}

bool in_group_p(gid_t gid) {
    const cred& mine = current_cred();
    if (gid == mine.fsgid) return true;
    for (uint32_t i = 0; mine.groups && i < mine.groups->ngroups; ++i) {
        if (mine.groups->gid[i] == gid) return true;
    }
    return false;
}

bool is_over_process_limit(const user_struct& user) {
    return user.uid != 0 && static_cast<uint64_t>(user.processes.load()) > rlimit(abi::Rlimit::NProc);
}

Result<RefPtr<cred>> prepare_creds() { return make_ref<cred>(current_cred()); }

namespace {

// Others who were equals may not look into what gained rights or became somebody else.
bool changes_dumpability(const cred& old, const cred& fresh) {
    return old.euid != fresh.euid || old.egid != fresh.egid || old.fsuid != fresh.fsuid ||
           old.fsgid != fresh.fsgid || (fresh.cap_permitted & ~old.cap_permitted) != 0;
}

}  // namespace

void commit_creds(RefPtr<cred> changed) {
    task_struct* task = current();
    if (changes_dumpability(*task->real_cred, *changed)) {
        if (task->mm) task->mm->dumpable.store(SUID_DUMP_DISABLE);
        task->pdeath_signal = 0;
    }
    if (changed->user.get() != task->cred->user.get()) {
        task->process_charge.charge(changed->user);
        // Not refused here, where programs do not look; execve will be.
        task->flags &= ~PF_NPROC_EXCEEDED;
        if (is_over_process_limit(*changed->user)) task->flags |= PF_NPROC_EXCEEDED;
    }
    cred* fresh = changed.leak();
    fresh->get();
    task->real_cred = RefPtr<const cred>::adopt(fresh);
    task->cred = RefPtr<const cred>::adopt(fresh);
}

}  // namespace guest
