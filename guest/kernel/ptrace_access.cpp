// Reading and writing the memory of another process, page by page through the direct map.
#include "guest/kernel/ptrace.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/string.hpp"
#include "guest/mm/memory.hpp"

namespace guest {

size_t access_process_vm(task_struct& task, VirtAddr at, void* buffer, size_t bytes, Access access) {
    const MmRef mm = get_task_mm(task);
    return mm ? access_remote_vm(*mm, at, buffer, bytes, access) : 0;
}

size_t access_remote_vm(mm_struct& mm, VirtAddr at, void* buffer, size_t bytes, Access access) {
    FaultFlags flags;
    flags.write = access == Access::Write;
    flags.force = true;
    size_t done = 0;
    while (done < bytes) {
        const uint64_t room = kPageSize - at.page_offset();
        const size_t part = bytes - done < room ? bytes - done : room;
        Result<page*> frame = get_user_page(mm, at, flags);
        if (!frame) break;
        char* there = static_cast<char*>(page_address(frame.value())) + at.page_offset();
        char* here = static_cast<char*>(buffer) + done;
        memcpy(flags.write ? there : here, flags.write ? here : there, part);
        put_page(frame.value());
        at += part;
        done += part;
    }
    return done;
}

}  // namespace guest
