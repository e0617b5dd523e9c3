// The wait queues that one poll or select has joined, and its sleep until one of them is woken.
#pragma once

#include "guest/fs/file.hpp"
#include "guest/fs/poll.hpp"
#include "guest/kernel/wait.hpp"
#include "guest/lib/refcount.hpp"

namespace guest {

class poll_queues : public poll_table {
public:
    poll_queues();
    poll_queues(const poll_queues&) = delete;
    poll_queues& operator=(const poll_queues&) = delete;
    // Leaves every queue.
    ~poll_queues();

    // What of `events` holds for f now; joins its queues unless something was ready before.
    uint32_t ask(file& f, uint32_t events);
    // A queue could not be joined for want of memory.
    [[nodiscard]] bool out_of_memory() const { return out_of_memory_; }
    // Queues are joined once: no more from here on.
    void stop_joining() { queue = nullptr; }
    // Sleeps until one of the queues is woken, a signal comes, or ns have passed; what is left of ns.
    uint64_t sleep(uint64_t ns);

private:
    struct entry;
    static void join(poll_table& table, file& f, wait_queue_head& head);
    static bool wake(wait_queue_entry& waiting, uint32_t key);

    task_struct* task_;
    entry* entries_ = nullptr;
    volatile bool triggered_ = false;
    bool out_of_memory_ = false;
};

// A signal mask for the length of a call (ppoll, pselect6). Inval, Fault.
class TemporarySigmask {
public:
    // address 0: none
    Result<> install(uint64_t address, size_t bytes);
    // The old mask comes back now, or, if the call was interrupted, after the signal's handler has run.
    void finish(bool interrupted);

private:
    bool installed_ = false;
};

}  // namespace guest
