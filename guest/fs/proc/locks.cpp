// /proc/locks, and the locks of a descriptor in fdinfo (man 5 proc).
#include "guest/fs/locks.hpp"

#include "guest/fs/fdtable.hpp"
#include "guest/fs/proc/pid_files.hpp"
#include "guest/fs/proc/root_files.hpp"

namespace guest {

namespace {

struct Listing {
    proc_text& m;
    const files_struct* files = nullptr;  // with f: only locks that one of the two has on f's file
    const file* f = nullptr;
    int number = 0;
};

const char* kind_name(LockKind kind) {
    switch (kind) {
        case LockKind::Posix:
            return "POSIX ";
        case LockKind::Ofd:
            return "OFDLCK";
        case LockKind::Flock:
            return "FLOCK ";
    }
    return "";
}

bool is_wanted(const Listing& list, const file_lock& lock) {
    if (list.f == nullptr) return true;
    return lock.fl_inode == &list.f->node() && (lock.fl_owner == list.files || lock.fl_owner == list.f);
}

void show_lock(const file_lock& lock, bool waits, void* context) {
    auto& list = *static_cast<Listing*>(context);
    proc_text& m = list.m;
    // A task that the reader's namespace does not see has no locks there.
    const pid_nr_t nr = lock.fl_kind == LockKind::Ofd ? -1 : pid_nr_ns(lock.fl_pid.get(), m.ns());
    if (nr == 0 || !is_wanted(list, lock) || (waits && list.f != nullptr)) return;
    if (!waits) ++list.number;
    const inode& node = *lock.fl_inode;
    const abi::dev_t dev = node.i_sb->s_dev;
    m.printf("%s%d: %s%s ADVISORY  %s %d %02x:%02x:%lu %ld ", list.f != nullptr ? "lock:\t" : "", list.number,
             waits ? "-> " : "", kind_name(lock.fl_kind), lock.fl_type == abi::kFWrLck ? "WRITE" : "READ", nr,
             abi::dev_major(dev), abi::dev_minor(dev), node.i_ino, lock.fl_start);
    if (lock.fl_end == kOffsetMax) {
        m.puts("EOF\n");
    } else {
        m.printf("%ld\n", lock.fl_end);
    }
}

}  // namespace

Result<> locks_show(proc_text& m) {
    Listing list{m};
    for_each_file_lock(show_lock, &list);
    return {};
}

void fdinfo_locks_show(proc_text& m, const files_struct& files, const file& f) {
    Listing list{m, &files, &f};
    for_each_file_lock(show_lock, &list);
}

}  // namespace guest
