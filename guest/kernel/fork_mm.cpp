// Address spaces of tasks: made, copied for fork, given back.
#include "guest/abi/clone.hpp"
#include "guest/arch/event_port.hpp"
#include "guest/arch/pgtable.hpp"
#include "guest/arch/tlb.hpp"
#include "guest/fs/file.hpp"
#include "guest/kernel/fork.hpp"
#include "guest/kernel/futex.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/string.hpp"
#include "guest/mm/bug.hpp"
#include "guest/mm/memory.hpp"
#include "guest/mm/mlock.hpp"
#include "guest/mm/mmap.hpp"
#include "guest/mm/overcommit.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

DEFINE_KMEM_CACHE(mm_struct)

constinit IntrusiveList<mm_struct, &mm_struct::mm_list> all_spaces;
namespace {
constinit spinlock_t all_spaces_lock;
}  // namespace

namespace {

// What a program keeps whatever it becomes.
void inherit_flags(mm_struct& to, const mm_struct& from) {
    to.thp_disabled = from.thp_disabled;
    to.dump_filter = from.dump_filter;
    to.mdwe = (from.mdwe & PR_MDWE_NO_INHERIT) != 0 ? 0 : from.mdwe;
}

}  // namespace

Result<mm_struct*> mm_alloc() {
    auto* mm = new (nothrow) mm_struct;
    if (mm == nullptr) return Errno::NoMem;
    mm->pgd = pgd_alloc();
    if (mm->pgd == nullptr) {
        delete mm;
        return Errno::NoMem;
    }
    if (current()->mm) inherit_flags(*mm, *current()->mm);
    const spinlock_guard guard(all_spaces_lock);
    all_spaces.push_back(*mm);
    return mm;
}

void mmdrop(mm_struct* mm) {
    if (!mm->mm_count.dec_and_test()) return;
    BUG_ON(mm == &init_mm);
    announce(abi::Announcement::MmDestroy, mm->root().raw());
    {
        const spinlock_guard guard(all_spaces_lock);
        all_spaces.remove(*mm);
    }
    pgd_free(mm->pgd);
    delete mm;
}

void mmput(mm_struct* mm) {
    if (!mm->mm_users.dec_and_test()) return;
    {
        // A kernel thread may still have the tables loaded: off them, so that they can be taken apart.
        const IrqGuard guard;
        if (this_cpu().active_mm == mm) switch_mm(init_mm);
    }
    exit_mmap(*mm);
    mm->exe_file.reset();
    mmdrop(mm);
}

namespace {

void copy_layout(mm_struct& to, const mm_struct& from) {
    to.start_code = from.start_code;
    to.end_code = from.end_code;
    to.start_data = from.start_data;
    to.end_data = from.end_data;
    to.start_brk = from.start_brk;
    to.brk = from.brk;
    to.start_stack = from.start_stack;
    to.arg_start = from.arg_start;
    to.arg_end = from.arg_end;
    to.env_start = from.env_start;
    to.env_end = from.env_end;
    to.mmap_base = from.mmap_base;
    to.dumpable.store(from.dumpable.load());
    to.membarrier_state = from.membarrier_state;
    memcpy(to.saved_auxv, from.saved_auxv, sizeof(to.saved_auxv));
    if (from.exe_file) {
        from.exe_file->get();
        to.exe_file.reset(from.exe_file.get());
    }
}

// Each area, and the page-table entries of what it maps.
Result<> dup_areas(mm_struct& mm, mm_struct& old, bool& protected_any) {
    for (vm_area_struct* area = old.mmap.front(); area != nullptr; area = old.mmap.next(*area)) {
        if ((area->vm_flags & VM_DONTCOPY) != 0) continue;
        const bool counted = (area->vm_flags & VM_ACCOUNT) != 0;
        VmPromise promise = TRY(VmPromise::make(&old, counted ? area->pages() : 0));
        auto* copy = new (nothrow) vm_area_struct(mm, *area);
        if (copy == nullptr) return Errno::NoMem;
        promise.keep();
        copy->vm_flags &= ~VM_LOCKED_MASK;  // row F4
        insert_vm_struct(mm, copy);
        vm_stat_account(mm, copy->vm_flags, static_cast<int64_t>(copy->pages()));
        if ((area->vm_flags & VM_WIPEONFORK) == 0) TRY(copy_page_range(mm, old, *area, protected_any));
    }
    return {};
}

Result<> dup_mmap(mm_struct& mm, mm_struct& old) {
    const write_guard old_guard(old.mmap_sem);
    const write_guard guard(mm.mmap_sem);
    bool protected_any = false;
    const Result<> outcome = dup_areas(mm, old, protected_any);
    // Before the caller runs in user mode again, and also when the copy failed half-way (row W8).
    if (protected_any && !has_bug(Bug::NoFlushAtFork)) flush_tlb_mm(old);
    return outcome;
}

}  // namespace

Result<mm_struct*> dup_mm(task_struct& parent) {
    mm_struct& old = *parent.mm;
    Handle<mm_struct, mmput> fresh(TRY(mm_alloc()));
    copy_layout(*fresh, old);
    TRY(dup_mmap(*fresh, old));
    return fresh.leak();
}

void mm_release(task_struct& task, mm_struct* mm) {
    // Threads that wait for this one in the same memory (row C14). After a crash the memory is left as it is.
    if (task.clear_child_tid) {
        if (mm != nullptr && (task.flags & PF_SIGNALED) == 0 && mm->mm_users.load() > 1) {
            (void)put_user(task.clear_child_tid, int32_t{0}).ok();
            futex_wake_address(task.clear_child_tid, 1);
        }
        task.clear_child_tid = UserPtr<int32_t>();
    }
    completion* vfork = nullptr;
    {
        const spinlock_guard guard(tasklist_lock);
        vfork = task.vfork_done;
        task.vfork_done = nullptr;
        // Under the lock: a parent that is killed takes its completion back under it.
        if (vfork != nullptr) complete(*vfork);
    }
}

}  // namespace guest
