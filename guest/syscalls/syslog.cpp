// syslog(2): the kernel's log, and how much of it the console shows.
#include "guest/kernel/capability.hpp"
#include "guest/kernel/ktime.hpp"
#include "guest/kernel/mutex.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/log_buffer.hpp"
#include "guest/mm/slab.hpp"
#include "guest/mm/uaccess.hpp"
#include "guest/syscalls/syscalls.hpp"

namespace guest {

namespace {

enum class Action : int {
    Close = 0,
    Open = 1,
    Read = 2,
    ReadAll = 3,
    ReadClear = 4,
    Clear = 5,
    ConsoleOff = 6,
    ConsoleOn = 7,
    ConsoleLevel = 8,
    SizeUnread = 9,
    SizeBuffer = 10
};

constinit mutex log_readers;
constinit uint64_t read_up_to = 0;     // by Read
constinit uint64_t cleared_up_to = 0;  // by ReadClear and Clear
constinit unsigned level_before_off = 0;

Result<long> copy_out(uint64_t from, VirtAddr to, size_t bytes) {
    KBuffer text = TRY(KBuffer::allocate(bytes + 1));
    const size_t copied = log_buffer_copy(from, text.data(), bytes);
    TRY(copy_to_user(to, text.data(), copied));
    return static_cast<long>(copied);
}

uint64_t later(uint64_t a, uint64_t b) { return a > b ? a : b; }

// What has not been read yet.
Result<long> read_new(VirtAddr to, size_t bytes) {
    const uint64_t from = later(read_up_to, log_buffer_span().from);
    const long copied = TRY(copy_out(from, to, bytes));
    read_up_to = from + static_cast<uint64_t>(copied);
    return copied;
}

// Looks again every tick: lines come from interrupts too, with any lock held. RestartSys.
Result<> wait_for_news() {
    while (log_buffer_span().to <= read_up_to) {
        if (signal_pending(current())) return Errno::RestartSys;
        set_current_state(TaskState::Interruptible);
        (void)schedule_timeout(kNsPerTick);
    }
    return {};
}

// The youngest that fit.
Result<long> read_all(VirtAddr to, size_t bytes) {
    const log_span span = log_buffer_span();
    uint64_t from = later(cleared_up_to, span.from);
    if (span.to - from > bytes) from = span.to - bytes;
    return copy_out(from, to, bytes);
}

Result<long> read(Action action, VirtAddr to, int length) {
    if (to.is_null() || length < 0) return Errno::Inval;
    if (length == 0) return 0;
    size_t bytes = static_cast<size_t>(length);
    if (!access_ok(to, bytes)) return Errno::Fault;
    if (bytes > kLogBufferBytes) bytes = kLogBufferBytes;
    if (action == Action::Read) return read_new(to, bytes);
    const long copied = TRY(read_all(to, bytes));
    if (action == Action::ReadClear) cleared_up_to = log_buffer_span().to;
    return copied;
}

Result<long> set_console(Action action, int level) {
    switch (action) {
        case Action::ConsoleOff:
            if (level_before_off == 0) level_before_off = console_loglevel();
            set_console_loglevel(1);
            return 0;
        case Action::ConsoleOn:
            if (level_before_off != 0) set_console_loglevel(level_before_off);
            level_before_off = 0;
            return 0;
        default:
            if (level < 1 || level > 8) return Errno::Inval;
            set_console_loglevel(static_cast<unsigned>(level));
            level_before_off = 0;
            return 0;
    }
}

}  // namespace

Result<long> sys_syslog(int type, VirtAddr to, int length) {
    const auto action = static_cast<Action>(type);
    const bool open_to_all = action == Action::ReadAll || action == Action::SizeBuffer;
    if (!open_to_all && !capable(kCapSyslog)) return Errno::Perm;
    if (action == Action::Read && !to.is_null() && length > 0) TRY(wait_for_news());
    const mutex_guard guard(log_readers);
    switch (action) {
        case Action::Close:
        case Action::Open:
            return 0;
        case Action::Read:
        case Action::ReadAll:
        case Action::ReadClear:
            return read(action, to, length);
        case Action::Clear:
            cleared_up_to = log_buffer_span().to;
            return 0;
        case Action::ConsoleOff:
        case Action::ConsoleOn:
        case Action::ConsoleLevel:
            return set_console(action, length);
        case Action::SizeUnread: {
            const log_span span = log_buffer_span();
            return static_cast<long>(span.to - later(read_up_to, span.from));
        }
        case Action::SizeBuffer:
            return static_cast<long>(kLogBufferBytes);
    }
    return Errno::Inval;
}

}  // namespace guest
