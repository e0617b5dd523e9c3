// A process's POSIX timers, and how late its sleeps may end: /proc/<pid>/timers and timerslack_ns.
#include "guest/fs/proc/pid_files.hpp"
#include "guest/kernel/capability.hpp"
#include "guest/kernel/posix_timers.hpp"

namespace guest {

namespace {

const char* notify_name(abi::SigevNotify notify) {
    switch (notify) {
        case abi::SigevNotify::Signal:
        case abi::SigevNotify::ThreadId:
            return "signal";
        case abi::SigevNotify::Thread:
            return "thread";
        case abi::SigevNotify::None:
            return "none";
    }
    return "none";
}

void put_timer(proc_text& m, const task_struct& task, const k_itimer& timer) {
    const bool one_thread = static_cast<bool>(timer.thread);
    const pid* told = one_thread ? timer.thread.get() : task.group_leader->thread_pid.get();
    const int signo = timer.sigq != nullptr ? timer.sigq->info.signo : 0;
    const uint64_t value = timer.sigq != nullptr ? timer.sigq->info.timer.value.pointer : 0;
    m.printf("ID: %d\nsignal: %d/%016lx\n", timer.id, signo, value);
    m.printf("notify: %s/%s.%d\n", notify_name(timer.notify), one_thread ? "tid" : "pid",
             pid_nr_ns(told, m.ns()));
    m.printf("ClockID: %d\n", timer.clock_number);
}

}  // namespace

// The youngest first.
Result<> timers_show(proc_text& m, task_struct& task) {
    const spinlock_guard tasklist_guard(tasklist_lock);
    if (!task.sighand) return Errno::Srch;
    const spinlock_guard guard(task.sighand->siglock);
    const list_head& timers = task.signal->posix_timers;
    for (list_head* node = timers.prev; node != &timers; node = node->prev)
        put_timer(m, task, *list_entry<k_itimer, &k_itimer::list>(node));
    return {};
}

Result<> timerslack_show(proc_text& m, task_struct& task) {
    if (&task != current() && !capable(kCapSysNice)) return Errno::Perm;
    m.printf("%lu\n", task.se.timer_slack_ns);
    return {};
}

// 0: as it is for new processes.
Result<size_t> timerslack_write(task_struct& task, char* text, size_t bytes) {
    constexpr uint64_t kDefaultSlack = 50000;
    if (&task != current() && !capable(kCapSysNice)) return Errno::Perm;
    const auto slack = static_cast<uint64_t>(TRY(proc_parse_int(text)));
    task.se.timer_slack_ns = slack != 0 ? slack : kDefaultSlack;
    return bytes;
}

}  // namespace guest
