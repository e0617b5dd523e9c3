// The machine, limits, and small change.
#include "guest/arch/power.hpp"
#include "guest/arch/process.hpp"
#include "guest/fs/address_space.hpp"
#include "guest/kernel/exit.hpp"
#include "guest/kernel/fork.hpp"
#include "guest/kernel/random.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/kernel/sched_core.hpp"
#include "guest/lib/string.hpp"
#include "guest/mm/uaccess.hpp"
#include "guest/syscalls/syscalls.hpp"

namespace guest {

Result<long> sys_uname(UserPtr<abi::UtsName> out) {
    TRY(put_user(out, current()->nsproxy->uts_ns->name));
    return 0;
}

namespace {

// A name of the caller's UTS namespace, with nothing but zeros behind it.
template <size_t N>
Result<long> set_uts_name(char (&name)[N], VirtAddr from, int length) {
    if (!capable(kCapSysAdmin)) return Errno::Perm;
    if (length < 0 || static_cast<size_t>(length) >= N) return Errno::Inval;
    char fresh[N] = {};
    TRY(copy_from_user(fresh, from, static_cast<size_t>(length)));
    memcpy(name, fresh, N);
    return 0;
}

}  // namespace

Result<long> sys_sethostname(VirtAddr name, int length) {
    return set_uts_name(current()->nsproxy->uts_ns->name.nodename, name, length);
}
Result<long> sys_setdomainname(VirtAddr name, int length) {
    return set_uts_name(current()->nsproxy->uts_ns->name.domainname, name, length);
}

Result<long> sys_sysinfo(UserPtr<abi::SysInfo> out) {
    abi::SysInfo info{};
    info.uptime = static_cast<int64_t>(ktime_get() / 1'000'000'000);
    info.totalram = total_ram_pages() << kPageShift;
    info.freeram = nr_free_pages() << kPageShift;
    info.sharedram = nr_shmem_pages() << kPageShift;
    // In units of 1/65536.
    const load_average loads = avenrun();
    for (unsigned i = 0; i < 3; ++i) info.loads[i] = loads.minutes[i] << (16 - kLoadShift);
    info.procs = static_cast<uint16_t>(nr_threads);
    info.mem_unit = 1;
    TRY(put_user(out, info));
    return 0;
}

Result<long> sys_getrusage(int who, UserPtr<abi::Rusage> out) {
    constexpr int kSelf = 0, kChildren = -1, kThread = 1;
    abi::Rusage usage{};
    switch (who) {
        case kSelf:
            getrusage_self(*current(), usage);
            break;
        case kChildren:
            getrusage_children(*current(), usage);
            break;
        case kThread:
            getrusage_thread(*current(), usage);
            break;
        default:
            return Errno::Inval;
    }
    TRY(put_user(out, usage));
    return 0;
}

namespace {

Result<> set_limit(signal_struct& signal, uint32_t which, const abi::RlimitPair& wanted) {
    constexpr uint64_t kNrOpenMax = uint64_t{1} << 20;
    if (wanted.current > wanted.maximum) return Errno::Inval;
    if (wanted.maximum > signal.rlim[which].maximum && !capable(kCapSysResource)) return Errno::Perm;
    if (static_cast<abi::Rlimit>(which) == abi::Rlimit::NoFile && wanted.maximum > kNrOpenMax)
        return Errno::Perm;
    signal.rlim[which] = wanted;
    return {};
}

}  // namespace

Result<long> sys_prlimit64(int nr, uint32_t which, UserPtr<const abi::RlimitPair> in,
                           UserPtr<abi::RlimitPair> out) {
    abi::RlimitPair wanted{};
    if (in) wanted = TRY(get_user(in));
    if (which >= abi::kRlimits) return Errno::Inval;
    RefPtr<signal_struct> signal;
    {
        const spinlock_guard guard(tasklist_lock);
        const task_struct* task = nr == 0 ? current() : find_task_by_vpid(nr);
        if (task == nullptr) return Errno::Srch;
        const cred& mine = current_cred();
        const cred& theirs = *task->cred;
        const bool same = mine.uid == theirs.uid && mine.uid == theirs.euid && mine.uid == theirs.suid &&
                          mine.gid == theirs.gid && mine.gid == theirs.egid && mine.gid == theirs.sgid;
        if (!same_thread_group(task, current()) && !same && !capable(kCapSysResource)) return Errno::Perm;
        signal = task->signal;
    }
    const abi::RlimitPair before = signal->rlim[which];
    if (in) TRY(set_limit(*signal, which, wanted));
    if (out) TRY(put_user(out, before));
    return 0;
}

Result<long> sys_getrlimit(uint32_t which, UserPtr<abi::RlimitPair> out) {
    if (which >= abi::kRlimits) return Errno::Inval;
    if (!out) return Errno::Fault;
    return sys_prlimit64(0, which, UserPtr<const abi::RlimitPair>(), out);
}
Result<long> sys_setrlimit(uint32_t which, UserPtr<const abi::RlimitPair> in) {
    if (!in) return Errno::Fault;
    return sys_prlimit64(0, which, in, UserPtr<abi::RlimitPair>());
}

Result<long> sys_arch_prctl(int option, uint64_t argument) {
    thread_struct& thread = current()->thread;
    switch (option) {
        case abi::kArchSetFs:
        case abi::kArchSetGs: {
            if (argument >= kTaskSize.raw()) return Errno::Perm;
            const IrqGuard guard;
            (option == abi::kArchSetFs ? thread.fsbase : thread.gsbase) = argument;
            load_user_bases();
            return 0;
        }
        case abi::kArchGetFs:
            TRY(put_user(UserPtr<uint64_t>(argument), thread.fsbase));
            return 0;
        case abi::kArchGetGs:
            TRY(put_user(UserPtr<uint64_t>(argument), thread.gsbase));
            return 0;
        default:
            return Errno::Inval;
    }
}

Result<long> sys_getrandom(VirtAddr out, size_t bytes, uint32_t flags) {
    constexpr uint32_t kRandom = 2, kInsecure = 4, kKnown = 7;
    constexpr size_t kMost = 0x1ffffff;
    if ((flags & ~kKnown) != 0 || (flags & (kRandom | kInsecure)) == (kRandom | kInsecure))
        return Errno::Inval;
    if (bytes > kMost) bytes = kMost;
    uint8_t chunk[256];
    for (size_t done = 0; done < bytes;) {
        const size_t part = bytes - done < sizeof(chunk) ? bytes - done : sizeof(chunk);
        get_random_bytes(chunk, part);
        TRY(copy_to_user(out + done, chunk, part));
        done += part;
        if (signal_pending(current()) && done > 0) return static_cast<long>(done);
    }
    return static_cast<long>(bytes);
}

Result<long> sys_reboot(uint32_t magic1, uint32_t magic2, uint32_t command) {
    constexpr uint32_t kMagic1 = 0xfee1dead;
    constexpr uint32_t kMagics2[] = {672274793, 85072278, 369367448, 537993216};
    constexpr uint32_t kRestart = 0x01234567, kHalt = 0xcdef0123, kPowerOff = 0x4321fedc, kCadOn = 0x89abcdef,
                       kCadOff = 0;
    if (!capable(kCapSysBoot)) return Errno::Perm;
    bool known = false;
    for (const uint32_t magic : kMagics2) known = known || magic == magic2;
    if (magic1 != kMagic1 || !known) return Errno::Inval;
    switch (command) {
        case kCadOn:
        case kCadOff:
            return 0;
        case kRestart:
            machine_restart();
        case kHalt:
        case kPowerOff:
            machine_power_off(0);
        default:
            return Errno::Inval;
    }
}

}  // namespace guest
