// What an epoll descriptor watches: items that come, change and go, and are woken.
#include "guest/fs/eventpoll.hpp"

#include "guest/fs/anon_inodes.hpp"
#include "guest/fs/fdtable.hpp"
#include "guest/fs/inode.hpp"
#include "guest/fs/seq_file.hpp"
#include "guest/fs/vfs.hpp"

namespace guest {

DEFINE_KMEM_CACHE(eppoll_entry)
DEFINE_KMEM_CACHE(epitem)
DEFINE_KMEM_CACHE(eventpoll)

namespace {

// Always told of.
constexpr uint32_t kAlways = abi::kPollErr | abi::kPollHup;
// Beside poll's events, in what a wake-up says: the queue ends.
constexpr uint32_t kPollFree = 0x4000;
// Epolls can watch each other in chains of this many steps.
constexpr int kMaxNests = 4;
constexpr int kEndless = 1000;

// Who watches what, in the whole system.
constinit mutex epmutex;
constinit uint64_t last_visit = 0;  // guarded by epmutex
// An entry leaves its queue, or the queue its entries. Before the queue's lock.
constinit spinlock_t pollfree_lock;

bool waitqueue_active(wait_queue_head& queue) {
    const spinlock_guard guard(queue.lock);
    return !queue.entries.empty();
}

// One waiter gets the event; who polls the descriptor hears of it.
void tell(eventpoll& ep) {
    wake_up(ep.wq);
    wake_up_poll(ep.poll_wait, abi::kPollIn);
}

// Whether one of several exclusive waiters has taken an event `key`.
bool takes(eventpoll& ep, uint32_t events, uint32_t key) {
    const uint32_t direction = key & (abi::kPollIn | abi::kPollOut);
    return (direction == 0 || (direction & events) != 0) && waitqueue_active(ep.wq);
}

// The item's file was woken. The queue is locked, interrupts are off.
bool ep_poll_callback(wait_queue_entry& waiting, uint32_t key) {
    auto& entry = reinterpret_cast<eppoll_entry&>(waiting);
    epitem& item = *entry.item;
    eventpoll& ep = item.ep;
    if ((key & kPollFree) != 0) {
        waiting.node.unlink();
        entry.head = nullptr;
    }
    uint32_t events;
    {
        const spinlock_guard guard(ep.lock);
        events = item.events;
        if ((events & ~kEpPrivateBits) == 0 || (key != 0 && (key & events) == 0)) return false;
        if (!item.rdllink.is_linked()) ep.rdllist.push_back(item);
    }
    const bool taken = takes(ep, events, key);
    tell(ep);
    return taken;
}

void make_ready(epitem& item) {
    {
        const spinlock_guard guard(item.ep.lock);
        if (item.rdllink.is_linked()) return;
        item.ep.rdllist.push_back(item);
    }
    tell(item.ep);
}

struct ep_pqueue : poll_table {
    explicit ep_pqueue(epitem& joining) : item(joining) { queue = join; }
    static void join(poll_table& table, file& f, wait_queue_head& head);
    epitem& item;
    bool out_of_memory = false;
};

void ep_pqueue::join(poll_table& table, file&, wait_queue_head& head) {
    auto& self = static_cast<ep_pqueue&>(table);
    auto* entry = new (nothrow) eppoll_entry{{}, &head, &self.item, self.item.queues};
    if (entry == nullptr) {
        self.out_of_memory = true;
        return;
    }
    entry->waiting.func = ep_poll_callback;
    entry->waiting.exclusive = (self.item.events & abi::kEpollExclusive) != 0;
    self.item.queues = entry;
    add_wait_queue(head, entry->waiting);
}

void leave_queues(epitem& item) {
    while (eppoll_entry* gone = item.queues) {
        item.queues = gone->next;
        {
            const spinlock_guard guard(pollfree_lock);
            if (gone->head != nullptr) remove_wait_queue(*gone->head, gone->waiting);
        }
        delete gone;
    }
}

// epmutex and ep.mtx are held. The file may go as soon as the item is not in its list.
void ep_remove(epitem& item) {
    leave_queues(item);
    {
        const spinlock_guard guard(item.ep.lock);
        item.rdllink.unlink();
    }
    item.in_ep.unlink();
    {
        const spinlock_guard guard(item.target.f_lock);
        item.in_target.unlink();
    }
    delete &item;
}

epitem* item_of(list_head* node) { return list_entry<epitem, &epitem::in_target>(node); }

epitem* ep_find(const eventpoll& ep, const file& target, int fd) {
    for (list_head* node = target.f_ep.next; node != &target.f_ep; node = node->next) {
        epitem* item = item_of(node);
        if (&item->ep == &ep && item->fd == fd) return item;
    }
    return nullptr;
}

// The longest chain of epolls that begins at ep, in steps; kEndless or more if it leads to `from`.
int steps_below(eventpoll& ep, const eventpoll& from) {
    if (&ep == &from) return kEndless;
    if (ep.visit == last_visit) return ep.steps;
    int steps = 0;
    for (const epitem& item : ep.items) {
        eventpoll* inner = eventpoll_of(item.target);
        const int found = inner != nullptr ? 1 + steps_below(*inner, from) : 0;
        if (found > steps) steps = found;
    }
    ep.visit = last_visit;
    return ep.steps = steps;
}

// The longest chain that ends at ep.
int steps_above(eventpoll& ep) {
    if (ep.visit == last_visit) return ep.steps;
    int steps = 0;
    for (list_head* node = ep.self->f_ep.next; node != &ep.self->f_ep; node = node->next) {
        const int found = 1 + steps_above(item_of(node)->ep);
        if (found > steps) steps = found;
    }
    ep.visit = last_visit;
    return ep.steps = steps;
}

// May ep watch `inner`? Loop. epmutex is held.
Result<> check_nesting(eventpoll& ep, eventpoll& inner) {
    ++last_visit;
    const int below = steps_below(inner, ep);
    ++last_visit;
    return below + 1 + steps_above(ep) > kMaxNests ? Result<>(Errno::Loop) : Result<>();
}

Result<> ep_insert(eventpoll& ep, file& target, int fd, const abi::EpollEvent& event) {
    if (eventpoll* inner = eventpoll_of(target)) TRY(check_nesting(ep, *inner));
    epitem& item = *TRY(make_owned<epitem>(ep, target, fd, event)).leak();
    const mutex_guard guard(ep.mtx);
    ep.items.push_back(item);
    {
        const spinlock_guard list_guard(target.f_lock);
        list_add_tail(item.in_target, target.f_ep);
    }
    ep_pqueue table(item);
    const uint32_t ready = ep_item_poll(item, &table);
    if (table.out_of_memory) {
        ep_remove(item);
        return Errno::NoMem;
    }
    if (ready != 0) make_ready(item);
    return {};
}

Result<> ep_modify(epitem& item, const abi::EpollEvent& event) {
    if ((item.events & abi::kEpollExclusive) != 0) return Errno::Inval;
    const mutex_guard guard(item.ep.mtx);
    {
        const spinlock_guard events_guard(item.ep.lock);
        item.events = event.events;
    }
    item.data = event.data;
    if (ep_item_poll(item, nullptr) != 0) make_ready(item);
    return {};
}

void ep_eventpoll_release(inode&, file& f) {
    eventpoll& ep = *eventpoll_of(f);
    {
        const mutex_guard graph_guard(epmutex);
        const mutex_guard guard(ep.mtx);
        while (epitem* item = ep.items.front()) ep_remove(*item);
    }
    delete &ep;
}

void ep_show_fdinfo(file& f, seq_file& m) {
    const mutex_guard graph_guard(epmutex);
    for (const epitem& item : eventpoll_of(f)->items) {
        const inode& node = item.target.node();
        m.printf("tfd: %8d events: %8x data: %16lx  pos:%ld ino:%lx sdev:%x\n", item.fd, item.events,
                 item.data, item.target.f_pos, node.i_ino, static_cast<uint32_t>(node.i_sb->s_dev));
    }
}

constexpr file_operations kEventpollOperations{.llseek = noop_llseek,
                                               .poll = ep_eventpoll_poll,
                                               .release = ep_eventpoll_release,
                                               .show_fdinfo = ep_show_fdinfo};

}  // namespace

eventpoll* eventpoll_of(const file& f) {
    return f.f_op == &kEventpollOperations ? static_cast<eventpoll*>(f.private_data) : nullptr;
}

Result<long> eventpoll_getfd(uint32_t flags) {
    auto ep = TRY(make_owned<eventpoll>());
    ReservedFd fd = TRY(reserve_fd(flags & abi::kOCloExec));
    RefPtr<file> f = TRY(anon_inode_getfile("[eventpoll]", kEventpollOperations, ep.get(), abi::kORdWr));
    ep.leak()->self = f.get();
    return fd.install(std::move(f));
}

Result<> eventpoll_ctl(eventpoll& ep, int op, file& target, int fd, const abi::EpollEvent& event) {
    const abi::EpollEvent wanted{event.events | kAlways, event.data};
    const mutex_guard graph_guard(epmutex);
    epitem* item = ep_find(ep, target, fd);
    if (op == abi::kEpollCtlAdd) return item != nullptr ? Errno::Exist : ep_insert(ep, target, fd, wanted);
    if (op != abi::kEpollCtlDel && op != abi::kEpollCtlMod) return Errno::Inval;
    if (item == nullptr) return Errno::NoEnt;
    if (op == abi::kEpollCtlMod) return ep_modify(*item, wanted);
    const mutex_guard guard(ep.mtx);
    ep_remove(*item);
    return {};
}

void eventpoll_release(file& f) {
    {
        // An item that is just being taken away lets go of the file with this lock.
        const spinlock_guard guard(f.f_lock);
        if (list_empty(f.f_ep)) return;
    }
    const mutex_guard graph_guard(epmutex);
    while (!list_empty(f.f_ep)) {
        epitem& item = *item_of(f.f_ep.next);
        const mutex_guard guard(item.ep.mtx);
        ep_remove(item);
    }
}

void wake_up_pollfree(wait_queue_head& queue) {
    const spinlock_guard guard(pollfree_lock);
    wake_up(queue, 0, kPollFree | kAlways);
}

}  // namespace guest
