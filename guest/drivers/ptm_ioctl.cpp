// ioctl of a master (man 2 ioctl_tty). What is about settings, size and session is about the slave.
#include "guest/abi/signal.hpp"
#include "guest/drivers/pty_pair.hpp"
#include "guest/fs/devpts.hpp"
#include "guest/fs/fdtable.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

Result<int64_t> put_number(uint64_t argument, uint32_t number) {
    TRY(put_user(UserPtr<uint32_t>(argument), number));
    return int64_t{0};
}

// A descriptor of the slave, also where its name cannot be reached.
Result<int64_t> open_peer(const file& f, const pty_pair& pair, uint32_t flags) {
    path place = TRY(devpts_of_ptmx(f.f_path));
    place.dentry = pair.name;
    ReservedFd fd = TRY(reserve_fd(flags & abi::kOCloExec));
    return fd.install(TRY(dentry_open(std::move(place), flags)));
}

Result<int64_t> flush(pty_pair& pair, uint64_t what) {
    if (what > abi::kTcIOFlush) return Errno::Inval;
    {
        const spinlock_guard guard(pair.lock);
        if (what != abi::kTcOFlush) pair.tail = pair.head;
        if (what != abi::kTcIFlush) pair.ldisc.flush_input();
    }
    wake_up_poll(pair.write_wait, abi::kPollWritable);
    wake_up_poll(pair.master_write_wait, abi::kPollWritable);
    return int64_t{0};
}

Result<int64_t> set_packet_mode(pty_pair& pair, uint64_t argument) {
    const int32_t on = TRY(get_user(UserPtr<const int32_t>(argument)));
    const spinlock_guard guard(pair.lock);
    if (on != 0 && !pair.packet) pair.packet_status = 0;
    pair.packet = on != 0;
    return int64_t{0};
}

Result<int64_t> signal_slave(pty_pair& pair, uint64_t sig) {
    if (sig != abi::kSigInt && sig != abi::kSigQuit && sig != abi::kSigTstp) return Errno::Inval;
    const spinlock_guard guard(pair.lock);
    if (pair.pgrp) kill_pgrp(pair.pgrp.get(), static_cast<int>(sig));
    return int64_t{0};
}

// What would be typed on the master is what it reads.
Result<int64_t> simulate_input(pty_pair& pair, uint64_t argument) {
    if (!capable(kCapSysAdmin)) return Errno::Perm;
    const char c = TRY(get_user(UserPtr<const char>(argument)));
    const spinlock_guard guard(pair.lock);
    pair.ops.write(pair, &c, 1);
    return int64_t{0};
}

}  // namespace

Result<int64_t> ptm_ioctl(file& f, uint32_t request, uint64_t argument) {
    pty_pair& pair = file_pair(f);
    switch (request) {
        case abi::kTiocGPtn:
            return put_number(argument, pair.index);
        case abi::kTiocSPtLck:
            pair.locked = TRY(get_user(UserPtr<const int32_t>(argument))) != 0;
            return int64_t{0};
        case abi::kTiocGPtLck:
            return put_number(argument, pair.locked ? 1 : 0);
        case abi::kTiocPkt:
            return set_packet_mode(pair, argument);
        case abi::kTiocGPkt:
            return put_number(argument, pair.packet ? 1 : 0);
        case abi::kTiocGPtPeer:
            return open_peer(f, pair, static_cast<uint32_t>(argument));
        case abi::kTiocSig:
            return signal_slave(pair, argument);
        case abi::kTiocSti:
            return simulate_input(pair, argument);
        case abi::kTcFlsh:
            return flush(pair, argument);
        case abi::kTcXonc:
            return int64_t{0};  // what the master sends is never stopped
        case abi::kFioNRead: {
            const spinlock_guard guard(pair.lock);
            return put_number(argument, static_cast<uint32_t>(pair.used()));
        }
        default:
            return tty_ioctl_from(f, pair, TtySide::Master, request, argument);
    }
}

}  // namespace guest
