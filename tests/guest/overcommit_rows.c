// How much memory is promised, and how much may be: /proc/sys/vm/overcommit_*, CommitLimit and Committed_AS. The settings
// are those of the whole machine, and not touched on a host.
#include "proc_text.h"

#include <sys/shm.h>

enum { kGuess, kAlways, kNever };

static long meminfo(const char* name) { return proc_number(proc_read("/proc/meminfo"), name); }
static long committed(void) { return meminfo("Committed_AS") / 4; }

static int write_number(const char* name, long number) {
    char path[64], text[32];
    snprintf(path, sizeof(path), "/proc/sys/vm/%s", name);
    const int length = snprintf(text, sizeof(text), "%ld\n", number);
    const int fd = open(path, O_WRONLY);
    CHECK(fd >= 0);
    const ssize_t done = write(fd, text, (size_t)length);
    const int error = errno;
    close(fd);
    errno = error;
    return done == length ? 0 : -1;
}
static long read_number(const char* name) { return strtol(proc_read("/proc/sys/vm/%s", name), NULL, 10); }
// Back to what it was when the test ends.
static void restore(void) {
    write_number("overcommit_ratio", 50);
    write_number("overcommit_memory", kGuess);
}

static char* try_map(size_t pages, int prot, int flags) {
    return mmap(NULL, pages * PAGE, prot, flags | MAP_ANONYMOUS, -1, 0);
}
static size_t all_pages(void) {
    struct sysinfo info;
    CHECK(sysinfo(&info) == 0);
    return (size_t)(info.totalram * info.mem_unit / PAGE);
}
#define REFUSED(call) (errno = 0, (call) == MAP_FAILED && errno == ENOMEM)

ROWS(more_than_the_machine_has, "F2") {
    if (read_number("overcommit_memory") != kGuess) return;
    const size_t too_much = all_pages() * 5 / 4 + 1024;
    CHECK(REFUSED(try_map(too_much, PROT_READ | PROT_WRITE, MAP_PRIVATE)));
    CHECK(REFUSED(try_map(too_much, PROT_READ, MAP_SHARED)));
    char* unpromised = try_map(too_much, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE);
    CHECK(unpromised != MAP_FAILED);
    CHECK(try_map(too_much, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE) != MAP_FAILED);
    char* readable = try_map(too_much, PROT_READ, MAP_PRIVATE);
    CHECK(readable != MAP_FAILED);
    CHECK_ERROR(mprotect(readable, too_much * PAGE, PROT_READ | PROT_WRITE), ENOMEM);
    CHECK(mprotect(unpromised, too_much * PAGE, PROT_READ) == 0);
    CHECK(mprotect(unpromised, too_much * PAGE, PROT_READ | PROT_WRITE) == 0);
    char* small = map_pages(1, MAP_PRIVATE);
    CHECK(REFUSED(mremap(small, PAGE, too_much * PAGE, MREMAP_MAYMOVE)));
    char* heap = set_break(NULL);
    CHECK(set_break(heap + too_much * PAGE) == heap);
    CHECK_ERROR(shmget(IPC_PRIVATE, too_much * PAGE, 0600), ENOMEM);
}

ROWS(the_limit_is_told, "S6") {
    const long ratio = read_number("overcommit_ratio"), kbytes = read_number("overcommit_kbytes");
    const long total = meminfo("MemTotal") / 4, limit = meminfo("CommitLimit") / 4, swap = meminfo("SwapTotal") / 4;
    CHECK(limit == (kbytes != 0 ? kbytes / 4 : total * ratio / 100) + swap);
    CHECK(read_number("user_reserve_kbytes") >= 0 && read_number("admin_reserve_kbytes") >= 0 && committed() > 0);
}

