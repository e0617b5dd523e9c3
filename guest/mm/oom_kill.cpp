// The OOM killer: who is killed, and waiting for what that gives back.
#include "guest/mm/oom_kill.hpp"

#include "guest/kernel/sched.hpp"
#include "guest/kernel/wait.hpp"
#include "guest/lib/printk.hpp"
#include "guest/mm/mm_types.hpp"
#include "guest/mm/page.hpp"
#include "guest/mm/vmstat.hpp"

namespace guest {

namespace {

// Of an address space: pages.
struct Sizes {
    const mm_struct* mm = nullptr;  // to be compared alone
    uint64_t total_vm = 0, anon = 0, file = 0, shmem = 0, tables = 0;
    [[nodiscard]] uint64_t all() const { return anon + file + shmem + tables; }
};

// Of the first thread that still has memory; mm is null if none has. tasklist_lock is held.
Sizes sizes_of(const task_struct& task) {
    Sizes sizes;
    for_each_thread(&task, [&](const task_struct& thread) {
        if (sizes.mm != nullptr) return;
        // It gives its memory up under this lock.
        const spinlock_guard guard(thread.alloc_lock);
        const mm_struct* mm = thread.mm.get();
        if (mm == nullptr) return;
        sizes = {mm,           mm->total_vm,  mm->anon_rss,
                 mm->file_rss, mm->shmem_rss, mm->nr_ptes + mm->nr_pmds + mm->nr_puds};
    });
    return sizes;
}

bool is_unkillable(const task_struct& task) { return task.is_kthread() || task.tgid == 1; }

struct Choice {
    task_struct* victim = nullptr;
    bool is_dying = false;  // it was chosen before
};

// tasklist_lock is held.
Choice select_bad_process() {
    Choice choice;
    int64_t most = kOomUnkillable;
    for (task_struct& task : all_leaders) {
        signal_struct& signal = *task.signal;
        // One at a time, as long as there is hope that it ends.
        if (signal.oom_victim && !signal.oom_skip && sizes_of(task).mm != nullptr) return {&task, true};
        if (signal.oom_skip) continue;
        const int64_t points = oom_badness(task);
        if (points <= most) continue;
        most = points;
        choice.victim = &task;
    }
    return choice;
}

// With all who use the same memory: otherwise nothing would come back. tasklist_lock is held.
void oom_kill_process(task_struct& victim) {
    constexpr uint64_t kKib = kPageSize / 1024;
    const Sizes sizes = sizes_of(victim);
    pr_warn("%s invoked oom-killer: order=0, oom_score_adj=%d\n", current()->comm,
            current()->signal->oom_score_adj);
    pr_err(
        "Out of memory: Killed process %d (%s) total-vm:%lukB, anon-rss:%lukB, file-rss:%lukB, "
        "shmem-rss:%lukB, UID:%u pgtables:%lukB oom_score_adj:%d\n",
        victim.tgid, victim.comm, sizes.total_vm * kKib, sizes.anon * kKib, sizes.file * kKib,
        sizes.shmem * kKib, victim.cred->uid, sizes.tables * kKib, victim.signal->oom_score_adj);
    victim.signal->oom_victim = true;
    ++vm_events.oom_kill;
    for (task_struct& task : all_leaders) {
        const bool shares = &task == &victim || (sizes.mm != nullptr && sizes_of(task).mm == sizes.mm);
        if (shares && !is_unkillable(task)) kill_process(&task);
    }
}

// The victim may wait for something that the very task holds which waits here: after a while another one is
// looked for.
void wait_for_memory(task_struct& victim) {
    constexpr uint64_t kTurnNs = 10'000'000;
    constexpr unsigned kTurns = 100;
    for (unsigned i = 0; i < kTurns; ++i) {
        if (nr_free_pages() != 0 || fatal_signal_pending(current())) return;
        set_current_state(TaskState::Killable);
        (void)schedule_timeout(kTurnNs);
    }
    victim.signal->oom_skip = true;
}

}  // namespace

int64_t oom_badness(const task_struct& task) {
    constexpr int64_t kNever = -1000;
    const int64_t adj = task.signal->oom_score_adj;
    // A child of vfork has its parent's memory.
    if (is_unkillable(task) || adj == kNever || task.vfork_done != nullptr) return kOomUnkillable;
    const Sizes sizes = sizes_of(task);
    if (sizes.mm == nullptr) return kOomUnkillable;
    return static_cast<int64_t>(sizes.all()) + adj * (static_cast<int64_t>(total_ram_pages()) / 1000);
}

bool pagefault_out_of_memory() {
    if (fatal_signal_pending(current())) return false;
    if (nr_free_pages() != 0) return true;
    TaskRef victim;
    {
        const spinlock_guard guard(tasklist_lock);
        const Choice choice = select_bad_process();
        if (choice.victim == nullptr)
            panic("System is deadlocked on memory: none is left, and no process can be killed");
        get_task_struct(choice.victim);
        victim.reset(choice.victim);
        if (!choice.is_dying) oom_kill_process(*victim);
    }
    if (fatal_signal_pending(current())) return false;
    wait_for_memory(*victim);
    return !fatal_signal_pending(current());
}

}  // namespace guest
