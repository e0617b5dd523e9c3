// Stands in for the kernel's per-CPU block: one task, which is never looked into.
#pragma once

namespace guest {

struct task_struct;
task_struct* current();

}  // namespace guest
