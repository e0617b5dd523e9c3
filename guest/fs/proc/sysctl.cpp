// /proc/sys: settings of the kernel, most of them constant here.
#include "guest/fs/devpts.hpp"
#include "guest/fs/fdtable.hpp"
#include "guest/fs/proc/sysctl_ipc.hpp"
#include "guest/fs/special.hpp"
#include "guest/kernel/fork.hpp"
#include "guest/kernel/nsproxy.hpp"
#include "guest/kernel/random.hpp"
#include "guest/lib/string.hpp"
#include "guest/mm/mmap.hpp"
#include "guest/mm/overcommit.hpp"

namespace guest {

namespace {

using abi::kIfDir, abi::kIfReg;

template <typename Number>
Result<> put_number(proc_text& m, Number value) {
    m.printf("%ld\n", static_cast<int64_t>(value));
    return {};
}

template <int64_t kValue>
Result<> constant_show(proc_text& m) {
    return put_number(m, kValue);
}

template <size_t N>
constexpr proc_entry directory(const char* name, const proc_entry (&entries)[N]) {
    return {.name = name, .mode = kIfDir | 0555, .children = entries, .nr_children = N};
}

// --- kernel/

// What uname tells of the reader's namespace.
abi::UtsName& uts_name() { return current()->nsproxy->uts_ns->name; }

Result<> put_line(proc_text& m, const char* text) {
    m.puts(text);
    m.putc('\n');
    return {};
}
Result<> ostype_show(proc_text& m) { return put_line(m, uts_name().sysname); }
Result<> osrelease_show(proc_text& m) { return put_line(m, uts_name().release); }
Result<> osversion_show(proc_text& m) { return put_line(m, uts_name().version); }
Result<> hostname_show(proc_text& m) { return put_line(m, uts_name().nodename); }
Result<> domainname_show(proc_text& m) { return put_line(m, uts_name().domainname); }

// Up to the end of the line, cut to what the name has room for.
template <size_t N>
size_t set_name(char (&name)[N], char* text, size_t bytes) {
    if (char* newline = strchr(text, '\n')) *newline = '\0';
    strlcpy(name, text, N);
    return bytes;
}
Result<size_t> hostname_write(char* text, size_t bytes) { return set_name(uts_name().nodename, text, bytes); }
Result<size_t> domainname_write(char* text, size_t bytes) {
    return set_name(uts_name().domainname, text, bytes);
}

Result<> pid_max_show(proc_text& m) { return put_number(m, pid_max); }
Result<size_t> pid_max_write(char* text, size_t bytes) {
    constexpr int64_t kLeast = 301;
    pid_max = static_cast<pid_nr_t>(TRY(sysctl_number(text, kLeast, kPidMax)));
    return bytes;
}

Result<> threads_max_show(proc_text& m) { return put_number(m, max_threads); }
Result<size_t> threads_max_write(char* text, size_t bytes) {
    constexpr int64_t kLeast = 20;
    max_threads = static_cast<int>(TRY(sysctl_number(text, kLeast, 0x3fffffff)));
    return bytes;
}

Result<> core_pattern_show(proc_text& m) { return put_line(m, "core"); }

Result<> pty_nr_show(proc_text& m) { return put_number(m, devpts_in_use()); }

constexpr proc_entry kPtyEntries[] = {
    {.name = "max", .mode = kIfReg | 0444, .show = constant_show<kMaxPtys>},
    {.name = "nr", .mode = kIfReg | 0444, .show = pty_nr_show},
};

// RFC 4122, 4.4: random but for the version, 4, and the variant, 2.
struct Uuid {
    uint8_t bytes[16];
    static Uuid make() {
        Uuid fresh;
        get_random_bytes(fresh.bytes, sizeof(fresh.bytes));
        fresh.bytes[6] = static_cast<uint8_t>((fresh.bytes[6] & 0x0f) | 0x40);
        fresh.bytes[8] = static_cast<uint8_t>((fresh.bytes[8] & 0x3f) | 0x80);
        return fresh;
    }
    void show(proc_text& m) const {
        for (size_t i = 0; i < sizeof(bytes); ++i) {
            if (i == 4 || i == 6 || i == 8 || i == 10) m.putc('-');
            m.printf("%02x", bytes[i]);
        }
        m.putc('\n');
    }
};
Result<> uuid_show(proc_text& m) {
    Uuid::make().show(m);
    return {};
}
// The same for as long as the machine runs.
Result<> boot_id_show(proc_text& m) {
    static constinit spinlock_t lock;
    static constinit Uuid boot_id{};
    const spinlock_guard guard(lock);
    if (boot_id.bytes[6] == 0) boot_id = Uuid::make();
    boot_id.show(m);
    return {};
}

constexpr proc_entry kRandomEntries[] = {
    {.name = "boot_id", .mode = kIfReg | 0444, .show = boot_id_show},
    {.name = "uuid", .mode = kIfReg | 0444, .show = uuid_show},
};

constexpr int64_t kNobody = 65534;  // whom ids that cannot be shown are shown as

constexpr proc_entry kKernelEntries[] = {
    {.name = "cap_last_cap", .mode = kIfReg | 0444, .show = constant_show<kCapLast>},
    {.name = "core_pattern", .mode = kIfReg | 0444, .show = core_pattern_show},
    {.name = "core_uses_pid", .mode = kIfReg | 0444, .show = constant_show<0>},
    {.name = "domainname", .mode = kIfReg | 0644, .show = domainname_show, .write = domainname_write},
    {.name = "hostname", .mode = kIfReg | 0644, .show = hostname_show, .write = hostname_write},
    {.name = "msgmax",
     .mode = kIfReg | 0644,
     .show = ipc_limit_show<&ipc_limits::msgmax>,
     .write = ipc_limit_write<&ipc_limits::msgmax, INT32_MAX>},
    {.name = "msgmnb",
     .mode = kIfReg | 0644,
     .show = ipc_limit_show<&ipc_limits::msgmnb>,
     .write = ipc_limit_write<&ipc_limits::msgmnb, INT32_MAX>},
    {.name = "msgmni",
     .mode = kIfReg | 0644,
     .show = ipc_limit_show<&ipc_limits::msgmni>,
     .write = ipc_limit_write<&ipc_limits::msgmni, kIpcMostObjects>},
    {.name = "ngroups_max", .mode = kIfReg | 0444, .show = constant_show<group_info::kMax>},
    {.name = "osrelease", .mode = kIfReg | 0444, .show = osrelease_show},
    {.name = "ostype", .mode = kIfReg | 0444, .show = ostype_show},
    {.name = "overflowgid", .mode = kIfReg | 0444, .show = constant_show<kNobody>},
    {.name = "overflowuid", .mode = kIfReg | 0444, .show = constant_show<kNobody>},
    {.name = "pid_max", .mode = kIfReg | 0644, .show = pid_max_show, .write = pid_max_write},
    directory("pty", kPtyEntries),
    directory("random", kRandomEntries),
    {.name = "randomize_va_space", .mode = kIfReg | 0444, .show = constant_show<0>},
    {.name = "sem", .mode = kIfReg | 0644, .show = sem_limits_show, .write = sem_limits_write},
    {.name = "shm_rmid_forced", .mode = kIfReg | 0444, .show = constant_show<0>},
    {.name = "shmall",
     .mode = kIfReg | 0644,
     .show = ipc_large_show<&ipc_limits::shmall>,
     .write = ipc_large_write<&ipc_limits::shmall>},
    {.name = "shmmax",
     .mode = kIfReg | 0644,
     .show = ipc_large_show<&ipc_limits::shmmax>,
     .write = ipc_large_write<&ipc_limits::shmmax>},
    {.name = "shmmni",
     .mode = kIfReg | 0644,
     .show = ipc_limit_show<&ipc_limits::shmmni>,
     .write = ipc_limit_write<&ipc_limits::shmmni, kIpcMostObjects>},
    {.name = "tainted", .mode = kIfReg | 0444, .show = constant_show<0>},
    {.name = "threads-max", .mode = kIfReg | 0644, .show = threads_max_show, .write = threads_max_write},
    {.name = "version", .mode = kIfReg | 0444, .show = osversion_show},
};

// --- fs/

Result<> file_max_show(proc_text& m) { return put_number(m, files_max()); }
Result<> file_nr_show(proc_text& m) {
    m.printf("%lu\t0\t%lu\n", files_open(), files_max());
    return {};
}

Result<> pipe_max_show(proc_text& m) { return put_number(m, static_cast<int64_t>(pipe_max_size)); }
Result<size_t> pipe_max_write(char* text, size_t bytes) {
    TRY(set_pipe_max_size(static_cast<uint64_t>(TRY(sysctl_number(text, 0, int64_t{1} << 31)))));
    return bytes;
}

Result<> queues_max_show(proc_text& m) {
    return put_number(m, static_cast<int64_t>(mqueue_limits.queues_max));
}
Result<size_t> queues_max_write(char* text, size_t bytes) {
    mqueue_limits.queues_max = static_cast<uint64_t>(TRY(sysctl_number(text, 0, INT32_MAX)));
    return bytes;
}

constexpr proc_entry kMqueueEntries[] = {
    {.name = "msg_default",
     .mode = kIfReg | 0644,
     .show = mq_limit_show<&mq_limits::msg_default>,
     .write = mq_limit_write<&mq_limits::msg_default, 1, kMqHardMsgMax>},
    {.name = "msg_max",
     .mode = kIfReg | 0644,
     .show = mq_limit_show<&mq_limits::msg_max>,
     .write = mq_limit_write<&mq_limits::msg_max, 1, kMqHardMsgMax>},
    {.name = "msgsize_default",
     .mode = kIfReg | 0644,
     .show = mq_limit_show<&mq_limits::msgsize_default>,
     .write = mq_limit_write<&mq_limits::msgsize_default, 128, kMqHardMsgSizeMax>},
    {.name = "msgsize_max",
     .mode = kIfReg | 0644,
     .show = mq_limit_show<&mq_limits::msgsize_max>,
     .write = mq_limit_write<&mq_limits::msgsize_max, 128, kMqHardMsgSizeMax>},
    {.name = "queues_max", .mode = kIfReg | 0644, .show = queues_max_show, .write = queues_max_write},
};

constexpr proc_entry kFsEntries[] = {
    {.name = "file-max", .mode = kIfReg | 0444, .show = file_max_show},
    {.name = "file-nr", .mode = kIfReg | 0444, .show = file_nr_show},
    directory("mqueue", kMqueueEntries),
    {.name = "nr_open", .mode = kIfReg | 0444, .show = constant_show<kNrOpenMax>},
    {.name = "overflowgid", .mode = kIfReg | 0444, .show = constant_show<kNobody>},
    {.name = "overflowuid", .mode = kIfReg | 0444, .show = constant_show<kNobody>},
    {.name = "pipe-max-size", .mode = kIfReg | 0644, .show = pipe_max_show, .write = pipe_max_write},
};

// --- vm/

constexpr int64_t kMostKbytes = INT64_MAX / 1024;

Result<> overcommit_show(proc_text& m) { return put_number(m, static_cast<int>(sysctl_overcommit.memory)); }
Result<size_t> overcommit_write(char* text, size_t bytes) {
    constexpr int64_t kMost = static_cast<int64_t>(Overcommit::Never);
    sysctl_overcommit.memory = static_cast<Overcommit>(TRY(sysctl_number(text, 0, kMost)));
    return bytes;
}

// Of ratio and kbytes, the one that was written last counts.
Result<> overcommit_ratio_show(proc_text& m) { return put_number(m, sysctl_overcommit.ratio); }
Result<size_t> overcommit_ratio_write(char* text, size_t bytes) {
    sysctl_overcommit.ratio = TRY(sysctl_number(text, 0, INT32_MAX));
    sysctl_overcommit.kbytes = 0;
    return bytes;
}
Result<> overcommit_kbytes_show(proc_text& m) { return put_number(m, sysctl_overcommit.kbytes); }
Result<size_t> overcommit_kbytes_write(char* text, size_t bytes) {
    sysctl_overcommit.kbytes = static_cast<uint64_t>(TRY(sysctl_number(text, 0, kMostKbytes)));
    sysctl_overcommit.ratio = 0;
    return bytes;
}

template <uint64_t overcommit_policy::*kMember>
Result<> reserve_show(proc_text& m) {
    return put_number(m, sysctl_overcommit.*kMember);
}
template <uint64_t overcommit_policy::*kMember>
Result<size_t> reserve_write(char* text, size_t bytes) {
    sysctl_overcommit.*kMember = static_cast<uint64_t>(TRY(sysctl_number(text, 0, kMostKbytes)));
    return bytes;
}
using Policy = overcommit_policy;

Result<> map_count_show(proc_text& m) { return put_number(m, max_map_count); }
Result<size_t> map_count_write(char* text, size_t bytes) {
    max_map_count = static_cast<uint64_t>(TRY(sysctl_number(text, 0, INT32_MAX)));
    return bytes;
}

constexpr proc_entry kVmEntries[] = {
    {.name = "admin_reserve_kbytes",
     .mode = kIfReg | 0644,
     .show = reserve_show<&Policy::admin_reserve_kbytes>,
     .write = reserve_write<&Policy::admin_reserve_kbytes>},
    {.name = "max_map_count", .mode = kIfReg | 0644, .show = map_count_show, .write = map_count_write},
    {.name = "mmap_min_addr", .mode = kIfReg | 0444, .show = constant_show<65536>},
    {.name = "oom_kill_allocating_task", .mode = kIfReg | 0444, .show = constant_show<0>},
    {.name = "overcommit_kbytes",
     .mode = kIfReg | 0644,
     .show = overcommit_kbytes_show,
     .write = overcommit_kbytes_write},
    {.name = "overcommit_memory", .mode = kIfReg | 0644, .show = overcommit_show, .write = overcommit_write},
    {.name = "overcommit_ratio",
     .mode = kIfReg | 0644,
     .show = overcommit_ratio_show,
     .write = overcommit_ratio_write},
    {.name = "panic_on_oom", .mode = kIfReg | 0444, .show = constant_show<0>},
    {.name = "swappiness", .mode = kIfReg | 0444, .show = constant_show<0>},
    {.name = "user_reserve_kbytes",
     .mode = kIfReg | 0644,
     .show = reserve_show<&Policy::user_reserve_kbytes>,
     .write = reserve_write<&Policy::user_reserve_kbytes>},
};

}  // namespace

constinit const proc_entry kSysEntries[kNrSysEntries] = {
    directory("fs", kFsEntries),
    directory("kernel", kKernelEntries),
    directory("vm", kVmEntries),
};

}  // namespace guest