// Each kind of mapping, from the call that promises it to the one that takes the promise back.
GUEST_ROWS(promises_are_counted, "S6,W10") {
    const long before = committed();
    char* private = map_pages(100, MAP_PRIVATE);
    CHECK(committed() == before + 100);
    private[0] = 1;
    CHECK(committed() == before + 100);
    CHECK(mprotect(private, 50 * PAGE, PROT_READ) == 0 && committed() == before + 100);
    CHECK(munmap(private + 90 * PAGE, 10 * PAGE) == 0 && committed() == before + 90);
    private = mremap(private + 50 * PAGE, 40 * PAGE, 60 * PAGE, MREMAP_MAYMOVE);
    CHECK(private != MAP_FAILED && committed() == before + 110);
    char* readable = try_map(10, PROT_READ, MAP_PRIVATE);
    CHECK(committed() == before + 110 && mprotect(readable, 4 * PAGE, PROT_READ | PROT_WRITE) == 0);
    CHECK(committed() == before + 114 && mprotect(readable, 4 * PAGE, PROT_READ) == 0 && committed() == before + 114);
    CHECK(mprotect(readable, 10 * PAGE, PROT_READ | PROT_WRITE) == 0 && committed() == before + 120);
    CHECK(try_map(10, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE) != MAP_FAILED && committed() == before + 120);
    char* shared = map_pages(7, MAP_SHARED);
    char* again = mremap(shared, 0, 7 * PAGE, MREMAP_MAYMOVE);
    CHECK(again != MAP_FAILED && committed() == before + 127);
    CHECK(munmap(shared, 7 * PAGE) == 0 && committed() == before + 127 && munmap(again, 7 * PAGE) == 0);
    CHECK(committed() == before + 120);
    char* left = mremap(readable, 5 * PAGE, 5 * PAGE, MREMAP_MAYMOVE | 4 /* DONTUNMAP */, NULL);
    CHECK(left != MAP_FAILED && committed() == before + 125);
    char* heap = set_break(NULL);
    CHECK(set_break(heap + 9 * PAGE) == heap + 9 * PAGE && committed() == before + 134 && set_break(heap) == heap);
    CHECK(committed() == before + 125);
    const int id = shmget(IPC_PRIVATE, 6 * PAGE, 0600);
    CHECK(id >= 0 && committed() == before + 131 && shmctl(id, IPC_RMID, NULL) == 0 && committed() == before + 125);
    // Memory as a file is promised by the page.
    const int fd = (int)syscall(SYS_memfd_create, "rows", 0);
    CHECK(fd >= 0 && ftruncate(fd, 50 * PAGE) == 0 && committed() == before + 125);
    CHECK(fallocate(fd, 0, 0, 8 * PAGE) == 0 && committed() == before + 133 && ftruncate(fd, 3 * PAGE) == 0);
    CHECK(committed() == before + 128 && close(fd) == 0 && committed() == before + 125);
    // All of this process's, but for what is shared, is promised to a child.
    int go[2];
    CHECK(pipe(go) == 0);
    const pid_t pid = IN_CHILD({
        char byte;
        close(go[1]);
        CHECK(read(go[0], &byte, 1) == 0);
    });
    CHECK(committed() >= 2 * 125);
    close(go[0]), close(go[1]);
    wait_exit(pid, 0);
    CHECK(committed() == before + 125);
}

GUEST_ROWS(settings_are_checked, "S6") {
    CHECK_ERROR(write_number("overcommit_memory", 3), EINVAL);
    CHECK_ERROR(write_number("overcommit_memory", -1), EINVAL);
    CHECK(write_number("overcommit_memory", kAlways) == 0 && read_number("overcommit_memory") == kAlways);
    CHECK(try_map(all_pages() * 2, PROT_READ | PROT_WRITE, MAP_PRIVATE) != MAP_FAILED);
    CHECK(write_number("overcommit_kbytes", 4096) == 0 && read_number("overcommit_ratio") == 0);
    CHECK(meminfo("CommitLimit") == 4096);
    CHECK(write_number("overcommit_ratio", 80) == 0 && read_number("overcommit_kbytes") == 0);
    CHECK(meminfo("CommitLimit") / 4 == meminfo("MemTotal") / 4 * 80 / 100);
    restore();
}

