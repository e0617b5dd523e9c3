// The tasks that getpriority and ioprio_get name: one, a process group, or all of a user.
#pragma once

#include "guest/kernel/sched.hpp"

namespace guest {

enum class Who { Process, Group, User };

// From PRIO_PROCESS, PRIO_PGRP or PRIO_USER. Inval.
inline Result<Who> which_of(int which) {
    constexpr int kProcess = 0, kGroup = 1, kUser = 2;
    switch (which) {
        case kProcess:
            return Who::Process;
        case kGroup:
            return Who::Group;
        case kUser:
            return Who::User;
        default:
            return Errno::Inval;
    }
}

// Calls visit(task) for each of them; who 0 is the caller, its group, its user. tasklist_lock is held.
template <typename Visit>
void for_each_named_task(Who which, int who, Visit&& visit) {
    if (which == Who::Process) {
        if (task_struct* task = who == 0 ? current() : find_task_by_vpid(who)) visit(*task);
        return;
    }
    const uid_t uid = who == 0 ? current_cred().uid : static_cast<uid_t>(who);
    const pid* group = who == 0 ? task_pgrp(current()) : find_vpid(who);
    for (task_struct& leader : all_leaders) {
        const bool wanted =
            which == Who::Group ? group != nullptr && task_pgrp(&leader) == group : leader.cred->uid == uid;
        if (!wanted || task_pid_vnr(&leader) == 0) continue;
        for_each_thread(&leader, [&](task_struct& thread) { visit(thread); });
    }
}

}  // namespace guest
