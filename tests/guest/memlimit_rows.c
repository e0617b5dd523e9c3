// Resource limits on memory, each at its edge by each call that it is for.
#include "proc_text.h"

#include <sys/shm.h>

static void limit(int which, rlim_t value) {
    struct rlimit now;
    CHECK(getrlimit(which, &now) == 0);
    now.rlim_cur = value;
    CHECK(setrlimit(which, &now) == 0);
}
static long status_pages(const char* name) { return proc_number(proc_read("/proc/self/status"), name) / 4; }
static char* try_map(size_t pages, int prot, int flags) {
    return mmap(NULL, pages * PAGE, prot, flags | MAP_ANONYMOUS, -1, 0);
}
#define REFUSED(call) (errno = 0, (call) == MAP_FAILED && errno == ENOMEM)

ROWS(address_space, "F12") {
    char* pages = map_pages(4, MAP_PRIVATE);
    const int id = shmget(IPC_PRIVATE, 11 * PAGE, 0600);
    char* heap = set_break(NULL);
    CHECK(id >= 0);
    (void)status_pages("VmSize");
    limit(RLIMIT_AS, (rlim_t)(status_pages("VmSize") + 10) * PAGE + 100);
    CHECK(REFUSED(try_map(11, PROT_NONE, MAP_PRIVATE)) && REFUSED(try_map(11, PROT_READ, MAP_SHARED)));
    char* most = try_map(10, PROT_NONE, MAP_PRIVATE);
    CHECK(most != MAP_FAILED && REFUSED(try_map(1, PROT_NONE, MAP_PRIVATE)) && munmap(most, 10 * PAGE) == 0);
    CHECK(set_break(heap + 11 * PAGE) == heap && set_break(heap + 10 * PAGE) == heap + 10 * PAGE && set_break(heap) == heap);
    CHECK(REFUSED(mremap(pages, 4 * PAGE, 15 * PAGE, MREMAP_MAYMOVE)));
    CHECK(shmat(id, NULL, 0) == (void*)-1 && errno == ENOMEM);
    CHECK(shmctl(id, IPC_RMID, NULL) == 0);
    char* grown = mremap(pages, 4 * PAGE, 14 * PAGE, MREMAP_MAYMOVE);
    CHECK(grown != MAP_FAILED && munmap(grown + 4 * PAGE, 10 * PAGE) == 0);
    // What replaces something needs no more.
    CHECK(mmap(grown, 4 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == grown);
    wait_exit(IN_CHILD({ CHECK(REFUSED(try_map(11, PROT_NONE, MAP_PRIVATE))); }), 0);
}

ROWS(stack_within_the_address_space, "F12") {
    const pid_t pid = IN_CHILD({
        (void)status_pages("VmSize");
        limit(RLIMIT_AS, (rlim_t)(status_pages("VmSize") + 10) * PAGE);
        char here = 0;
        volatile char* deep = opaque((uintptr_t)&here - 400 * PAGE);
        *deep = 1;
    });
    const int status = wait_status(pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

ROWS(data, "F12") {
    char* pages = map_pages(4, MAP_PRIVATE);
    char* readable = try_map(64, PROT_READ, MAP_PRIVATE);
    (void)status_pages("VmData");
    limit(RLIMIT_DATA, (rlim_t)(status_pages("VmData") + 10) * PAGE);
    CHECK(REFUSED(try_map(11, PROT_READ | PROT_WRITE, MAP_PRIVATE)));
    char* most = try_map(10, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    CHECK(most != MAP_FAILED && REFUSED(try_map(1, PROT_WRITE, MAP_PRIVATE)) && munmap(most, 10 * PAGE) == 0);
    CHECK(REFUSED(mremap(pages, 4 * PAGE, 15 * PAGE, MREMAP_MAYMOVE)));
    CHECK_ERROR(mprotect(readable, 11 * PAGE, PROT_READ | PROT_WRITE), ENOMEM);
    CHECK(mprotect(readable, 10 * PAGE, PROT_READ | PROT_WRITE) == 0);
    CHECK(try_map(100, PROT_READ | PROT_WRITE, MAP_SHARED) != MAP_FAILED && try_map(100, PROT_READ, MAP_PRIVATE) != MAP_FAILED);
    // brk is told by what the heap and the program's data are, whatever else there is.
    char* heap = set_break(NULL);
    limit(RLIMIT_DATA, 0);
    CHECK(set_break(heap + PAGE) == heap);
    // 0 means the heap alone: the hard limit is what counts for others.
    CHECK(try_map(10, PROT_READ | PROT_WRITE, MAP_PRIVATE) != MAP_FAILED);
}

static volatile char* stack_end;
static void reach_down(void* bytes) {
    char here = 0;
    stack_end = opaque((uintptr_t)&here - (uintptr_t)bytes);
    *stack_end = 1;
}
// How far the stack reaches: from its top, which /proc tells.
ROWS(stack, "F12") {
    struct area area;
    char here = 0;
    CHECK(find_area("/proc/self/maps", &here, &area));
    const uintptr_t used = area.end - (uintptr_t)&here;
    enum { kLimit = 600 * PAGE };
    limit(RLIMIT_STACK, kLimit);
    // A signal needs a stack of its own when there is no more of the other.
    static char other[16 * PAGE];
    const stack_t stack = {.ss_sp = other, .ss_size = sizeof(other)};
    CHECK(sigaltstack(&stack, NULL) == 0);
    CHECK(fault_of(reach_down, (void*)(kLimit - used - 8 * PAGE)) == 0);
    CHECK(find_area("/proc/self/maps", &here, &area) && area.end - area.start <= kLimit);
    wait_exit(IN_CHILD({
                  const struct sigaction action = {.sa_handler = _exit, .sa_flags = SA_ONSTACK};
                  CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
                  volatile char* beyond = opaque(area.end - kLimit - PAGE);
                  *beyond = 1;
              }),
              SIGSEGV);
    volatile char* last = opaque(area.end - kLimit);
    *last = 1;
    CHECK(find_area("/proc/self/maps", &here, &area) && area.end - area.start == kLimit);
}

ROWS(locked_memory, "F12,F4") {
    CHECK(setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0);
    limit(RLIMIT_MEMLOCK, 10 * PAGE + 100);
    char* pages = map_pages(20, MAP_PRIVATE);
    CHECK_ERROR(mlock(pages, 11 * PAGE), ENOMEM);
    CHECK(mlock(pages, 10 * PAGE) == 0);
    CHECK_ERROR(mlock(pages + 10 * PAGE, PAGE), ENOMEM);
    CHECK_ERROR((int)syscall(SYS_mlock2, pages + 10 * PAGE, PAGE, 1), ENOMEM);
    CHECK(munlock(pages, PAGE) == 0 && mlock(pages + 10 * PAGE, PAGE) == 0 && munlock(pages, 20 * PAGE) == 0);
    CHECK((errno = 0, try_map(11, PROT_READ, MAP_PRIVATE | MAP_LOCKED)) == MAP_FAILED && errno == EAGAIN);
    char* locked = try_map(10, PROT_READ, MAP_PRIVATE | MAP_LOCKED);
    CHECK(locked != MAP_FAILED && (errno = 0, mremap(locked, 10 * PAGE, 11 * PAGE, MREMAP_MAYMOVE)) == MAP_FAILED && errno == EAGAIN);
    CHECK(munmap(locked, 10 * PAGE) == 0 && mlockall(MCL_FUTURE) == 0);
    char* heap = set_break(NULL);
    CHECK(set_break(heap + 11 * PAGE) == heap && set_break(heap + 10 * PAGE) == heap + 10 * PAGE && set_break(heap) == heap);
    CHECK_ERROR(mlockall(MCL_CURRENT), ENOMEM);
    CHECK(munlockall() == 0);
    // A segment is locked for its user.
    const int id = shmget(IPC_PRIVATE, 11 * PAGE, 0600);
    CHECK(id >= 0);
    CHECK_ERROR(shmctl(id, SHM_LOCK, NULL), ENOMEM);
    limit(RLIMIT_MEMLOCK, 11 * PAGE);
    CHECK(shmctl(id, SHM_LOCK, NULL) == 0 && shmctl(id, SHM_UNLOCK, NULL) == 0 && shmctl(id, IPC_RMID, NULL) == 0);
}
