// Sleeping on several wait queues at once.
#include "guest/fs/poll_queues.hpp"

#include "guest/abi/signal.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

struct poll_queues::entry {
    wait_queue_entry waiting;  // first: wake() gets a pointer to it
    poll_queues* owner;
    wait_queue_head* head;
    RefPtr<file> f;  // keeps head alive
    entry* next;
};

poll_queues::poll_queues() : task_(current()) { queue = join; }

poll_queues::~poll_queues() {
    while (entries_ != nullptr) {
        entry* gone = entries_;
        entries_ = gone->next;
        remove_wait_queue(*gone->head, gone->waiting);
        delete gone;
    }
}

void poll_queues::join(poll_table& table, file& f, wait_queue_head& head) {
    auto& self = static_cast<poll_queues&>(table);
    auto* joined = new (nothrow) entry{{}, &self, &head, RefPtr<file>(&f), self.entries_};
    if (joined == nullptr) {
        self.out_of_memory_ = true;
        return;
    }
    joined->waiting.task = self.task_;
    joined->waiting.func = wake;
    self.entries_ = joined;
    add_wait_queue(head, joined->waiting);
}

// A wake-up between asking and sleeping is not lost: triggered_ keeps the task from going to sleep.
bool poll_queues::wake(wait_queue_entry& waiting, uint32_t) {
    auto& self = *reinterpret_cast<entry&>(waiting).owner;
    self.triggered_ = true;
    return try_to_wake_up(self.task_, static_cast<uint32_t>(TaskState::Interruptible));
}

uint32_t poll_queues::ask(file& f, uint32_t events) {
    constexpr uint32_t kAlways = abi::kPollErr | abi::kPollHup;
    const uint32_t ready = vfs_poll(f, queue != nullptr ? this : nullptr) & (events | kAlways);
    if (ready != 0) stop_joining();
    return ready;
}

uint64_t poll_queues::sleep(uint64_t ns) {
    set_current_state(TaskState::Interruptible);
    if (!triggered_ && !signal_pending(current())) {
        if (ns == kNoTimeout) {
            schedule();
        } else {
            ns = schedule_timeout(ns);
        }
    }
    set_current_state(TaskState::Running);
    triggered_ = false;
    return ns;
}

Result<> TemporarySigmask::install(uint64_t address, size_t bytes) {
    if (address == 0) return {};
    if (bytes != sizeof(abi::SigSet)) return Errno::Inval;
    const abi::SigSet mask = TRY(get_user(UserPtr<const abi::SigSet>(address)));
    current()->saved_sigmask = current()->blocked;
    set_current_blocked(mask & ~(abi::sig_bit(abi::kSigKill) | abi::sig_bit(abi::kSigStop)));
    installed_ = true;
    return {};
}

void TemporarySigmask::finish(bool interrupted) {
    if (!installed_) return;
    if (interrupted) {
        current()->restore_sigmask = true;
    } else {
        set_current_blocked(current()->saved_sigmask);
    }
}

}  // namespace guest
