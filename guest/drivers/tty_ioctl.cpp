// What programs set and ask about a terminal.
#include "guest/abi/signal.hpp"
#include "guest/drivers/tty.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

constexpr uint64_t kTcoOff = 0, kTcoOn = 1, kTciOff = 2, kTciOn = 3;  // tcflow(3)
constexpr int32_t kNTty = 0;                                          // the one line discipline

// Only who changes it tells the foreground.
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
    {
        const spinlock_guard guard(tty.lock);
        if (what != abi::kTcOFlush) {
            tty.ldisc.flush_input();
            if (tty.ops.report != nullptr) tty.ops.report(tty, abi::kPktFlushRead);
        }
        if (what != abi::kTcIFlush && tty.ops.flush_output != nullptr) tty.ops.flush_output(tty);
    }
    if (tty.ops.unthrottle != nullptr) tty.ops.unthrottle(tty);
    return int64_t{0};
}

Result<int64_t> flow(tty_struct& tty, uint64_t what) {
    TRY(tty_check_change(tty, abi::kSigTtou));
    if (what > kTciOn) return Errno::Inval;
    const spinlock_guard guard(tty.lock);
    if (what == kTcoOff || what == kTcoOn) {
        tty.set_stopped(tty, what == kTcoOff);
    } else {
        const auto c = static_cast<char>(tty.termios.c_cc[what == kTciOff ? abi::kVStop : abi::kVStart]);
        if (tty_can_write(tty)) tty.ops.write(tty, &c, 1);
    }
    return int64_t{0};
}

// As if the character had been typed: only at one's own terminal.
Result<int64_t> simulate_input(tty_struct& tty, uint64_t argument) {
    if (get_task_tty(*current()).get() != &tty && !capable(kCapSysAdmin)) return Errno::Perm;
    const uint8_t c = TRY(get_user(UserPtr<const uint8_t>(argument)));
    tty_receive(tty, &c, 1);
    return int64_t{0};
}

Result<int64_t> set_exclusive(tty_struct& tty, bool on) {
    const spinlock_guard guard(tty.lock);
    tty.exclusive = on;
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

Result<int64_t> tty_ioctl_from(file& f, tty_struct& tty, TtySide side, uint32_t request, uint64_t argument) {
    switch (request) {
        case abi::kTcGets:
        case abi::kTcGets2:
        case abi::kTcGetA:
        case abi::kTiocGSoftCar:
            return tty_get_mode(tty, request, argument);
        case abi::kTcSets:
        case abi::kTcSetsW:
        case abi::kTcSetsF:
        case abi::kTcSets2:
        case abi::kTcSetsW2:
        case abi::kTcSetsF2:
        case abi::kTcSetA:
        case abi::kTcSetAW:
        case abi::kTcSetAF:
        case abi::kTiocSSoftCar:
            return tty_set_mode(tty, request, argument);
        case abi::kTiocGWinSz:
            TRY(put_user(UserPtr<abi::Winsize>(argument), tty.winsize));
            return int64_t{0};
        case abi::kTiocSWinSz:
            return set_winsize(tty, argument);
        case abi::kTcSBrk:
        case abi::kTcSBrkP:
        case abi::kTiocSBrk:
        case abi::kTiocCBrk:
            return int64_t{0};  // nobody is there to hear a break
        case abi::kTiocOutQ:
            return put_number(argument, 0);
        case abi::kTiocGetD:
            return put_number(argument, kNTty);
        case abi::kTiocSetD:
            if (TRY(get_user(UserPtr<const int32_t>(argument))) != kNTty) return Errno::Inval;
            return int64_t{0};
        case abi::kTiocExcl:
        case abi::kTiocNxcl:
            return set_exclusive(tty, request == abi::kTiocExcl);
        case abi::kTiocGExcl:
            return put_number(argument, tty.exclusive ? 1 : 0);
        case abi::kTiocVHangup:
            if (!capable(kCapSysAdmin)) return Errno::Perm;
            tty_vhangup(tty, HangupFor::Line);
            return int64_t{0};
        default:
            return tty_job_ioctl(f, tty, side, request, argument);
    }
}

Result<int64_t> tty_ioctl(file& f, uint32_t request, uint64_t argument) {
    if (tty_hung_up(f)) return request == abi::kTiocSPgrp ? Errno::NoTty : Errno::Io;
    tty_struct& tty = file_tty(f);
    switch (request) {
        case abi::kTcFlsh:
            return flush(tty, argument);
        case abi::kTcXonc:
            return flow(tty, argument);
        case abi::kFioNRead:
            return put_number(argument, input_waiting(tty));
        case abi::kTiocSti:
            return simulate_input(tty, argument);
        default:
            return tty_ioctl_from(f, tty, TtySide::Own, request, argument);
    }
}

}  // namespace guest
