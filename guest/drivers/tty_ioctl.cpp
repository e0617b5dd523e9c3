// What programs set and ask about a terminal.
#include "guest/abi/signal.hpp"
#include "guest/drivers/tty.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

constexpr uint64_t kTcoOff = 0, kTcoOn = 1, kTciOff = 2, kTciOn = 3;  // tcflow(3)

abi::Termios current_termios(const tty_struct& tty) {
    const spinlock_guard guard(tty.lock);
    return tty.termios;
}

// Output is on its way as soon as it is written, so that there is nothing to wait for before a change.
Result<int64_t> set_termios(tty_struct& tty, uint64_t argument, bool flush) {
    const abi::Termios fresh = TRY(get_user(UserPtr<const abi::Termios>(argument)));
    TRY(tty_check_change(tty, abi::kSigTtou));
    {
        const spinlock_guard guard(tty.lock);
        const abi::tcflag_t changed = tty.termios.c_lflag ^ fresh.c_lflag;
        tty.termios = fresh;
        if (flush) tty.ldisc.flush_input();
        if ((changed & abi::kICanon) != 0) tty.ldisc.mode_changed();
        if ((fresh.c_iflag & abi::kIXon) == 0) tty.stopped = false;
    }
    wake_up_all(tty.read_wait);
    wake_up_all(tty.write_wait);
    return int64_t{0};
}

Result<int64_t> set_winsize(tty_struct& tty, uint64_t argument) {
    const abi::Winsize fresh = TRY(get_user(UserPtr<const abi::Winsize>(argument)));
    const spinlock_guard guard(tty.lock);
    const bool same = fresh.ws_row == tty.winsize.ws_row && fresh.ws_col == tty.winsize.ws_col &&
                      fresh.ws_xpixel == tty.winsize.ws_xpixel && fresh.ws_ypixel == tty.winsize.ws_ypixel;
    tty.winsize = fresh;
    if (!same && tty.pgrp) kill_pgrp(tty.pgrp.get(), abi::kSigWinch);
    return int64_t{0};
}

Result<int64_t> flush(tty_struct& tty, uint64_t what) {
    TRY(tty_check_change(tty, abi::kSigTtou));
    if (what > abi::kTcIOFlush) return Errno::Inval;
    const spinlock_guard guard(tty.lock);
    if (what != abi::kTcOFlush) tty.ldisc.flush_input();
    return int64_t{0};
}

Result<int64_t> flow(tty_struct& tty, uint64_t what) {
    TRY(tty_check_change(tty, abi::kSigTtou));
    if (what > kTciOn) return Errno::Inval;
    {
        const spinlock_guard guard(tty.lock);
        if (what == kTcoOff || what == kTcoOn) {
            tty.stopped = what == kTcoOff;
        } else {
            const auto c = static_cast<char>(tty.termios.c_cc[what == kTciOff ? abi::kVStop : abi::kVStart]);
            tty.driver_write(tty, &c, 1);
        }
    }
    wake_up_all(tty.write_wait);
    return int64_t{0};
}

Result<int64_t> put_number(uint64_t argument, size_t number) {
    TRY(put_user(UserPtr<int32_t>(argument), static_cast<int32_t>(number)));
    return int64_t{0};
}

size_t input_waiting(const tty_struct& tty) {
    const spinlock_guard guard(tty.lock);
    return tty.ldisc.available();
}

}  // namespace

Result<int64_t> tty_ioctl(file& f, uint32_t request, uint64_t argument) {
    tty_struct& tty = file_tty(f);
    switch (request) {
        case abi::kTcGets:
            TRY(put_user(UserPtr<abi::Termios>(argument), current_termios(tty)));
            return int64_t{0};
        case abi::kTcSets:
        case abi::kTcSetsW:
        case abi::kTcSetsF:
            return set_termios(tty, argument, request == abi::kTcSetsF);
        case abi::kTiocGWinSz:
            TRY(put_user(UserPtr<abi::Winsize>(argument), tty.winsize));
            return int64_t{0};
        case abi::kTiocSWinSz:
            return set_winsize(tty, argument);
        case abi::kTcFlsh:
            return flush(tty, argument);
        case abi::kTcXonc:
            return flow(tty, argument);
        case abi::kTcSBrk:
            return int64_t{0};
        case abi::kFioNRead:
            return put_number(argument, input_waiting(tty));
        case abi::kTiocOutQ:
            return put_number(argument, 0);
        default:
            return tty_job_ioctl(tty, request, argument);
    }
}

}  // namespace guest
