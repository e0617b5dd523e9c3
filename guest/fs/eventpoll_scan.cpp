// The ready list of an epoll: who is on it was woken, and is asked once more before anybody is told.
#include "guest/fs/eventpoll.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

// What becomes of an item that a scan has visited.
enum class Visited {
    Done,   // it comes back when its file is woken
    Again,  // to the end of the list
    Stop    // to its front, and the scan ends
};

// Takes the items off the ready list one by one. A wake-up during the visit puts the item on the list by
// itself, so that none is lost. ep.mtx is held.
template <typename Visit>
void ep_scan(eventpoll& ep, Visit visit) {
    IntrusiveList<epitem, &epitem::rdllink> list;
    epitem* item;
    {
        const spinlock_guard guard(ep.lock);
        ep.scanning = true;
        list.splice_back(ep.rdllist);
        item = list.pop_front();
    }
    while (item != nullptr) {
        const Visited visited = visit(*item);
        const spinlock_guard guard(ep.lock);
        if (visited != Visited::Done && !item->rdllink.is_linked()) {
            if (visited == Visited::Again) {
                ep.rdllist.push_back(*item);
            } else {
                list.push_front(*item);
            }
        }
        item = visited != Visited::Stop ? list.pop_front() : nullptr;
    }
    bool more;
    {
        const spinlock_guard guard(ep.lock);
        while (epitem* rest = list.back()) {
            list.remove(*rest);
            ep.rdllist.push_front(*rest);
        }
        ep.scanning = false;
        more = !ep.rdllist.empty();
    }
    if (more) wake_up(ep.wq);
}

}  // namespace

bool ep_events_available(eventpoll& ep) {
    const spinlock_guard guard(ep.lock);
    return ep.scanning || !ep.rdllist.empty();
}

uint32_t ep_item_poll(const epitem& item, poll_table* table) {
    // One whose last reference is gone waits for ep.mtx, to take the item away.
    if (item.target.ref_count() == 0) return 0;
    return vfs_poll(item.target, table) & item.events;
}

uint32_t ep_eventpoll_poll(file& f, poll_table* table) {
    eventpoll& ep = *eventpoll_of(f);
    poll_wait(f, ep.poll_wait, table);
    uint32_t mask = 0;
    const mutex_guard guard(ep.mtx);
    ep_scan(ep, [&](epitem& item) {
        if (ep_item_poll(item, nullptr) == 0) return Visited::Done;
        mask = abi::kPollIn | abi::kPollRdNorm;
        return Visited::Stop;
    });
    return mask;
}

Result<long> ep_send_events(eventpoll& ep, UserPtr<abi::EpollEvent> to, int max) {
    long sent = 0;
    bool fault = false;
    const mutex_guard guard(ep.mtx);
    ep_scan(ep, [&](epitem& item) {
        if (sent == max) return Visited::Stop;
        const uint32_t ready = ep_item_poll(item, nullptr);
        if (ready == 0) return Visited::Done;
        if (!put_user(to + static_cast<size_t>(sent), abi::EpollEvent{ready, item.data}).ok()) {
            fault = true;
            return Visited::Stop;
        }
        ++sent;
        if ((item.events & abi::kEpollOneShot) != 0) {
            const spinlock_guard events_guard(ep.lock);
            item.events &= kEpPrivateBits;
            return Visited::Done;
        }
        return (item.events & abi::kEpollEt) != 0 ? Visited::Done : Visited::Again;
    });
    if (fault && sent == 0) return Errno::Fault;
    return sent;
}

}  // namespace guest
