#include "guest/fs/proc/sysctl_ipc.hpp"

#include "guest/kernel/sched.hpp"
#include "guest/lib/string.hpp"

namespace guest {

ipc_limits& current_ipc_limits() { return current()->nsproxy->ipc_ns->limits; }

Result<int64_t> sysctl_number(const char* text, int64_t least, int64_t most) {
    Result<int64_t> parsed = proc_parse_int(text);
    if (!parsed.ok()) return Errno::Inval;
    const int64_t value = parsed.value();
    if (value < least || value > most) return Errno::Inval;
    return value;
}

Result<> sysctl_show(proc_text& m, int64_t value) {
    m.printf("%ld\n", value);
    return {};
}

Result<uint64_t> sysctl_large(const char* text) {
    while (*text == ' ' || *text == '\t') ++text;
    const char* end = text;
    const uint64_t value = simple_strtoull(text, &end, 10);
    if (end == text || (*end != '\0' && *end != '\n' && *end != ' ')) return Errno::Inval;
    return value;
}

namespace {

constexpr int64_t ipc_limits::*kSemLimits[] = {&ipc_limits::semmsl, &ipc_limits::semmns, &ipc_limits::semopm,
                                               &ipc_limits::semmni};

}  // namespace

Result<> sem_limits_show(proc_text& m) {
    const ipc_limits& limits = current_ipc_limits();
    m.printf("%ld\t%ld\t%ld\t%ld\n", limits.semmsl, limits.semmns, limits.semopm, limits.semmni);
    return {};
}

// As many of them as are there; the others stay.
Result<size_t> sem_limits_write(char* text, size_t bytes) {
    ipc_limits wanted = current_ipc_limits();
    for (int64_t ipc_limits::*limit : kSemLimits) {
        while (*text == ' ' || *text == '\t' || *text == '\n') ++text;
        if (*text == '\0') break;
        const char* end = text;
        const uint64_t value = simple_strtoull(text, &end, 10);
        if (end == text || value > INT32_MAX) return Errno::Inval;
        wanted.*limit = static_cast<int64_t>(value);
        text += end - text;
    }
    if (wanted.semmni > kIpcMostObjects) return Errno::Range;
    current_ipc_limits() = wanted;
    return bytes;
}

}  // namespace guest
