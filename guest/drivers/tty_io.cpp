// Reading from a terminal, writing to it, waiting for it.
#include "guest/abi/signal.hpp"
#include "guest/drivers/tty.hpp"
#include "guest/fs/poll.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/kernel/sched.hpp"

namespace guest {

namespace {

constexpr uint64_t kNsPerDecisecond = 100'000'000;

// Characters that a read in non-canonical mode waits for.
size_t least_wanted(const tty_struct& tty, size_t room) {
    const size_t min = tty.termios.c_cc[abi::kVMin];
    return min < room ? min : room;
}

bool is_canonical(const tty_struct& tty) { return (tty.termios.c_lflag & abi::kICanon) != 0; }

bool readable(const tty_struct& tty, size_t least) {
    const spinlock_guard guard(tty.lock);
    return tty.ldisc.readable(least);
}

size_t available(const tty_struct& tty) {
    const spinlock_guard guard(tty.lock);
    return tty.ldisc.available();
}

// Whether a read has nothing to wait for any more, whatever it wants.
bool ended(const file& f) { return tty_hung_up(f) || file_tty(f).other_closed; }

// Non-canonical mode: the four cases of man 3 termios.
Result<> wait_for_characters(file& f, tty_struct& tty, size_t room) {
    const size_t least = least_wanted(tty, room);
    const uint64_t time = tty.termios.c_cc[abi::kVTime] * kNsPerDecisecond;
    if (least == 0) {
        // TIME counts from now; nothing may come.
        if (time != 0)
            TRY(wait_event_interruptible_timeout(tty.read_wait, readable(tty, 1) || ended(f), time));
        return {};
    }
    if (time == 0) {
        TRY(wait_event_interruptible(tty.read_wait, readable(tty, least) || ended(f)));
        return {};
    }
    // TIME counts from each character to the next, the first of which is waited for.
    TRY(wait_event_interruptible(tty.read_wait, readable(tty, 1) || ended(f)));
    for (size_t have = available(tty); have < least && !ended(f); have = available(tty)) {
        const uint64_t left =
            TRY(wait_event_interruptible_timeout(tty.read_wait, available(tty) > have || ended(f), time));
        if (left == 0) break;
    }
    return {};
}

Result<> wait_for_input(file& f, tty_struct& tty, size_t room) {
    if (f.nonblocking()) {
        const size_t least = is_canonical(tty) ? 1 : least_wanted(tty, room);
        if (least != 0 && !readable(tty, 1) && !ended(f)) return Errno::Again;
        return {};
    }
    if (!is_canonical(tty)) return wait_for_characters(f, tty, room);
    TRY(wait_event_interruptible(tty.read_wait, readable(tty, 1) || ended(f)));
    return {};
}

bool can_write(const tty_struct& tty) {
    const spinlock_guard guard(tty.lock);
    return tty_can_write(tty);
}

// Again, RestartSys; Io when there is nobody to write to any more.
Result<> wait_for_room(file& f, tty_struct& tty) {
    if (!can_write(tty) && !ended(f)) {
        if (f.nonblocking()) return Errno::Again;
        TRY(wait_event_interruptible(tty.write_wait, can_write(tty) || ended(f)));
    }
    if (ended(f)) return Errno::Io;
    return {};
}

// How many of the characters there was room for.
size_t put_some(tty_struct& tty, const char* text, size_t bytes) {
    const spinlock_guard guard(tty.lock);
    size_t put = 0;
    while (put < bytes && tty_can_write(tty)) tty.ldisc.put_processed(text[put++]);
    return put;
}

}  // namespace

bool tty_can_write(const tty_struct& tty) {
    return !tty.stopped && (tty.ops.write_room == nullptr || tty.ops.write_room(tty) >= kMostOutput);
}

Result<size_t> tty_read(file& f, iov_iter& to, abi::loff_t&) {
    tty_struct& tty = file_tty(f);
    if (tty_hung_up(f)) return size_t{0};
    TRY(tty_check_change(tty, abi::kSigTtin));
    const size_t room = to.count() < n_tty::kBuffer ? to.count() : n_tty::kBuffer;
    if (room == 0) return size_t{0};
    KBuffer line = TRY(KBuffer::allocate(room));
    TRY(wait_for_input(f, tty, room));
    size_t taken;
    {
        const spinlock_guard guard(tty.lock);
        if (!tty.ldisc.readable(1) && tty.other_closed) return Errno::Io;
        taken = tty_hung_up(f) ? 0 : tty.ldisc.take(line.data(), room);
    }
    if (tty.ops.unthrottle != nullptr) tty.ops.unthrottle(tty);
    if (to.copy_to(line.data(), taken) != taken) return Errno::Fault;
    file_accessed(f);
    return taken;
}

Result<size_t> tty_write(file& f, iov_iter& from, abi::loff_t&) {
    tty_struct& tty = file_tty(f);
    if (ended(f)) return Errno::Io;
    if ((tty.termios.c_lflag & abi::kToStop) != 0) TRY(tty_check_change(tty, abi::kSigTtou));
    char text[128];
    size_t done = 0;
    while (from.count() != 0) {
        const size_t part = from.copy_from(text, from.count() < sizeof(text) ? from.count() : sizeof(text));
        if (part == 0) return done != 0 ? Result<size_t>(done) : Errno::Fault;
        for (size_t put = 0;;) {
            const size_t now = put_some(tty, text + put, part - put);
            put += now;
            done += now;
            if (put == part) break;
            Result<> room = wait_for_room(f, tty);
            if (!room.ok()) return done != 0 ? Result<size_t>(done) : room.error();
        }
    }
    return done;
}

uint32_t tty_poll(file& f, poll_table* table) {
    tty_struct& tty = file_tty(f);
    poll_wait(f, tty.read_wait, table);
    poll_wait(f, tty.write_wait, table);
    const spinlock_guard guard(tty.lock);
    if (tty_hung_up(f)) {
        return abi::kPollIn | abi::kPollRdNorm | abi::kPollOut | abi::kPollWrNorm | abi::kPollErr |
               abi::kPollHup;
    }
    // Without TIME, a read returns once MIN characters are there; with it, it is worth beginning at the
    // first.
    const uint8_t min = tty.termios.c_cc[abi::kVMin];
    const size_t least = tty.termios.c_cc[abi::kVTime] == 0 && min != 0 ? min : 1;
    uint32_t mask = 0;
    if (tty.ldisc.readable(least)) mask |= abi::kPollIn | abi::kPollRdNorm;
    if (tty.other_closed) mask |= abi::kPollHup;
    if (tty_can_write(tty)) mask |= abi::kPollOut | abi::kPollWrNorm;
    return mask;
}

// Who has not said whom to tell means the foreground, or itself.
void tty_fasync(file& f, int fd, bool on) {
    fasync_remove(f);
    if (!on) return;
    tty_struct& tty = file_tty(f);
    RefPtr<pid> group;
    {
        const spinlock_guard guard(tty.lock);
        group = tty.pgrp;
    }
    if (group) {
        fown_default(f, std::move(group), fown_struct::Kind::Group);
    } else {
        fown_default(f, current()->group_leader->thread_pid, fown_struct::Kind::Process);
    }
    fasync_add(f, tty.fasync, fd);
}

}  // namespace guest
