// The table of what stands in the root directory, but for processes.
#include "guest/fs/proc/root_files.hpp"
#include "guest/kernel/nsproxy.hpp"
#include "guest/lib/format.hpp"
#include "guest/lib/string.hpp"

namespace guest {

namespace {

using abi::kIfDir, abi::kIfLnk, abi::kIfReg;

Result<size_t> put_link(const char* text, char* buffer, size_t size) {
    const size_t length = strlen(text);
    const size_t part = length < size ? length : size;
    memcpy(buffer, text, part);
    return part;
}

// Of current, as the mount's namespace numbers it; a task from outside has no number there.
Result<size_t> self_readlink(const pid_namespace& ns, char* buffer, size_t size) {
    const pid_nr_t tgid = pid_nr_ns(current()->group_leader->thread_pid.get(), ns);
    if (tgid == 0) return Errno::NoEnt;
    char text[16];
    (void)snprintf(text, sizeof(text), "%d", tgid);
    return put_link(text, buffer, size);
}

Result<size_t> thread_self_readlink(const pid_namespace& ns, char* buffer, size_t size) {
    const pid_nr_t tgid = pid_nr_ns(current()->group_leader->thread_pid.get(), ns);
    if (tgid == 0) return Errno::NoEnt;
    char text[40];
    (void)snprintf(text, sizeof(text), "%d/task/%d", tgid, pid_nr_ns(current()->thread_pid.get(), ns));
    return put_link(text, buffer, size);
}

Result<size_t> mounts_readlink(const pid_namespace&, char* buffer, size_t size) {
    return put_link("self/mounts", buffer, size);
}

constexpr proc_entry kRootEntries[] = {
    {.name = "check", .mode = kIfReg | 0400, .show = check_show},
    {.name = "cmdline", .mode = kIfReg | 0444, .show = kernel_cmdline_show},
    {.name = "cpuinfo", .mode = kIfReg | 0444, .show = cpuinfo_show},
    {.name = "devices", .mode = kIfReg | 0444, .show = devices_show},
    {.name = "filesystems", .mode = kIfReg | 0444, .show = filesystems_show},
    {.name = "interrupts", .mode = kIfReg | 0444, .show = interrupts_show},
    {.name = "loadavg", .mode = kIfReg | 0444, .show = loadavg_show},
    {.name = "locks", .mode = kIfReg | 0444, .show = locks_show},
    {.name = "meminfo", .mode = kIfReg | 0444, .show = meminfo_show},
    {.name = "mounts", .mode = kIfLnk | 0777, .readlink = mounts_readlink},
    {.name = "partitions", .mode = kIfReg | 0444, .show = partitions_show},
    {.name = "self", .mode = kIfLnk | 0777, .readlink = self_readlink},
    {.name = "slabinfo", .mode = kIfReg | 0400, .show = slabinfo_show},
    {.name = "stat", .mode = kIfReg | 0444, .show = stat_show},
    {.name = "swaps", .mode = kIfReg | 0444, .show = swaps_show},
    {.name = "sys", .mode = kIfDir | 0555, .children = kSysEntries, .nr_children = kNrSysEntries},
    {.name = "sysvipc", .mode = kIfDir | 0555, .children = kSysvipcEntries, .nr_children = kNrSysvipcEntries},
    {.name = "thread-self", .mode = kIfLnk | 0777, .readlink = thread_self_readlink},
    {.name = "uptime", .mode = kIfReg | 0444, .show = uptime_show},
    {.name = "version", .mode = kIfReg | 0444, .show = version_show},
    {.name = "vmstat", .mode = kIfReg | 0444, .show = vmstat_show},
};

}  // namespace

constinit const proc_entry proc_root{.name = "/",
                                     .mode = kIfDir | 0555,
                                     .children = kRootEntries,
                                     .nr_children = sizeof(kRootEntries) / sizeof(kRootEntries[0])};

}  // namespace guest
