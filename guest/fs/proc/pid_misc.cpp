// Small files of a task: comm, limits, io, personality.
#include "guest/fs/proc/pid_files.hpp"
#include "guest/kernel/ptrace.hpp"
#include "guest/lib/string.hpp"

namespace guest {

Result<> comm_show(proc_text& m, task_struct& task) {
    m.puts(task.comm);
    m.putc('\n');
    return {};
}

// Only by a thread of the same process. What does not fit is taken and forgotten.
Result<size_t> comm_write(task_struct& task, char* text, size_t bytes) {
    if (!same_thread_group(current(), &task)) return Errno::Inval;
    set_task_comm(&task, text);
    return bytes;
}

Result<> personality_show(proc_text& m, task_struct& task) {
    if (!ptrace_may_access(task)) return Errno::Perm;
    m.printf("%08x\n", task.personality);
    return {};
}

// The processes that this thread made, in the order in which it made them.
Result<> children_show(proc_text& m, task_struct& task) {
    const spinlock_guard guard(tasklist_lock);
    for (list_head* node = task.children.next; node != &task.children; node = node->next) {
        const task_struct& child = *list_entry<task_struct, &task_struct::sibling>(node);
        m.printf("%d ", pid_nr_ns(child.thread_pid.get(), m.ns()));
    }
    return {};
}

Result<> coredump_filter_show(proc_text& m, task_struct& task) {
    if (const MmRef mm = get_task_mm(task)) m.printf("%08x\n", mm->dump_filter);
    return {};
}

// Decimal, octal or hexadecimal; bits that mean nothing are dropped.
Result<size_t> coredump_filter_write(task_struct& task, char* text, size_t bytes) {
    constexpr uint64_t kKnown = 0x1ff;
    const char* end = text;
    const uint64_t value = simple_strtoull(text, &end, 0);
    while (*end == ' ' || *end == '\n') ++end;
    if (end == text || *end != '\0' || value > UINT32_MAX) return Errno::Inval;
    const MmRef mm = get_task_mm(task);
    if (!mm) return Errno::Srch;
    mm->dump_filter = static_cast<uint32_t>(value & kKnown);
    return bytes;
}

namespace {

struct LimitName {
    const char* name;
    const char* unit;
};
// By number.
constexpr LimitName kLimits[abi::kRlimits] = {
    {"Max cpu time", "seconds"},    {"Max file size", "bytes"},      {"Max data size", "bytes"},
    {"Max stack size", "bytes"},    {"Max core file size", "bytes"}, {"Max resident set", "bytes"},
    {"Max processes", "processes"}, {"Max open files", "files"},     {"Max locked memory", "bytes"},
    {"Max address space", "bytes"}, {"Max file locks", "locks"},     {"Max pending signals", "signals"},
    {"Max msgqueue size", "bytes"}, {"Max nice priority", ""},       {"Max realtime priority", ""},
    {"Max realtime timeout", "us"},
};

void put_limit(seq_file& m, uint64_t value) {
    if (value == abi::kRlimInfinity) {
        m.printf("%-20s ", "unlimited");
    } else {
        m.printf("%-20lu ", value);
    }
}

}  // namespace

Result<> limits_show(proc_text& m, task_struct& task) {
    m.printf("%-25s %-20s %-20s %-10s\n", "Limit", "Soft Limit", "Hard Limit", "Units");
    for (unsigned i = 0; i < abi::kRlimits; ++i) {
        const abi::RlimitPair limit = task.signal->rlim[i];
        m.printf("%-25s ", kLimits[i].name);
        put_limit(m, limit.current);
        put_limit(m, limit.maximum);
        if (kLimits[i].unit[0] != '\0') m.printf("%-10s", kLimits[i].unit);
        m.putc('\n');
    }
    return {};
}

namespace {

// There is no disk: no byte ever comes from storage or goes there.
Result<> put_io(proc_text& m, const task_struct& task, const io_accounting& io) {
    if (!ptrace_may_access(task)) return Errno::Access;
    m.printf("rchar: %lu\nwchar: %lu\nsyscr: %lu\nsyscw: %lu\n", io.rchar, io.wchar, io.syscr, io.syscw);
    m.puts("read_bytes: 0\nwrite_bytes: 0\ncancelled_write_bytes: 0\n");
    return {};
}

}  // namespace

Result<> tid_io_show(proc_text& m, task_struct& task) { return put_io(m, task, task.ioac); }

Result<> tgid_io_show(proc_text& m, task_struct& task) {
    io_accounting sum;
    {
        const spinlock_guard guard(tasklist_lock);
        sum = task.signal->ioac;
        for_each_thread(&task, [&](const task_struct& thread) { sum.add(thread.ioac); });
    }
    return put_io(m, task, sum);
}

}  // namespace guest
