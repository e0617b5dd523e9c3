// POSIX timers: making, finding and deleting them.
#include "guest/kernel/posix_timer_core.hpp"
#include "guest/kernel/sched.hpp"

namespace guest {

DEFINE_KMEM_CACHE(k_itimer)

k_itimer::~k_itimer() {
    BUG_ON(timer_pending(timer) || cpu_timer_pending(cpu));
    if (sigq == nullptr) return;
    // One that is still queued is thrown away, and then freed, by whoever would have taken it.
    sigq->timer = nullptr;
    sigq->stale = true;
    if (!sigq->list.is_linked()) delete sigq;
}

namespace {

// Both locks that a timer's life is guarded by, in their order.
class TimerLocks {
public:
    TimerLocks() : tasklist_(tasklist_lock), siglock_(current()->sighand->siglock) {}

private:
    spinlock_guard tasklist_;
    spinlock_guard siglock_;
};

bool needs_signal(abi::SigevNotify notify) { return notify != abi::SigevNotify::None; }

// Who is to get the signal. Inval: no such signal, or no such thread of this process.
Result<> set_target(k_itimer& timer, const abi::Sigevent& event) {
    const auto notify = static_cast<abi::SigevNotify>(event.notify);
    switch (notify) {
        case abi::SigevNotify::Signal:
        case abi::SigevNotify::None:
        case abi::SigevNotify::Thread:
            break;
        case abi::SigevNotify::ThreadId: {
            const spinlock_guard guard(tasklist_lock);
            task_struct* task = find_task_by_vpid(event.tid);
            if (task == nullptr || !same_thread_group(task, current())) return Errno::Inval;
            timer.thread = task->thread_pid;
            break;
        }
        default:
            return Errno::Inval;
    }
    if (needs_signal(notify) && (event.signo < 1 || event.signo > abi::kNsig)) return Errno::Inval;
    timer.notify = notify;
    return {};
}

Result<> set_clock(k_itimer& timer, int clock) {
    timer.clock = TRY(find_clock(clock));
    timer.clock_number = clock;
    if (!has_timers(timer.clock)) return Errno::OpNotSupp;
    if (!timer.clock.cpu) return {};
    const spinlock_guard guard(tasklist_lock);
    const task_struct* task = TRY(clock_task(timer.clock));
    const bool whole = timer.clock.of == CpuTimerOf::Process;
    timer.clock_pid = whole ? task->group_leader->thread_pid : task->thread_pid;
    return {};
}

k_itimer* find_timer(int id) {
    list_head& timers = current()->signal->posix_timers;
    for (list_head* node = timers.next; node != &timers; node = node->next) {
        auto* timer = list_entry<k_itimer, &k_itimer::list>(node);
        if (timer->id == id) return timer;
    }
    return nullptr;
}

int after(int id) { return id == 0x7fffffff ? 0 : id + 1; }

// Ids go up, and start again only when there are no more.
int next_id(signal_struct& signal) {
    for (;;) {
        const int id = signal.next_posix_timer_id;
        signal.next_posix_timer_id = after(id);
        if (find_timer(id) == nullptr) return id;
    }
}

Result<int> choose_id(signal_struct& signal, int wanted) {
    if (wanted < 0) return next_id(signal);
    if (find_timer(wanted) != nullptr) return Errno::Busy;
    signal.next_posix_timer_id = after(wanted);
    return wanted;
}

}  // namespace

Result<int> do_timer_create(int clock, const abi::Sigevent* event, int wanted) {
    Result<OwnPtr<k_itimer>> made = make_owned<k_itimer>();
    if (!made) return Errno::Again;
    OwnPtr<k_itimer> timer = made.release_value();
    TRY(set_clock(*timer, clock));
    abi::Sigevent given{};
    given.signo = abi::kSigAlrm;
    if (event != nullptr) given = *event;
    TRY(set_target(*timer, given));
    if (needs_signal(timer->notify)) {
        timer->sigq = TRY(sigqueue_alloc(given.signo));
        timer->sigq->timer = timer.get();
    }
    signal_struct& signal = *current()->signal;
    timer->signal = &signal;
    const TimerLocks guard;
    timer->id = TRY(choose_id(signal, wanted));
    if (timer->sigq != nullptr) {
        siginfo& info = timer->sigq->info;
        info.timer.timer = timer->id;
        info.timer.value = given.value;
        if (event == nullptr) info.timer.value.number = timer->id;
    }
    k_itimer* kept = timer.leak();
    list_add_tail(kept->list, signal.posix_timers);
    return kept->id;
}

Result<timer_setting> do_timer_settime(int id, TimerStart start, const timer_setting& wanted) {
    const TimerLocks guard;
    k_itimer* timer = find_timer(id);
    if (timer == nullptr) return Errno::Inval;
    const timer_setting old = posix_timer_left(*timer);
    posix_timer_stop(*timer);
    timer->overrun = timer->overrun_last = 0;
    // A signal of the old setting says nothing any more.
    if (timer->sigq != nullptr && timer->sigq->list.is_linked()) timer->sigq->stale = true;
    timer->interval = wanted.value == 0 ? 0 : wanted.interval;
    if (wanted.value == 0) return old;
    TRY(posix_timer_start(*timer, start, wanted.value));
    return old;
}

Result<timer_setting> do_timer_gettime(int id) {
    const TimerLocks guard;
    const k_itimer* timer = find_timer(id);
    if (timer == nullptr) return Errno::Inval;
    return posix_timer_left(*timer);
}

Result<int> do_timer_getoverrun(int id) {
    const TimerLocks guard;
    const k_itimer* timer = find_timer(id);
    if (timer == nullptr) return Errno::Inval;
    return static_cast<int>(timer->overrun_last);
}

Result<> do_timer_delete(int id) {
    const TimerLocks guard;
    k_itimer* timer = find_timer(id);
    if (timer == nullptr) return Errno::Inval;
    posix_timer_stop(*timer);
    timer->list.unlink();
    // With the locks held: nobody may be taking its signal while it goes.
    delete timer;
    return {};
}

void posix_timer_taken(k_itimer& timer, siginfo& info) {
    timer.overrun_last = timer.overrun;
    timer.overrun = 0;
    info.timer.overrun = static_cast<int32_t>(timer.overrun_last);
}

void exit_itimers(task_struct& task) {
    const spinlock_guard tasklist_guard(tasklist_lock);
    const spinlock_guard guard(task.sighand->siglock);
    list_head& timers = task.signal->posix_timers;
    while (!list_empty(timers)) {
        auto* timer = list_entry<k_itimer, &k_itimer::list>(timers.next);
        timer->list.unlink();
        posix_timer_stop(*timer);
        delete timer;
    }
}

}  // namespace guest
