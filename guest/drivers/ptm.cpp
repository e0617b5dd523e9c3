// The master of a pseudo-terminal: what is read there was written to the slave, and the other way round.
#include "guest/abi/signal.hpp"
#include "guest/drivers/pty_pair.hpp"
#include "guest/fs/devpts.hpp"
#include "guest/fs/poll.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/kernel/sched.hpp"

namespace guest {

namespace {

bool has_news(const pty_pair& pair) { return pair.used() != 0 || (pair.packet && pair.packet_status != 0); }

bool readable(const pty_pair& pair) {
    const spinlock_guard guard(pair.lock);
    return has_news(pair) || pair.slave_closed;
}

// A status, alone; or bytes, with a zero before them in packet mode. How many bytes that makes.
size_t take(pty_pair& pair, char* to, size_t room) {
    const spinlock_guard guard(pair.lock);
    size_t taken = 0;
    if (pair.packet) {
        to[taken++] = static_cast<char>(std::exchange(pair.packet_status, uint8_t{0}));
        if (to[0] != abi::kPktData) return taken;
        if (pair.used() == 0) return 0;
    }
    while (taken < room && pair.used() != 0) to[taken++] = pair.ring[pair.tail++ % pty_pair::kRing];
    return taken;
}

Result<size_t> ptm_read(file& f, iov_iter& to, abi::loff_t&) {
    pty_pair& pair = file_pair(f);
    const size_t room = to.count() < pty_pair::kRing ? to.count() : pty_pair::kRing;
    if (room == 0) return size_t{0};
    KBuffer bytes = TRY(KBuffer::allocate(room));
    for (;;) {
        const size_t taken = take(pair, bytes.data(), room);
        if (taken != 0) {
            wake_up_poll(pair.write_wait, abi::kPollWritable);
            if (to.copy_to(bytes.data(), taken) != taken) return Errno::Fault;
            return taken;
        }
        if (pair.slave_closed) return Errno::Io;
        if (f.nonblocking()) return Errno::Again;
        TRY(wait_event_interruptible(pair.master_read_wait, readable(pair)));
    }
}

bool writable(const pty_pair& pair) {
    const spinlock_guard guard(pair.lock);
    return pair.ldisc.has_room();
}

// What is typed. How many characters there was room for.
size_t type(pty_pair& pair, const char* text, size_t bytes) {
    size_t typed = 0;
    {
        const spinlock_guard guard(pair.lock);
        while (typed < bytes && pair.ldisc.has_room())
            pair.ldisc.receive(static_cast<uint8_t>(text[typed++]));
    }
    wake_up_poll(pair.read_wait, abi::kPollReadable);
    kill_fasync(pair.fasync, abi::kPollInCode);
    return typed;
}

Result<size_t> ptm_write(file& f, iov_iter& from, abi::loff_t&) {
    pty_pair& pair = file_pair(f);
    char text[128];
    size_t done = 0;
    while (from.count() != 0) {
        const size_t part = from.copy_from(text, from.count() < sizeof(text) ? from.count() : sizeof(text));
        if (part == 0) return done != 0 ? Result<size_t>(done) : Errno::Fault;
        for (size_t put = 0;;) {
            const size_t now = type(pair, text + put, part - put);
            put += now;
            done += now;
            if (put == part) break;
            if (f.nonblocking()) return done != 0 ? Result<size_t>(done) : Errno::Again;
            Result<uint64_t> woken = wait_event_interruptible(pair.master_write_wait, writable(pair));
            if (!woken.ok()) return done != 0 ? Result<size_t>(done) : woken.error();
        }
    }
    return done;
}

uint32_t ptm_poll(file& f, poll_table* table) {
    pty_pair& pair = file_pair(f);
    poll_wait(f, pair.master_read_wait, table);
    poll_wait(f, pair.master_write_wait, table);
    const spinlock_guard guard(pair.lock);
    uint32_t mask = 0;
    if (has_news(pair)) mask |= abi::kPollIn | abi::kPollRdNorm;
    if (pair.packet && pair.packet_status != 0) mask |= abi::kPollPri;
    if (pair.slave_closed) mask |= abi::kPollHup;
    if (!pair.stopped && pair.ldisc.has_room()) mask |= abi::kPollOut | abi::kPollWrNorm;
    return mask;
}

void ptm_fasync(file& f, int fd, bool on) {
    fasync_remove(f);
    if (!on) return;
    fown_default(f, current()->group_leader->thread_pid, fown_struct::Kind::Process);
    fasync_add(f, file_pair(f).master_fasync, fd);
}

// The name goes, and whoever still has the slave open has nothing of it any more.
void ptm_release(inode&, file& f) {
    const RefPtr<tty_struct> slave = RefPtr<tty_struct>::adopt(&file_pair(f));
    pty_pair& pair = file_pair(f);
    devpts_remove_name(*pair.name);
    pair.name.reset();
    {
        const spinlock_guard guard(pair.lock);
        pair.other_closed = true;
    }
    // A read that waits fails before it learns of the hang-up, after which reads find the end of the file.
    wake_up_poll(pair.read_wait, abi::kPollReadable | abi::kPollHup);
    tty_vhangup(pair, HangupFor::Line);
}

}  // namespace

constinit const file_operations ptm_file_operations{.read = ptm_read,
                                                    .write = ptm_write,
                                                    .poll = ptm_poll,
                                                    .ioctl = ptm_ioctl,
                                                    .release = ptm_release,
                                                    .fasync = ptm_fasync};

}  // namespace guest
