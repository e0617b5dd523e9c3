// select and pselect6.
#include "guest/fs/fdtable.hpp"
#include "guest/fs/poll_queues.hpp"
#include "guest/fs/syscalls.hpp"
#include "guest/fs/timeout.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/string.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

constexpr size_t kWordBits = 64;

// Which poll events make a descriptor ready in each of the three sets.
constexpr uint32_t kEvents[3] = {
    abi::kPollRdNorm | abi::kPollRdBand | abi::kPollIn | abi::kPollHup | abi::kPollErr,
    abi::kPollWrNorm | abi::kPollWrBand | abi::kPollOut | abi::kPollErr, abi::kPollPri};

// The three sets: what was asked, and what is ready.
struct select_sets {
    UserPtr<uint64_t> user[3];
    size_t words;
    KBuffer memory;
    [[nodiscard]] uint64_t* asked(size_t set) const {
        return reinterpret_cast<uint64_t*>(memory.data()) + set * words;
    }
    [[nodiscard]] uint64_t* ready(size_t set) const { return asked(set + 3); }
};

Result<select_sets> copy_sets(int count, UserPtr<uint64_t> in, UserPtr<uint64_t> out,
                              UserPtr<uint64_t> except) {
    if (count < 0) return Errno::Inval;
    const unsigned limit = current()->files->fdt.max_fds;
    const unsigned bits = static_cast<unsigned>(count) < limit ? static_cast<unsigned>(count) : limit;
    const size_t words = (bits + kWordBits - 1) / kWordBits;
    select_sets sets{{in, out, except}, words, TRY(KBuffer::allocate(6 * words * sizeof(uint64_t)))};
    memset(sets.memory.data(), 0, sets.memory.size());
    for (size_t set = 0; set < 3; ++set) {
        if (sets.user[set]) TRY(copy_from_user(sets.asked(set), sets.user[set], words * sizeof(uint64_t)));
    }
    // Bits past count are not looked at.
    if (bits % kWordBits != 0) {
        for (size_t set = 0; set < 3; ++set)
            sets.asked(set)[words - 1] &= (uint64_t{1} << bits % kWordBits) - 1;
    }
    return sets;
}

// How many bits became ready for one descriptor. BadF.
Result<long> select_one(poll_queues& queues, const select_sets& sets, size_t word, uint64_t mask, int fd) {
    uint32_t events = 0;
    for (size_t set = 0; set < 3; ++set) {
        if ((sets.asked(set)[word] & mask) != 0) events |= kEvents[set];
    }
    if (events == 0) return 0L;
    const RefPtr<file> f = fget(*current()->files, fd);
    if (!f) return Errno::BadF;
    const uint32_t found = queues.ask(*f, events);
    long ready = 0;
    for (size_t set = 0; set < 3; ++set) {
        if ((sets.asked(set)[word] & mask) != 0 && (found & kEvents[set]) != 0) {
            sets.ready(set)[word] |= mask;
            ++ready;
        }
    }
    if (ready != 0) queues.stop_joining();
    return ready;
}

Result<long> wait_for_sets(const select_sets& sets, uint64_t& ns) {
    poll_queues queues;
    for (;;) {
        long ready = 0;
        for (size_t fd = 0; fd < sets.words * kWordBits; ++fd) {
            ready += TRY(select_one(queues, sets, fd / kWordBits, uint64_t{1} << fd % kWordBits,
                                    static_cast<int>(fd)));
        }
        if (ready != 0 || ns == 0) return ready;
        if (queues.out_of_memory()) return Errno::NoMem;
        if (signal_pending(current())) return Errno::RestartNoHand;
        queues.stop_joining();
        ns = queues.sleep(ns);
    }
}

Result<long> do_select(int count, UserPtr<uint64_t> in, UserPtr<uint64_t> out, UserPtr<uint64_t> except,
                       uint64_t& ns) {
    const select_sets sets = TRY(copy_sets(count, in, out, except));
    const long ready = TRY(wait_for_sets(sets, ns));
    for (size_t set = 0; set < 3; ++set) {
        if (sets.user[set]) TRY(copy_to_user(sets.user[set], sets.ready(set), sets.words * sizeof(uint64_t)));
    }
    return ready;
}

}  // namespace

Result<long> sys_select(int count, UserPtr<uint64_t> in, UserPtr<uint64_t> out, UserPtr<uint64_t> except,
                        UserPtr<abi::Timeval> timeout) {
    uint64_t ns = TRY(timeout_from(timeout));
    Result<long> ready = do_select(count, in, out, except, ns);
    timeout_left(timeout, ns);
    return ready;
}

Result<long> sys_pselect6(int count, UserPtr<uint64_t> in, UserPtr<uint64_t> out, UserPtr<uint64_t> except,
                          UserPtr<abi::Timespec> timeout, UserPtr<const abi::SigsetArgument> mask) {
    uint64_t ns = TRY(timeout_from(timeout));
    abi::SigsetArgument argument{};
    if (mask) argument = TRY(get_user(mask));
    TemporarySigmask sigmask;
    TRY(sigmask.install(argument.address, argument.bytes));
    Result<long> ready = do_select(count, in, out, except, ns);
    sigmask.finish(!ready.ok() && ready.error() == Errno::RestartNoHand);
    timeout_left(timeout, ns);
    return ready;
}

}  // namespace guest
