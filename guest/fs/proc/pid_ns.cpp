// /proc/<pid>/ns: the namespaces that a task is in.
#include "guest/fs/mount.hpp"
#include "guest/fs/nsfs.hpp"
#include "guest/fs/proc/pid_files.hpp"

namespace guest {

namespace {

using abi::kIfLnk;

// What `fill` takes of the task's namespaces.
template <typename Fill>
Result<path> ns_jump(const task_struct& task, Fill&& fill) {
    const RefPtr<nsproxy> proxy = get_task_nsproxy(task);
    if (!proxy) return Errno::NoEnt;  // it has ended
    ns_reference ns;
    fill(ns, *proxy);
    return ns_get_path(std::move(ns));
}

Result<path> ipc_jump(task_struct& task) {
    return ns_jump(task, [](ns_reference& ns, const nsproxy& proxy) { ns.ipc = proxy.ipc_ns; });
}
Result<path> mnt_jump(task_struct& task) {
    return ns_jump(task, [](ns_reference& ns, const nsproxy& proxy) { ns.mnt = proxy.mnt_ns; });
}
Result<path> uts_jump(task_struct& task) {
    return ns_jump(task, [](ns_reference& ns, const nsproxy& proxy) { ns.uts = proxy.uts_ns; });
}
Result<path> pid_for_children_jump(task_struct& task) {
    return ns_jump(task, [](ns_reference& ns, const nsproxy& proxy) { ns.pid = proxy.pid_ns_for_children; });
}
// A task stays where it began.
Result<path> pid_jump(task_struct& task) {
    ns_reference ns;
    ns.pid = RefPtr<pid_namespace>(&task_active_pid_ns(&task));
    return ns_get_path(std::move(ns));
}

constexpr pid_entry kNsEntries[] = {
    {.name = "ipc", .mode = kIfLnk | 0777, .jump = ipc_jump},
    {.name = "mnt", .mode = kIfLnk | 0777, .jump = mnt_jump},
    {.name = "pid", .mode = kIfLnk | 0777, .jump = pid_jump},
    {.name = "pid_for_children", .mode = kIfLnk | 0777, .jump = pid_for_children_jump},
    {.name = "uts", .mode = kIfLnk | 0777, .jump = uts_jump},
};

}  // namespace

constinit const pid_entries ns_entries{kNsEntries, sizeof(kNsEntries) / sizeof(kNsEntries[0]), nullptr, 0};

}  // namespace guest
