// Terminals: opening, reading, writing and waiting.
#include "guest/drivers/tty.hpp"

#include "guest/abi/signal.hpp"
#include "guest/fs/poll.hpp"
#include "guest/fs/special.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/kernel/sched.hpp"

namespace guest {

namespace {

constexpr size_t kMaxTtys = 16;
constinit tty_struct* ttys[kMaxTtys] = {};
constinit tty_struct* console = nullptr;

constexpr uint64_t kNsPerDecisecond = 100'000'000;

tty_struct* tty_of(abi::dev_t dev) {
    if (dev == abi::make_dev(kTtyAuxMajor, 0)) return current()->signal->tty;
    if (dev == abi::make_dev(kTtyAuxMajor, 1)) return console;
    for (tty_struct* tty : ttys) {
        if (tty != nullptr && tty->dev == dev) return tty;
    }
    return nullptr;
}

Result<> tty_open(inode& node, file& f) {
    tty_struct* tty = tty_of(node.i_rdev);
    if (tty == nullptr) return Errno::NxIo;
    f.private_data = tty;
    const bool names_terminal = abi::dev_major(node.i_rdev) != kTtyAuxMajor;
    if (names_terminal && (f.f_flags & abi::kONoCtty) == 0) tty_open_proc_set_tty(*tty);
    return {};
}

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

// Non-canonical mode: the four cases of man 3 termios.
Result<> wait_for_characters(tty_struct& tty, size_t room) {
    const size_t least = least_wanted(tty, room);
    const uint64_t time = tty.termios.c_cc[abi::kVTime] * kNsPerDecisecond;
    if (least == 0) {
        // TIME counts from now; nothing may come.
        if (time != 0) TRY(wait_event_interruptible_timeout(tty.read_wait, readable(tty, 1), time));
        return {};
    }
    if (time == 0) {
        TRY(wait_event_interruptible(tty.read_wait, readable(tty, least)));
        return {};
    }
    // TIME counts from each character to the next, the first of which is waited for.
    TRY(wait_event_interruptible(tty.read_wait, readable(tty, 1)));
    for (size_t have = available(tty); have < least; have = available(tty)) {
        const uint64_t left =
            TRY(wait_event_interruptible_timeout(tty.read_wait, available(tty) > have, time));
        if (left == 0) break;
    }
    return {};
}

Result<> wait_for_input(file& f, tty_struct& tty, size_t room) {
    if (f.nonblocking()) {
        const size_t least = is_canonical(tty) ? 1 : least_wanted(tty, room);
        if (least != 0 && !readable(tty, 1)) return Errno::Again;
        return {};
    }
    if (!is_canonical(tty)) return wait_for_characters(tty, room);
    TRY(wait_event_interruptible(tty.read_wait, readable(tty, 1)));
    return {};
}

Result<size_t> tty_read(file& f, iov_iter& to, abi::loff_t&) {
    tty_struct& tty = file_tty(f);
    TRY(tty_check_change(tty, abi::kSigTtin));
    const size_t room = to.count() < n_tty::kBuffer ? to.count() : n_tty::kBuffer;
    if (room == 0) return size_t{0};
    KBuffer line = TRY(KBuffer::allocate(room));
    TRY(wait_for_input(f, tty, room));
    size_t taken;
    {
        const spinlock_guard guard(tty.lock);
        taken = tty.ldisc.take(line.data(), room);
    }
    if (to.copy_to(line.data(), taken) != taken) return Errno::Fault;
    inode_update_atime(f.node());
    return taken;
}

Result<size_t> tty_write(file& f, iov_iter& from, abi::loff_t&) {
    tty_struct& tty = file_tty(f);
    if ((tty.termios.c_lflag & abi::kToStop) != 0) TRY(tty_check_change(tty, abi::kSigTtou));
    size_t done = 0;
    while (from.count() != 0) {
        if (tty.stopped) {
            if (f.nonblocking()) return done != 0 ? Result<size_t>(done) : Errno::Again;
            Result<uint64_t> woken = wait_event_interruptible(tty.write_wait, !tty.stopped);
            if (!woken.ok()) return done != 0 ? Result<size_t>(done) : woken.error();
        }
        char text[128];
        const size_t part = from.copy_from(text, from.count() < sizeof(text) ? from.count() : sizeof(text));
        if (part == 0) return done != 0 ? Result<size_t>(done) : Errno::Fault;
        const spinlock_guard guard(tty.lock);
        for (size_t i = 0; i < part; ++i) tty.ldisc.put_processed(text[i]);
        done += part;
    }
    return done;
}

uint32_t tty_poll(file& f, poll_table* table) {
    tty_struct& tty = file_tty(f);
    poll_wait(f, tty.read_wait, table);
    poll_wait(f, tty.write_wait, table);
    const spinlock_guard guard(tty.lock);
    // Without TIME, a read returns once MIN characters are there; with it, it is worth beginning at the
    // first.
    const uint8_t min = tty.termios.c_cc[abi::kVMin];
    const size_t least = tty.termios.c_cc[abi::kVTime] == 0 && min != 0 ? min : 1;
    uint32_t mask = 0;
    if (tty.ldisc.readable(least)) mask |= abi::kPollIn | abi::kPollRdNorm;
    if (!tty.stopped) mask |= abi::kPollOut | abi::kPollWrNorm;
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

constexpr file_operations kTtyOperations{.read = tty_read,
                                         .write = tty_write,
                                         .poll = tty_poll,
                                         .ioctl = tty_ioctl,
                                         .open = tty_open,
                                         .fasync = tty_fasync};

}  // namespace

// The three below run with tty.lock held.

void tty_struct::put_bytes(tty_port& port, const char* text, size_t bytes) {
    auto& tty = static_cast<tty_struct&>(port);
    tty.driver_write(tty, text, bytes);
}

void tty_struct::signal_foreground(tty_port& port, int sig) {
    auto& tty = static_cast<tty_struct&>(port);
    if (tty.pgrp) kill_pgrp(tty.pgrp.get(), sig);
}

void tty_struct::set_output_stopped(tty_port& port, bool stop) {
    auto& tty = static_cast<tty_struct&>(port);
    tty.stopped = stop;
    if (!stop) wake_up_poll(tty.write_wait, abi::kPollWritable);
}

void tty_receive(tty_struct& tty, const uint8_t* bytes, size_t count) {
    {
        const spinlock_guard guard(tty.lock);
        for (size_t i = 0; i < count; ++i) tty.ldisc.receive(bytes[i]);
    }
    wake_up_poll(tty.read_wait, abi::kPollReadable);
    kill_fasync(tty.fasync, abi::kPollInCode);
}

void tty_register(tty_struct& tty) {
    for (tty_struct*& slot : ttys) {
        if (slot == nullptr) {
            slot = &tty;
            return;
        }
    }
    BUG_ON(true);
}

void tty_set_console(tty_struct& tty) { console = &tty; }

void tty_init() {
    register_chrdev(kTtyMajor, kTtyOperations, "ttyS");
    register_chrdev(kTtyAuxMajor, kTtyOperations, "tty");
}

}  // namespace guest
