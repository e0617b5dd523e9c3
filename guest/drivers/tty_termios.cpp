// The settings of a terminal, in the three forms that programs know: struct termio, termios and termios2.
#include "guest/abi/signal.hpp"
#include "guest/drivers/tty.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

// By the codes B0, B50 ... of c_cflag (man 3 termios); those from 16 on have the bit of kBOther.
constexpr uint32_t kSpeeds[] = {0,       50,      75,      110,     134,     150,     200,    300,
                                600,     1200,    1800,    2400,    4800,    9600,    19200,  38400,
                                57600,   115200,  230400,  460800,  500000,  576000,  921600, 1000000,
                                1152000, 1500000, 2000000, 2500000, 3000000, 3500000, 4000000};
constexpr uint32_t kLowCodes = 16;

uint32_t speed_of(abi::tcflag_t code, uint32_t other) {
    if (code == abi::kBOther) return other;
    const uint32_t low = code & (kLowCodes - 1);
    return kSpeeds[(code & abi::kBOther) != 0 ? kLowCodes - 1 + low : low];
}

abi::Termios2 current_mode(const tty_struct& tty) {
    const spinlock_guard guard(tty.lock);
    abi::Termios2 mode{tty.termios, 0, 0};
    mode.c_ospeed = speed_of(mode.base.c_cflag & abi::kCBaud, tty.other_ospeed);
    const abi::tcflag_t input = (mode.base.c_cflag >> abi::kIBShift) & abi::kCBaud;
    mode.c_ispeed = input == 0 ? mode.c_ospeed : speed_of(input, tty.other_ispeed);
    return mode;
}

// What whoever has the master in packet mode is told of new settings: whether ^S and ^Q mean what they
// usually do, and anything at all with EXTPROC.
uint8_t packet_report(const abi::Termios& old, const abi::Termios& fresh) {
    const auto stops = [](const abi::Termios& t) {
        return (t.c_iflag & abi::kIXon) != 0 && t.c_cc[abi::kVStop] == 'S' - '@' &&
               t.c_cc[abi::kVStart] == 'Q' - '@';
    };
    uint8_t report = 0;
    if (stops(old) != stops(fresh)) report |= stops(fresh) ? abi::kPktDoStop : abi::kPktNoStop;
    if (((old.c_lflag ^ fresh.c_lflag) & abi::kExtProc) != 0 || (fresh.c_lflag & abi::kExtProc) != 0)
        report |= abi::kPktIoctl;
    return report;
}

abi::Termio old_form(const abi::Termios& mode) {
    abi::Termio old{static_cast<uint16_t>(mode.c_iflag),
                    static_cast<uint16_t>(mode.c_oflag),
                    static_cast<uint16_t>(mode.c_cflag),
                    static_cast<uint16_t>(mode.c_lflag),
                    mode.c_line,
                    {}};
    for (size_t i = 0; i < abi::Termio::kNcc; ++i) old.c_cc[i] = mode.c_cc[i];
    return old;
}

void set_low_half(abi::tcflag_t& word, uint16_t half) { word = (word & 0xffff0000) | half; }

// What the caller wants, over what is there where its form says nothing.
Result<abi::Termios2> wanted_mode(const tty_struct& tty, uint32_t request, uint64_t argument) {
    abi::Termios2 mode = current_mode(tty);
    switch (request) {
        case abi::kTcSets2:
        case abi::kTcSetsW2:
        case abi::kTcSetsF2:
            return get_user(UserPtr<const abi::Termios2>(argument));
        case abi::kTcSetA:
        case abi::kTcSetAW:
        case abi::kTcSetAF: {
            const abi::Termio old = TRY(get_user(UserPtr<const abi::Termio>(argument)));
            set_low_half(mode.base.c_iflag, old.c_iflag);
            set_low_half(mode.base.c_oflag, old.c_oflag);
            set_low_half(mode.base.c_cflag, old.c_cflag);
            set_low_half(mode.base.c_lflag, old.c_lflag);
            mode.base.c_line = old.c_line;
            for (size_t i = 0; i < abi::Termio::kNcc; ++i) mode.base.c_cc[i] = old.c_cc[i];
            return mode;
        }
        case abi::kTiocSSoftCar: {
            const bool local = TRY(get_user(UserPtr<const int32_t>(argument))) != 0;
            mode.base.c_cflag = (mode.base.c_cflag & ~abi::kCLocal) | (local ? abi::kCLocal : 0);
            return mode;
        }
        default:
            mode.base = TRY(get_user(UserPtr<const abi::Termios>(argument)));
            return mode;
    }
}

}  // namespace

Result<int64_t> tty_get_mode(const tty_struct& tty, uint32_t request, uint64_t argument) {
    const abi::Termios2 mode = current_mode(tty);
    switch (request) {
        case abi::kTcGets2:
            TRY(put_user(UserPtr<abi::Termios2>(argument), mode));
            break;
        case abi::kTcGetA:
            TRY(put_user(UserPtr<abi::Termio>(argument), old_form(mode.base)));
            break;
        case abi::kTiocGSoftCar:
            TRY(put_user(UserPtr<int32_t>(argument), (mode.base.c_cflag & abi::kCLocal) != 0 ? 1 : 0));
            break;
        default:
            TRY(put_user(UserPtr<abi::Termios>(argument), mode.base));
            break;
    }
    return int64_t{0};
}

// Output is on its way as soon as it is written, so that there is nothing to wait for before a change.
Result<int64_t> tty_set_mode(tty_struct& tty, uint32_t request, uint64_t argument) {
    const abi::Termios2 wanted = TRY(wanted_mode(tty, request, argument));
    if (request != abi::kTiocSSoftCar) TRY(tty_check_change(tty, abi::kSigTtou));
    {
        const spinlock_guard guard(tty.lock);
        const abi::Termios old = tty.termios;
        const abi::Termios& fresh = wanted.base;
        tty.termios = fresh;
        tty.other_ispeed = wanted.c_ispeed;
        tty.other_ospeed = wanted.c_ospeed;
        if (request == abi::kTcSetsF || request == abi::kTcSetsF2 || request == abi::kTcSetAF)
            tty.ldisc.flush_input();
        if (((old.c_lflag ^ fresh.c_lflag) & abi::kICanon) != 0) tty.ldisc.mode_changed();
        if ((fresh.c_iflag & abi::kIXon) == 0) tty.stopped = false;
        const uint8_t report = packet_report(old, fresh);
        if (report != 0 && tty.ops.report != nullptr) tty.ops.report(tty, report);
    }
    wake_up_all(tty.read_wait);
    wake_up_all(tty.write_wait);
    return int64_t{0};
}

}  // namespace guest
