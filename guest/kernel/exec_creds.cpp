// Credentials at execve: set-id bits, capabilities, and who may still look into the process.
#include "guest/fs/dentry.hpp"
#include "guest/fs/file.hpp"
#include "guest/fs/fs_struct.hpp"
#include "guest/fs/inode.hpp"
#include "guest/fs/mount.hpp"
#include "guest/kernel/capability.hpp"
#include "guest/kernel/exec.hpp"
#include "guest/kernel/sched.hpp"

namespace guest {

namespace {

// What of personality(2) a program with more rights than its caller does not take over: fixed addresses, a
// compatible layout, executable data and a mapped page 0.
constexpr uint32_t kPerClearOnSetid = 0x0040000 | 0x0200000 | 0x0400000 | 0x0100000;

// The set-id bits of the file, where they count.
void bprm_fill_uid(const linux_binprm& bprm, cred& fresh) {
    if ((bprm.program->f_path.mnt->mnt_flags & MNT_NOSUID) != 0 || current()->no_new_privs) return;
    const inode& node = bprm.program->node();
    const spinlock_guard guard(node.i_lock);
    if ((node.i_mode & abi::kIsUid) != 0) fresh.euid = node.i_uid;
    // Without the right to execute for the group it once meant mandatory locks.
    if ((node.i_mode & (abi::kIsGid | 010)) == (abi::kIsGid | 010)) fresh.egid = node.i_gid;
}

// Root gets all that the bounding set lets through; whether it is in effect at once.
bool give_roots_capabilities(cred& fresh, const cred& old) {
    if ((old.securebits & kSecureNoRoot) != 0) return false;
    if (fresh.euid == 0 || fresh.uid == 0) fresh.cap_permitted = old.cap_bset | old.cap_inheritable;
    return fresh.euid == 0;
}

// Whether somebody shares with current what a privileged program relies on: its directories.
bool shares_fs() {
    const task_struct& task = *current();
    return task.fs->ref_count() > task.signal->nr_threads;
}

// Whether a tracer without CAP_SYS_PTRACE would get hold of the new rights.
bool has_weak_tracer() {
    const spinlock_guard guard(tasklist_lock);
    const task_struct& task = *current();
    return task.ptrace != 0 && (task.parent->cred->cap_effective & uint64_t{1} << kCapSysPtrace) == 0;
}

// A gain of rights that would not be safe: as little as before, or less.
void downgrade(cred& fresh, const cred& old) {
    if (!capable(kCapSetuid) || current()->no_new_privs) {
        fresh.euid = fresh.uid;
        fresh.egid = fresh.gid;
    }
    fresh.cap_permitted &= old.cap_permitted;
}

}  // namespace

Result<> bprm_creds_from_file(linux_binprm& bprm) {
    bprm.cred = TRY(prepare_creds());
    const cred& old = current_cred();
    cred& fresh = *bprm.cred;
    bprm_fill_uid(bprm, fresh);
    bprm.enforce_nondump = !inode_permission(bprm.program->node(), abi::kReadOk).ok();
    fresh.cap_permitted = 0;  // files have no capabilities of their own here
    const bool effective = give_roots_capabilities(fresh, old);
    const bool gained = (fresh.cap_permitted & ~old.cap_permitted) != 0;
    const bool is_setid = fresh.euid != old.uid || fresh.egid != old.gid;
    const bool unsafe = current()->no_new_privs || shares_fs() || has_weak_tracer();
    if ((is_setid || gained) && unsafe) downgrade(fresh, old);
    fresh.suid = fresh.fsuid = fresh.euid;
    fresh.sgid = fresh.fsgid = fresh.egid;
    if (is_setid) fresh.cap_ambient = 0;
    fresh.cap_permitted |= fresh.cap_ambient;
    fresh.cap_effective = effective ? fresh.cap_permitted : fresh.cap_ambient;
    fresh.securebits &= ~kSecureKeepCaps;
    const bool grew = (fresh.cap_permitted & ~fresh.cap_ambient) != 0;
    bprm.secureexec = is_setid || (fresh.uid != 0 && (effective || grew));
    return {};
}

void install_exec_creds(linux_binprm& bprm) {
    task_struct& task = *current();
    const cred& old = current_cred();
    if (bprm.cred->euid != old.euid || bprm.cred->egid != old.egid ||
        (bprm.cred->cap_permitted & ~old.cap_permitted) != 0)
        task.personality &= ~kPerClearOnSetid;
    if (bprm.secureexec) task.pdeath_signal = 0;
    const bool same = bprm.cred->euid == bprm.cred->uid && bprm.cred->egid == bprm.cred->gid;
    task.mm->dumpable.store(same && !bprm.enforce_nondump ? SUID_DUMP_USER : SUID_DUMP_DISABLE);
    commit_creds(std::move(bprm.cred));
}

}  // namespace guest
