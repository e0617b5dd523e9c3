// The tables of what stands in /proc/<pid> and in /proc/<pid>/task/<tid>.
#include "guest/fs/proc/pid_files.hpp"

namespace guest {

namespace {

using abi::kIfDir, abi::kIfLnk, abi::kIfReg;

// What both kinds of directories have.
constexpr pid_entry kTaskEntries[] = {
    {.name = "fd", .mode = kIfDir | 0500, .iop = &proc_fd_inode_operations, .fop = &proc_fd_file_operations},
    {.name = "fdinfo",
     .mode = kIfDir | 0555,
     .iop = &proc_fdinfo_inode_operations,
     .fop = &proc_fdinfo_file_operations},
    {.name = "ns", .mode = kIfDir | 0511, .iop = &proc_ns_inode_operations, .fop = &proc_ns_file_operations},
    {.name = "environ", .mode = kIfReg | 0400, .show = environ_show, .of_mm = true},
    {.name = "auxv", .mode = kIfReg | 0400, .show = auxv_show, .of_mm = true},
    {.name = "status", .mode = kIfReg | 0444, .show = status_show},
    {.name = "loginuid", .mode = kIfReg | 0644, .show = loginuid_show, .write = loginuid_write},
    {.name = "sessionid", .mode = kIfReg | 0444, .show = sessionid_show},
    {.name = "uid_map", .mode = kIfReg | 0644, .show = id_map_show, .write = id_map_write},
    {.name = "gid_map", .mode = kIfReg | 0644, .show = id_map_show, .write = id_map_write},
    {.name = "projid_map", .mode = kIfReg | 0644, .show = id_map_show, .write = id_map_write},
    {.name = "setgroups", .mode = kIfReg | 0644, .show = setgroups_show, .write = setgroups_write},
    {.name = "cgroup", .mode = kIfReg | 0444, .show = cgroup_show},
    {.name = "personality", .mode = kIfReg | 0400, .show = personality_show},
    {.name = "limits", .mode = kIfReg | 0444, .show = limits_show},
    {.name = "sched", .mode = kIfReg | 0444, .show = sched_show},
    {.name = "comm", .mode = kIfReg | 0644, .show = comm_show, .write = comm_write},
    {.name = "syscall", .mode = kIfReg | 0400, .show = syscall_show},
    {.name = "cmdline", .mode = kIfReg | 0444, .show = cmdline_show},
    {.name = "statm", .mode = kIfReg | 0444, .show = statm_show},
    {.name = "maps", .mode = kIfReg | 0444, .show = maps_show, .of_mm = true},
    {.name = "smaps", .mode = kIfReg | 0444, .show = smaps_show, .of_mm = true},
    {.name = "smaps_rollup", .mode = kIfReg | 0444, .show = smaps_rollup_show, .of_mm = true},
    {.name = "mem", .mode = kIfReg | 0600, .fop = &proc_mem_file_operations},
    {.name = "clear_refs", .mode = kIfReg | 0200, .write = clear_refs_write},
    {.name = "pagemap", .mode = kIfReg | 0400, .fop = &proc_pagemap_file_operations},
    {.name = "cwd", .mode = kIfLnk | 0777, .jump = cwd_jump},
    {.name = "root", .mode = kIfLnk | 0777, .jump = root_jump},
    {.name = "exe", .mode = kIfLnk | 0777, .jump = exe_jump},
    {.name = "mounts", .mode = kIfReg | 0444, .show = mounts_show, .open = mounts_open},
    {.name = "mountinfo", .mode = kIfReg | 0444, .show = mountinfo_show, .open = mounts_open},
    {.name = "wchan", .mode = kIfReg | 0444, .show = wchan_show},
    {.name = "stack", .mode = kIfReg | 0400, .show = stack_show},
    {.name = "schedstat", .mode = kIfReg | 0444, .show = schedstat_show},
    {.name = "oom_score", .mode = kIfReg | 0444, .show = oom_score_show},
    {.name = "oom_adj", .mode = kIfReg | 0644, .show = oom_adj_show, .write = oom_adj_write},
    {.name = "oom_score_adj",
     .mode = kIfReg | 0644,
     .show = oom_score_adj_show,
     .write = oom_score_adj_write},
    {.name = "fail-nth", .mode = kIfReg | 0644, .show = fail_nth_show, .write = fail_nth_write},
    {.name = "fail-step", .mode = kIfReg | 0644, .show = fail_step_show, .write = fail_step_write},
    {.name = "forkscope", .mode = kIfReg | 0400, .show = forkscope_show},
};

constexpr pid_entry kTgidEntries[] = {
    {.name = "task",
     .mode = kIfDir | 0555,
     .iop = &proc_task_inode_operations,
     .fop = &proc_task_file_operations},
    {.name = "stat", .mode = kIfReg | 0444, .show = tgid_stat_show},
    {.name = "timers", .mode = kIfReg | 0444, .show = timers_show},
    {.name = "timerslack_ns", .mode = kIfReg | 0666, .show = timerslack_show, .write = timerslack_write},
    {.name = "mountstats", .mode = kIfReg | 0400, .show = mountstats_show, .open = mounts_open},
    {.name = "coredump_filter",
     .mode = kIfReg | 0644,
     .show = coredump_filter_show,
     .write = coredump_filter_write},
    {.name = "io", .mode = kIfReg | 0400, .show = tgid_io_show},
};

constexpr pid_entry kTidEntries[] = {
    {.name = "children", .mode = kIfReg | 0444, .show = children_show},
    {.name = "stat", .mode = kIfReg | 0444, .show = tid_stat_show},
    {.name = "io", .mode = kIfReg | 0400, .show = tid_io_show},
};

template <size_t N, size_t M>
constexpr pid_entries join(const pid_entry (&own)[N], const pid_entry (&common)[M]) {
    return {own, N, common, M};
}

}  // namespace

constinit const pid_entries tgid_entries = join(kTgidEntries, kTaskEntries);
constinit const pid_entries tid_entries = join(kTidEntries, kTaskEntries);

}  // namespace guest
