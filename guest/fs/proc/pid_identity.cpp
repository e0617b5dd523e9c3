// Who a task is to others: the maps of its user namespace, which is the first and only one, its control
// group, and the login that it comes from.
#include "guest/fs/proc/pid_files.hpp"
#include "guest/kernel/capability.hpp"
#include "guest/lib/string.hpp"

namespace guest {

// Every id is itself.
Result<> id_map_show(proc_text& m, task_struct&) {
    m.printf("%10u %10u %10u\n", 0U, 0U, ~0U);
    return {};
}

// A map is written once, and the first namespace's is there from the start.
Result<size_t> id_map_write(task_struct&, char*, size_t) { return Errno::Perm; }

Result<> setgroups_show(proc_text& m, task_struct&) {
    m.puts("allow\n");
    return {};
}

// What is allowed once there is a map cannot be denied any more.
Result<size_t> setgroups_write(task_struct&, char* text, size_t bytes) {
    constexpr size_t kAllow = 5, kDeny = 4;
    const bool allow = strncmp(text, "allow", kAllow) == 0;
    if (!allow && strncmp(text, "deny", kDeny) != 0) return Errno::Inval;
    const char* rest = text + (allow ? kAllow : kDeny);
    while (*rest == ' ' || *rest == '\n') ++rest;
    if (*rest != '\0') return Errno::Inval;
    if (!allow) return Errno::Perm;
    return bytes;
}

// There is no controller; all are in the root of the one hierarchy.
Result<> cgroup_show(proc_text& m, task_struct&) {
    m.puts("0::/\n");
    return {};
}

Result<> loginuid_show(proc_text& m, task_struct& task) {
    m.printf("%u", task.loginuid);
    return {};
}

// One's own. Once it is set only the privileged may set another.
Result<size_t> loginuid_write(task_struct& task, char* text, size_t bytes) {
    static constinit uint32_t last_session = 0;
    if (&task != current()) return Errno::Perm;
    const char* end = text;
    const uint64_t wanted = simple_strtoull(text, &end, 10);
    while (*end == ' ' || *end == '\n') ++end;
    if (end == text || *end != '\0' || wanted > kNoLogin) return Errno::Inval;
    if (task.loginuid != kNoLogin && !capable(kCapAuditControl)) return Errno::Perm;
    task.loginuid = static_cast<uint32_t>(wanted);
    task.sessionid = wanted == kNoLogin ? kNoLogin : ++last_session;
    return bytes;
}

Result<> sessionid_show(proc_text& m, task_struct& task) {
    m.printf("%u", task.sessionid);
    return {};
}

}  // namespace guest
