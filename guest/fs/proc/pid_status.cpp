// /proc/<pid>/status: a task in words.
#include "guest/fs/fdtable.hpp"
#include "guest/fs/fs_struct.hpp"
#include "guest/fs/proc/pid_files.hpp"

namespace guest {

namespace {

// The numbers of a pid from the mount's namespace down to its own.
void put_ns_pids(proc_text& m, const char* label, const pid* of) {
    m.puts(label);
    for (unsigned level = m.ns().level; of != nullptr && level <= of->level; ++level)
        m.printf("\t%d", of->numbers[level].nr);
    m.putc('\n');
}

// Names may hold anything: what would end the line, or look as if it were escaped, is.
void put_name(proc_text& m, const char* name) {
    for (; *name != '\0'; ++name) {
        if (*name == '\n') {
            m.puts("\\n");
        } else if (*name == '\\') {
            m.puts("\\\\");
        } else {
            m.putc(*name);
        }
    }
}

void put_who(proc_text& m, const task_struct& task) {
    const task_ids ids = task_ids_of(task, m.ns());
    m.puts("Name:\t");
    put_name(m, task.comm);
    if (const auto fs = get_task_fs(task)) m.printf("\nUmask:\t0%03o", fs->umask);
    m.printf("\nState:\t%c (%s)\n", task_state_letter(task), task_state_name(task));
    m.printf("Tgid:\t%d\nNgid:\t0\nPid:\t%d\nPPid:\t%d\nTracerPid:\t%d\n", ids.tgid, ids.pid, ids.ppid,
             ids.tracer);
}

void put_creds(proc_text& m, const task_struct& task) {
    const RefPtr<const cred> who = task.real_cred;
    m.printf("Uid:\t%u\t%u\t%u\t%u\n", who->uid, who->euid, who->suid, who->fsuid);
    m.printf("Gid:\t%u\t%u\t%u\t%u\n", who->gid, who->egid, who->sgid, who->fsgid);
    const auto files = get_task_files(task);
    m.printf("FDSize:\t%u\nGroups:\t", files ? files->fdt.max_fds : 0);
    for (uint32_t i = 0; who->groups && i < who->groups->ngroups; ++i) m.printf("%u ", who->groups->gid[i]);
    // Readers of old expect a blank before the end.
    m.puts(" \n");
}

void put_pids(proc_text& m, const task_struct& task) {
    RefPtr<pid> own, leader, group, session;
    {
        const spinlock_guard guard(tasklist_lock);
        own = task.thread_pid;
        if (task.pids[PIDTYPE_PID].of) {
            leader = task.group_leader->thread_pid;
            group = RefPtr<pid>(task_pgrp(&task));
            session = RefPtr<pid>(task_session(&task));
        }
    }
    put_ns_pids(m, "NStgid:", leader.get());
    put_ns_pids(m, "NSpid:", own.get());
    put_ns_pids(m, "NSpgid:", group.get());
    put_ns_pids(m, "NSsid:", session.get());
    m.printf("Kthread:\t%d\n", task.is_kthread() ? 1 : 0);
}

void put_kb(proc_text& m, const char* label, uint64_t pages) {
    m.printf("%s%8lu kB\n", label, pages * (kPageSize / 1024));
}

void put_mem(proc_text& m, mm_struct& mm) {
    const read_guard guard(mm.mmap_sem);
    const uint64_t text = text_pages(mm);
    // What is more than the high-water marks is not yet noted there.
    put_kb(m, "VmPeak:\t", mm.hiwater_vm);
    put_kb(m, "VmSize:\t", mm.total_vm);
    put_kb(m, "VmLck:\t", mm.locked_vm);
    put_kb(m, "VmPin:\t", 0);
    put_kb(m, "VmHWM:\t", mm.hiwater_rss > mm.rss() ? mm.hiwater_rss : mm.rss());
    put_kb(m, "VmRSS:\t", mm.rss());
    put_kb(m, "RssAnon:\t", mm.anon_rss);
    put_kb(m, "RssFile:\t", mm.file_rss);
    put_kb(m, "RssShmem:\t", mm.shmem_rss);
    put_kb(m, "VmData:\t", mm.data_vm);
    put_kb(m, "VmStk:\t", mm.stack_vm);
    put_kb(m, "VmExe:\t", text);
    put_kb(m, "VmLib:\t", mm.exec_vm > text ? mm.exec_vm - text : 0);
    put_kb(m, "VmPTE:\t", mm.nr_ptes + mm.nr_pmds + mm.nr_puds);
    put_kb(m, "VmSwap:\t", 0);
    put_kb(m, "HugetlbPages:\t", 0);
    m.puts("CoreDumping:\t0\nTHP_enabled:\t0\n");
}

void put_signals(proc_text& m, const task_struct& task) {
    const task_signals signals = task_signals_of(task);
    const uint64_t limit = task.signal->rlim[static_cast<unsigned>(abi::Rlimit::SigPending)].current;
    m.printf("Threads:\t%d\nSigQ:\t%ld/%lu\n", signals.threads, signals.queued, limit);
    m.printf("SigPnd:\t%016lx\nShdPnd:\t%016lx\nSigBlk:\t%016lx\nSigIgn:\t%016lx\nSigCgt:\t%016lx\n",
             signals.pending, signals.shared, signals.blocked, signals.ignored, signals.caught);
}

void put_rights(proc_text& m, const task_struct& task) {
    const RefPtr<const cred> who = task.real_cred;
    m.printf("CapInh:\t%016lx\nCapPrm:\t%016lx\nCapEff:\t%016lx\nCapBnd:\t%016lx\nCapAmb:\t%016lx\n",
             who->cap_inheritable, who->cap_permitted, who->cap_effective, who->cap_bset, who->cap_ambient);
    m.printf("NoNewPrivs:\t%d\n", task.no_new_privs ? 1 : 0);
    m.puts("Seccomp:\t0\nSeccomp_filters:\t0\n");
}

void put_counts(proc_text& m, const task_struct& task) {
    m.puts("Cpus_allowed:\t1\nCpus_allowed_list:\t0\nMems_allowed:\t1\nMems_allowed_list:\t0\n");
    m.printf("voluntary_ctxt_switches:\t%lu\nnonvoluntary_ctxt_switches:\t%lu\n", task.nvcsw, task.nivcsw);
    // Ours: what copy-on-write did for this thread.
    m.printf("cow_copies:\t%lu\ncow_reuses:\t%lu\n", task.cow_copies, task.cow_reuses);
}

}  // namespace

Result<> status_show(proc_text& m, task_struct& task) {
    put_who(m, task);
    put_creds(m, task);
    put_pids(m, task);
    if (const auto mm = get_task_mm(task)) put_mem(m, *mm);
    put_signals(m, task);
    put_rights(m, task);
    put_counts(m, task);
    return {};
}

}  // namespace guest
