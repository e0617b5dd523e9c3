// Policies, priorities and nice values: who may set them, and to what (man 7 sched).
#pragma once

#include "guest/kernel/sched_queue.hpp"
#include "guest/lib/result.hpp"

namespace guest {

// What sched_setattr and its older kin ask for.
struct sched_request {
    unsigned policy = SCHED_NORMAL;
    bool keep_policy = false;  // sched_setparam
    bool reset_on_fork = false;
    unsigned rt_priority = 0;
    bool set_nice = false;
    int nice = 0;
};
// tasklist_lock is held. Inval, Perm.
Result<> sched_setscheduler(task_struct& task, sched_request request);

// Whether current may give a task of its own that nice value: RLIMIT_NICE or CAP_SYS_NICE.
[[nodiscard]] bool can_nice(int nice, const task_struct& task);
// current and task are of one user, or current may change others' scheduling.
[[nodiscard]] bool check_same_owner(const task_struct& task);

}  // namespace guest
