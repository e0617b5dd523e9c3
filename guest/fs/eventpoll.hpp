// epoll: descriptors that watch other files, and keep at hand those that became ready.
//
// Each watched file ("item") has an entry in the file's wait queues. A wake-up there puts the item on its
// epoll's ready list and wakes who waits for that; whether it is ready indeed is asked when the list is
// scanned.
#pragma once

#include "guest/abi/epoll.hpp"
#include "guest/fs/file.hpp"
#include "guest/fs/poll.hpp"
#include "guest/kernel/mutex.hpp"
#include "guest/lib/list.hpp"
#include "guest/mm/slab.hpp"

namespace guest {

// What is no event. An item that asks for nothing else is asleep: its EPOLLONESHOT has fired.
inline constexpr uint32_t kEpPrivateBits =
    abi::kEpollWakeUp | abi::kEpollOneShot | abi::kEpollEt | abi::kEpollExclusive;

struct epitem;
struct eventpoll;

// An item's place in one wait queue.
struct eppoll_entry {
    KMEM_CACHED()
    wait_queue_entry waiting;  // first: its func gets a pointer to it
    wait_queue_head* head;     // null once the queue is no more
    epitem* item;
    eppoll_entry* next;
};

struct epitem {
    KMEM_CACHED()
    epitem(eventpoll& its_ep, file& its_target, int its_fd, const abi::EpollEvent& event)
        : ep(its_ep), target(its_target), fd(its_fd), events(event.events), data(event.data) {}

    eventpoll& ep;
    file& target;         // not counted: when it ends, it takes the item along
    const int fd;         // by which it was added; with target, what tells items apart
    uint32_t events;      // asked for, with kEpollEt and so on; guarded by ep.lock
    uint64_t data;        // the caller's; guarded by ep.mtx
    list_head in_ep;      // in ep.items
    list_head in_target;  // in target.f_ep
    list_head rdllink;    // in ep.rdllist, or in the list of a scan; guarded by ep.lock
    eppoll_entry* queues = nullptr;
};

// Locks: epmutex (eventpoll.cpp) for who watches what, then mtx, a watching epoll's before that of the one
// that it watches; then the watched file's own, such as a pipe's. From a wake-up: the wait queue's lock, then
// `lock`.
struct eventpoll {
    KMEM_CACHED()
    mutex mtx;        // held by a scan: no item goes meanwhile
    spinlock_t lock;  // the ready list
    IntrusiveList<epitem, &epitem::rdllink> rdllist;
    bool scanning = false;                        // what is ready may be in a scan's own list
    wait_queue_head wq;                           // epoll_wait
    wait_queue_head poll_wait;                    // those who watch the descriptor: poll, another epoll
    IntrusiveList<epitem, &epitem::in_ep> items;  // guarded by epmutex
    file* self = nullptr;                         // not counted
    // The last search for loops that came by, and what it found; guarded by epmutex.
    uint64_t visit = 0;
    int steps = 0;
};

// A new one's descriptor; flags: kOCloExec or 0. MFile, NFile, NoMem.
Result<long> eventpoll_getfd(uint32_t flags);
// Null if f is another kind of file.
[[nodiscard]] eventpoll* eventpoll_of(const file& f);

// epoll_ctl, once its arguments were found to be possible. Exist, NoEnt, Inval, Loop, NoMem.
Result<> eventpoll_ctl(eventpoll& ep, int op, file& target, int fd, const abi::EpollEvent& event);
// Takes away each item that watches f, whose last reference is gone. May sleep.
void eventpoll_release(file& f);
// For the owner of a wait queue that ends before the files that were polled on it: no item is on it any more.
void wake_up_pollfree(wait_queue_head& queue);

// Whether a scan may find something.
[[nodiscard]] bool ep_events_available(eventpoll& ep);
// Puts up to max events where the caller wants them: how many. Fault if the first one could not be put.
Result<long> ep_send_events(eventpoll& ep, UserPtr<abi::EpollEvent> to, int max);
// What of the item's events holds now; joins the wait queues of its file if table is given. ep.mtx is held.
[[nodiscard]] uint32_t ep_item_poll(const epitem& item, poll_table* table);
// The epoll's own poll: readable when a scan would find something.
uint32_t ep_eventpoll_poll(file& f, poll_table* table);

}  // namespace guest
