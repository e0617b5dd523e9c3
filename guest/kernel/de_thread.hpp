// execve in a process of several threads leaves one.
#pragma once

#include "guest/lib/result.hpp"

namespace guest {

struct task_struct;

// Ends all other threads, waits until they are gone, and makes task the leader, with the leader's pid (row
// C9). Also gives it a table of handlers of its own. Again if another thread is exiting the process or in
// execve already.
Result<> de_thread(task_struct& task);

}  // namespace guest
