// What the file layer needs of the rest of the kernel.
#include "tests/guest_fs/host_kernel.hpp"

#include <cstdarg>
#include <cstdio>
#include <cstdlib>
#include <cstring>
#include <deque>
#include <new>

#include "guest/abi/signal.hpp"
#include "guest/fs/eventpoll.hpp"
#include "guest/fs/fown.hpp"
#include "guest/fs/special.hpp"
#include "guest/kernel/cred.hpp"
#include "guest/kernel/mutex.hpp"
#include "guest/kernel/pid.hpp"
#include "guest/kernel/random.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/kernel/signal.hpp"
#include "guest/kernel/wait.hpp"
#include "guest/lib/new.hpp"
#include "guest/lib/printk.hpp"
#include "guest/mm/memory.hpp"
#include "guest/mm/page.hpp"
#include "guest/mm/slab.hpp"
#include "guest/mm/uaccess.hpp"

namespace host_kernel {
namespace {

int64_t allocations = 0;
int64_t pages = 0;
uint64_t until_failure = 0;
bool failed = false;
std::deque<std::function<void()>> sleepers;
guest::cred user;
bool user_is_privileged = true;

bool fails_now() {
    if (until_failure == 0 || --until_failure != 0) return false;
    failed = true;
    return true;
}

}  // namespace

int64_t live_allocations() { return allocations; }
int64_t live_pages() { return pages; }
void fail_allocation(uint64_t nth) {
    until_failure = nth;
    failed = false;
}
bool failure_happened() { return failed; }

void become(uint32_t uid, uint32_t gid, bool privileged) {
    user.uid = user.euid = user.fsuid = uid;
    user.gid = user.egid = user.fsgid = gid;
    user_is_privileged = privileged;
}

void on_sleep(std::function<void()> other_task) { sleepers.push_back(std::move(other_task)); }

}  // namespace host_kernel

namespace guest {

using namespace host_kernel;

void panic(const char* format, ...) {
    char text[512];
    va_list args;
    va_start(args, format);
    std::vsnprintf(text, sizeof(text), format, args);
    va_end(args);
    throw Panic(text);
}

void printk(LogLevel, const char*, ...) {}

DEFINE_KMEM_CACHE(pid)
void pid::release() { delete this; }

void* kmalloc(size_t bytes) {
    if (fails_now()) return nullptr;
    void* memory = std::malloc(bytes == 0 ? 1 : bytes);
    if (memory != nullptr) ++allocations;
    return memory;
}

void* kzalloc(size_t bytes) {
    void* memory = kmalloc(bytes);
    if (memory != nullptr) std::memset(memory, 0, bytes);
    return memory;
}

void kfree(const void* memory) {
    if (memory == nullptr) return;
    --allocations;
    std::free(const_cast<void*>(memory));
}

void* kmem_cache_alloc(kmem_cache& cache) { return kmalloc(cache.object_size); }
void kmem_cache_free(kmem_cache&, void* object) { kfree(object); }

page* alloc_page(FrameUse use) {
    if (fails_now()) return nullptr;
    auto* frame = new page{};
    frame->use = use;
    frame->data = new char[kPageSize];
    std::memset(frame->data, 0xa5, kPageSize);
    ++pages;
    return frame;
}

page* alloc_zeroed_page(FrameUse use) {
    page* frame = alloc_page(use);
    if (frame != nullptr) std::memset(frame->data, 0, kPageSize);
    return frame;
}

void get_page(page* frame) { frame->_count.fetch_add(1); }

void put_page(page* frame) {
    const int32_t before = frame->_count.fetch_sub(1);
    BUG_ON(before <= 0);
    if (before != 1) return;
    delete[] frame->data;
    delete frame;
    --pages;
}

uint64_t total_ram_pages() { return 1024; }

void unmap_mapping_range(address_space&, uint64_t index, uint64_t, Unmap) { unmapped_from = index; }

task_struct* current() { return nullptr; }
uint64_t ktime_get_real() { return now; }

void mutex::lock(const char*) {
    BUG_ON(held_spinlocks != 0);
    BUG_ON(owner_ != nullptr);  // one task: it would wait for itself
    owner_ = reinterpret_cast<task_struct*>(this);
}
void mutex::unlock() {
    BUG_ON(owner_ == nullptr);
    owner_ = nullptr;
}

void prepare_to_wait(wait_queue_head&, wait_queue_entry&, TaskState) { BUG_ON(held_spinlocks != 0); }
void finish_wait(wait_queue_head&, wait_queue_entry&) {}
void wake_up(wait_queue_head&, int, uint32_t) {}
void wake_up_all(wait_queue_head&) {}
bool signal_pending_state(TaskState) { return signal_is_pending; }
bool signal_pending(const task_struct*) { return signal_is_pending; }
void cond_resched() {}
Result<> shmem_acct_block() { return {}; }
void vm_unacct_memory(uint64_t) {}
void schedule(const char*) {
    if (sleepers.empty()) panic("asleep for ever");
    auto other_task = std::move(sleepers.front());
    sleepers.pop_front();
    other_task();
}
uint64_t schedule_timeout(uint64_t, const char* where) {
    schedule(where);
    return 0;
}
uint64_t file_size_limit() { return ~uint64_t{0}; }
void send_sig(int sig, task_struct*) { signals.push_back(sig); }

const cred& current_cred() { return user; }
bool capable(unsigned) { return user_is_privileged; }
bool in_group_p(gid_t gid) { return user.fsgid == gid; }
void user_struct::release() { std::abort(); }

// Areas are memory management's; here nobody maps anything.
Result<> zero_mmap(file&, vm_area_struct&) { return Errno::NoMem; }

void get_random_bytes(void* to, size_t bytes) { std::memset(to, 0x42, bytes); }

bool access_ok(VirtAddr address, uint64_t bytes) { return address.raw() + bytes >= address.raw(); }

size_t copy_to_user_partial(VirtAddr to, const void* from, size_t bytes) {
    BUG_ON(held_spinlocks != 0);
    if (to.raw() < kBadAddresses) return bytes;
    std::memcpy(reinterpret_cast<void*>(to.raw()), from, bytes);
    return 0;
}

size_t copy_from_user_partial(void* to, VirtAddr from, size_t bytes) {
    BUG_ON(held_spinlocks != 0);
    if (from.raw() < kBadAddresses) return bytes;
    std::memcpy(to, reinterpret_cast<const void*>(from.raw()), bytes);
    return 0;
}

Result<> copy_to_user(VirtAddr to, const void* from, size_t bytes) {
    if (copy_to_user_partial(to, from, bytes) != 0) return Errno::Fault;
    return {};
}

// Nobody is told by a signal.
void fasync_add(file&, fasync_list&, int) {}
void fasync_remove(file&) {}
void kill_fasync(fasync_list&, int32_t) {}

// Nor by epoll.
void eventpoll_release(file&) {}

}  // namespace guest

// Counted like all other memory of the kernel. The ordinary delete frees what the ordinary new made, so that
// these are not counted: only what has its own cache, or comes from kmalloc, is.
void* operator new(size_t bytes, const guest::NoThrow&) noexcept {
    return host_kernel::fails_now() ? nullptr : ::operator new(bytes, std::nothrow);
}
void* operator new[](size_t bytes, const guest::NoThrow&) noexcept {
    return host_kernel::fails_now() ? nullptr : ::operator new[](bytes, std::nothrow);
}
// A constructor that throws ends a test; only here, where there are exceptions, can it happen.
void operator delete(void* memory, const guest::NoThrow&) noexcept { ::operator delete(memory); }
