// /proc/<pid>/cmdline, environ and auxv: what stands in a task's own memory, or stood on its stack at the
// start.
#include "guest/fs/proc/pid_files.hpp"
#include "guest/mm/memory.hpp"

namespace guest {

namespace {

// Calls take(bytes, count) with the memory in [from, to), piece by piece, until that says false or the memory
// ends.
template <typename Take>
void read_remote(mm_struct& mm, VirtAddr from, VirtAddr to, Take&& take) {
    while (from < to) {
        Result<page*> got = get_user_page(mm, from, FaultFlags{});
        if (!got.ok()) return;
        page* frame = got.value();
        const uint64_t room = kPageSize - from.page_offset();
        const uint64_t part = to - from < room ? to - from : room;
        const bool more = take(static_cast<const char*>(page_address(frame)) + from.page_offset(), part);
        put_page(frame);
        if (!more) return;
        from += part;
    }
}

struct Strings {
    VirtAddr arg_start, arg_end, env_start, env_end;
};
Strings strings_of(mm_struct& mm) {
    const read_guard guard(mm.mmap_sem);
    return {mm.arg_start, mm.arg_end, mm.env_start, mm.env_end};
}

}  // namespace

// A program that wrote a title over its arguments, and on over its environment, is shown up to the title's
// end.
Result<> cmdline_show(proc_text& m, task_struct& task) {
    const auto mm = get_task_mm(task);
    if (!mm) return {};
    const Strings at = strings_of(*mm);
    char last = '\0';
    read_remote(*mm, at.arg_start, at.arg_end, [&](const char* bytes, size_t count) {
        m.write(bytes, count);
        last = bytes[count - 1];
        return true;
    });
    if (last == '\0') return {};
    read_remote(*mm, at.arg_end, at.env_end, [&](const char* bytes, size_t count) {
        size_t length = 0;
        while (length < count && bytes[length] != '\0') ++length;
        m.write(bytes, length < count ? length + 1 : count);
        return length == count;
    });
    return {};
}

Result<> environ_show(proc_text& m, task_struct&) {
    const auto mm = mmget_not_zero(m.mm);
    if (!mm) return {};
    const Strings at = strings_of(*mm);
    read_remote(*mm, at.env_start, at.env_end, [&](const char* bytes, size_t count) {
        m.write(bytes, count);
        return true;
    });
    return {};
}

// Up to the pair that ends it.
Result<> auxv_show(proc_text& m, task_struct&) {
    const auto mm = mmget_not_zero(m.mm);
    if (!mm) return {};
    unsigned words = 0;
    do {
        words += 2;
    } while (words < mm_struct::kAuxWords && mm->saved_auxv[words - 2] != 0);
    m.write(mm->saved_auxv, words * sizeof(uint64_t));
    return {};
}

}  // namespace guest
