// The files of a task, and what several of them tell.
#pragma once

#include "guest/fs/proc/proc.hpp"

namespace guest {

struct files_struct;

// /proc/<pid> adds the threads of a process up, /proc/<pid>/task/<tid> tells of one.
enum class Whole { Process, Thread };

// As a pid namespace sees them; 0: not at all.
struct task_ids {
    pid_nr_t pid = 0, tgid = 0, ppid = 0, pgrp = 0, session = 0, tracer = 0;
};
[[nodiscard]] task_ids task_ids_of(const task_struct& task, const pid_namespace& ns);

struct task_signals {
    sigset_t pending = 0;  // of the thread
    sigset_t shared = 0;   // of the process
    sigset_t blocked = 0, ignored = 0, caught = 0;
    int64_t queued = 0;  // by the user, in all
    int threads = 0;
};
[[nodiscard]] task_signals task_signals_of(const task_struct& task);

// R S D T t Z X (man 5 proc).
[[nodiscard]] char task_state_letter(const task_struct& task);
[[nodiscard]] const char* task_state_name(const task_struct& task);
// 20 at nice 0; below 0 for real-time tasks.
[[nodiscard]] int task_prio(const task_struct& task);
[[nodiscard]] unsigned task_rt_priority(const task_struct& task);
[[nodiscard]] uint64_t text_pages(const mm_struct& mm);

// A user of an address space that a file of procfs keeps; empty if all its users are gone.
[[nodiscard]] MmRef mmget_not_zero(mm_struct* mm);

// Each writes one file; see man 5 proc under its name.
Result<> tgid_stat_show(proc_text& m, task_struct& task);
Result<> tid_stat_show(proc_text& m, task_struct& task);
Result<> statm_show(proc_text& m, task_struct& task);
Result<> status_show(proc_text& m, task_struct& task);
Result<> maps_show(proc_text& m, task_struct& task);
Result<> smaps_show(proc_text& m, task_struct& task);
Result<> smaps_rollup_show(proc_text& m, task_struct& task);
extern const file_operations proc_pagemap_file_operations, proc_mem_file_operations;
Result<size_t> clear_refs_write(task_struct& task, char* text, size_t bytes);
Result<> cmdline_show(proc_text& m, task_struct& task);
Result<> environ_show(proc_text& m, task_struct& task);
Result<> auxv_show(proc_text& m, task_struct& task);
Result<path> exe_jump(task_struct& task);
Result<path> cwd_jump(task_struct& task);
Result<path> root_jump(task_struct& task);
Result<> mounts_open(task_struct& task);
Result<> mounts_show(proc_text& m, task_struct& task);
Result<> mountinfo_show(proc_text& m, task_struct& task);
Result<> syscall_show(proc_text& m, task_struct& task);
Result<> wchan_show(proc_text& m, task_struct& task);
Result<> stack_show(proc_text& m, task_struct& task);
Result<> sched_show(proc_text& m, task_struct& task);
Result<> schedstat_show(proc_text& m, task_struct& task);
Result<> forkscope_show(proc_text& m, task_struct& task);
Result<> comm_show(proc_text& m, task_struct& task);
// The lines of fdinfo about the locks that a table or the description itself has on f's file.
void fdinfo_locks_show(proc_text& m, const files_struct& files, const file& f);
Result<size_t> comm_write(task_struct& task, char* text, size_t bytes);
Result<> limits_show(proc_text& m, task_struct& task);
Result<> tgid_io_show(proc_text& m, task_struct& task);
Result<> tid_io_show(proc_text& m, task_struct& task);
Result<> children_show(proc_text& m, task_struct& task);
Result<> loginuid_show(proc_text& m, task_struct& task);
Result<size_t> loginuid_write(task_struct& task, char* text, size_t bytes);
Result<> sessionid_show(proc_text& m, task_struct& task);
Result<> id_map_show(proc_text& m, task_struct& task);
Result<size_t> id_map_write(task_struct& task, char* text, size_t bytes);
Result<> setgroups_show(proc_text& m, task_struct& task);
Result<size_t> setgroups_write(task_struct& task, char* text, size_t bytes);
Result<> cgroup_show(proc_text& m, task_struct& task);
Result<> timers_show(proc_text& m, task_struct& task);
Result<> coredump_filter_show(proc_text& m, task_struct& task);
Result<size_t> coredump_filter_write(task_struct& task, char* text, size_t bytes);
Result<> mountstats_show(proc_text& m, task_struct& task);
Result<> timerslack_show(proc_text& m, task_struct& task);
Result<size_t> timerslack_write(task_struct& task, char* text, size_t bytes);
Result<> personality_show(proc_text& m, task_struct& task);
Result<> fail_nth_show(proc_text& m, task_struct& task);
Result<size_t> fail_nth_write(task_struct& task, char* text, size_t bytes);
Result<> fail_step_show(proc_text& m, task_struct& task);
Result<size_t> fail_step_write(task_struct& task, char* text, size_t bytes);
Result<> oom_score_show(proc_text& m, task_struct& task);
Result<> oom_adj_show(proc_text& m, task_struct& task);
Result<size_t> oom_adj_write(task_struct& task, char* text, size_t bytes);
Result<> oom_score_adj_show(proc_text& m, task_struct& task);
Result<size_t> oom_score_adj_write(task_struct& task, char* text, size_t bytes);

}  // namespace guest
