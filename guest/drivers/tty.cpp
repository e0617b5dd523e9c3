// Terminals: which there are, opening and closing them, and what arrives.
#include "guest/drivers/tty.hpp"

#include "guest/abi/signal.hpp"
#include "guest/drivers/pty.hpp"
#include "guest/drivers/vt.hpp"
#include "guest/fs/poll.hpp"
#include "guest/fs/special.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/kernel/sched.hpp"

namespace guest {

namespace {

constexpr size_t kMaxTtys = 16;
constinit tty_struct* ttys[kMaxTtys] = {};
constinit tty_struct* console = nullptr;

// Of kTtyAuxMajor.
constexpr uint32_t kMinorTty = 0, kMinorConsole = 1, kMinorPtmx = 2;

RefPtr<tty_struct> tty_of(abi::dev_t dev) {
    if (dev == abi::make_dev(kTtyAuxMajor, kMinorTty)) return get_task_tty(*current());
    if (dev == abi::make_dev(kTtyAuxMajor, kMinorConsole)) return RefPtr<tty_struct>(console);
    if (dev == abi::make_dev(kTtyMajor, 0)) return RefPtr<tty_struct>(vt_shown());
    for (tty_struct* tty : ttys) {
        if (tty != nullptr && tty->dev == dev) return RefPtr<tty_struct>(tty);
    }
    return nullptr;
}

TtyName name_of(abi::dev_t dev) {
    if (dev == abi::make_dev(kTtyAuxMajor, kMinorTty)) return TtyName::Current;
    return dev == abi::make_dev(kTtyAuxMajor, kMinorConsole) ? TtyName::Console : TtyName::Own;
}

Result<> tty_open(inode& node, file& f) {
    if (node.i_rdev == abi::make_dev(kTtyAuxMajor, kMinorPtmx)) return ptmx_open(f);
    RefPtr<tty_struct> tty = tty_of(node.i_rdev);
    if (!tty) return node.i_rdev == abi::make_dev(kTtyAuxMajor, kMinorConsole) ? Errno::NoDev : Errno::NxIo;
    return tty_open_file(f, std::move(tty), name_of(node.i_rdev));
}

// The last description of a real line leaves nobody who could think that it is his controlling terminal.
void tty_release(inode&, file& f) {
    tty_file* data = &file_tty_data(f);
    tty_struct& tty = *data->tty;
    RefPtr<pid> session;
    {
        const spinlock_guard guard(tty.lock);
        if (--tty.count == 0) {
            if (tty.ops.line == TtyLine::Real) session = tty.session;
            tty.exclusive = false;
            if (tty.ops.closed != nullptr) tty.ops.closed(tty);
        }
    }
    if (session) session_clear_tty(session.get());
    delete data;
}

constexpr file_operations kTtyOperations{.read = tty_read,
                                         .write = tty_write,
                                         .poll = tty_poll,
                                         .ioctl = tty_ioctl,
                                         .open = tty_open,
                                         .release = tty_release,
                                         .fasync = tty_fasync};

}  // namespace

DEFINE_KMEM_CACHE(tty_file)

Result<> tty_open_file(file& f, RefPtr<tty_struct> tty, TtyName name) {
    auto* data = new (nothrow) tty_file;
    if (data == nullptr) return Errno::NoMem;
    tty_struct& opened = *tty;
    data->tty = std::move(tty);
    data->console = name == TtyName::Console;
    {
        spinlock_guard guard(opened.lock);
        if (opened.exclusive && !capable(kCapSysAdmin)) {
            guard.unlock();
            delete data;
            return Errno::Busy;
        }
        data->hangups = opened.hangups;
        if (opened.count++ == 0 && opened.ops.opened != nullptr) opened.ops.opened(opened);
    }
    f.private_data = data;
    f.f_op = &kTtyOperations;
    const bool may_read = (f.f_mode & file::kRead) != 0;
    if (name == TtyName::Own && may_read && (f.f_flags & abi::kONoCtty) == 0) tty_open_proc_set_tty(opened);
    return {};
}

void tty_struct::release() {
    BUG_ON(ops.free == nullptr);
    ops.free(*this);
}

// The three below run with tty.lock held.

void tty_struct::put_bytes(tty_port& port, const char* text, size_t bytes) {
    auto& tty = static_cast<tty_struct&>(port);
    tty.ops.write(tty, text, bytes);
}

void tty_struct::signal_foreground(tty_port& port, int sig) {
    auto& tty = static_cast<tty_struct&>(port);
    if (tty.pgrp) kill_pgrp(tty.pgrp.get(), sig);
}

void tty_struct::set_output_stopped(tty_port& port, bool stop) {
    auto& tty = static_cast<tty_struct&>(port);
    if (tty.stopped == stop) return;
    tty.stopped = stop;
    if (tty.ops.report != nullptr) tty.ops.report(tty, stop ? abi::kPktStop : abi::kPktStart);
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
    pty_init();
}

}  // namespace guest