// The limit is `room` pages above what is promised now (root's part of the reserves is the user's, of total_vm / 32).
static void leave_room(long room) {
    CHECK(write_number("user_reserve_kbytes", 0) == 0);
    CHECK(write_number("overcommit_kbytes", (committed() + room) * 4) == 0 && write_number("overcommit_memory", kNever) == 0);
}

GUEST_ROWS(no_more_than_the_limit, "F2,F12") {
    const long reserve = read_number("user_reserve_kbytes");
    char* readable = try_map(64, PROT_READ, MAP_PRIVATE);
    char* grows = map_pages(2, MAP_PRIVATE);
    char* heap = set_break(NULL);
    (void)read_number("overcommit_memory");
    leave_room(41);
    // Each at its edge: 40 pages are promised, 41 are not.
    CHECK(REFUSED(try_map(41, PROT_READ | PROT_WRITE, MAP_PRIVATE)) && REFUSED(try_map(41, PROT_READ, MAP_SHARED)));
    char* most = try_map(40, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    CHECK(most != MAP_FAILED && REFUSED(try_map(1, PROT_READ | PROT_WRITE, MAP_PRIVATE)));
    // Nobody can do without a promise.
    CHECK(REFUSED(try_map(1, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_NORESERVE)));
    CHECK(try_map(100, PROT_READ, MAP_PRIVATE) != MAP_FAILED && munmap(most, 40 * PAGE) == 0);
    CHECK(REFUSED(mremap(grows, 2 * PAGE, 43 * PAGE, MREMAP_MAYMOVE)));
    CHECK_ERROR(mprotect(readable, 41 * PAGE, PROT_READ | PROT_WRITE), ENOMEM);
    CHECK(set_break(heap + 41 * PAGE) == heap && set_break(heap + 40 * PAGE) == heap + 40 * PAGE && set_break(heap) == heap);
    CHECK_ERROR(shmget(IPC_PRIVATE, 41 * PAGE, 0600), ENOMEM);
    const int fd = (int)syscall(SYS_memfd_create, "rows", 0);
    CHECK_ERROR(fallocate(fd, 0, 0, 41 * PAGE), ENOSPC);
    CHECK(fallocate(fd, 0, 0, 40 * PAGE) == 0 && close(fd) == 0);
    grows = mremap(grows, 2 * PAGE, 42 * PAGE, MREMAP_MAYMOVE);
    CHECK(grows != MAP_FAILED && munmap(grows + 2 * PAGE, 40 * PAGE) == 0);
    // A fork is promised all that its parent was.
    char* much = try_map(39, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    CHECK(much != MAP_FAILED);
    CHECK_ERROR(fork(), ENOMEM);
    const pid_t borrower = vfork();
    if (borrower == 0) _exit(0);
    CHECK(borrower > 0);
    wait_exit(borrower, 0);
    CHECK(munmap(much, 39 * PAGE) == 0 && mprotect(readable, 40 * PAGE, PROT_READ | PROT_WRITE) == 0);
    CHECK(write_number("user_reserve_kbytes", reserve) == 0);
    restore();
    wait_exit(IN_CHILD({}), 0);
}

GUEST_ROWS(reserves_are_kept, "F12") {
    // For the privileged: this user has none of it.
    leave_room(300);
    CHECK(write_number("admin_reserve_kbytes", 200 * 4) == 0);
    char* mine = try_map(200, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    CHECK(mine != MAP_FAILED && munmap(mine, 200 * PAGE) == 0);
    const pid_t pid = vfork();
    if (pid == 0) {
        const bool fine = syscall(SYS_setuid, 1000) == 0 && try_map(200, PROT_READ | PROT_WRITE, MAP_PRIVATE) == MAP_FAILED &&
                          try_map(60, PROT_READ | PROT_WRITE, MAP_PRIVATE) != MAP_FAILED;
        _exit(fine ? 0 : 1);
    }
    restore();
    wait_exit(pid, 0);
}

GUEST_ROWS(stacks_are_promised, "F2") {
    const long before = committed();
    char here = 0;
    volatile char* deep = opaque((uintptr_t)&here - 64 * PAGE);
    *deep = 1;
    CHECK(committed() >= before + 60);
}
