// Memory locks.
#include "rows.h"

#include <sys/stat.h>

#ifndef MLOCK_ONFAULT
#define MLOCK_ONFAULT 1
#endif
#ifndef MCL_ONFAULT
#define MCL_ONFAULT 4
#endif

// A line of /proc/self/status in KiB; -1 where there is no /proc.
static long status_kb(const char* name) {
    if (access("/proc/self/status", R_OK) != 0 && on_guest()) {
        mkdir("/proc", 0555);
        syscall(SYS_mount, "proc", "/proc", "proc", 0, NULL);
    }
    // No allocation: it would be locked too.
    static char text[8192];
    const int fd = open("/proc/self/status", O_RDONLY);
    if (fd < 0) return -1;
    const ssize_t length = read(fd, text, sizeof(text) - 1);
    close(fd);
    text[length > 0 ? length : 0] = '\0';
    const char* at = strstr(text, name);
    return at != NULL ? strtol(at + strlen(name), NULL, 10) : -1;
}
#define CHECK_LOCKED(pages)                                             \
    do {                                                                \
        const long locked_ = status_kb("VmLck:");                       \
        if (locked_ != -1) CHECK(locked_ == (long)(pages) * PAGE / 1024); \
    } while (0)

static int resident(char* at) {
    unsigned char vec = 0;
    CHECK(mincore(at, PAGE, &vec) == 0);
    return vec & 1;
}
static int mlock_two(void* at, size_t bytes, int flags) { return (int)syscall(SYS_mlock2, at, bytes, flags); }
static void set_limit(rlim_t bytes) {
    const struct rlimit limit = {bytes, bytes};
    CHECK(setrlimit(RLIMIT_MEMLOCK, &limit) == 0);
}
static void become_nobody(void) { CHECK(setuid(12345) == 0); }

ROWS(mlock_brings_pages_in, "F4") {
    char* pages = map_pages(8, MAP_PRIVATE);
    CHECK(!resident(pages) && mlock(pages + PAGE + 100, PAGE) == 0);
    CHECK(!resident(pages) && resident(pages + PAGE) && resident(pages + 2 * PAGE) && !resident(pages + 3 * PAGE));
    CHECK_LOCKED(2);
    CHECK(mlock(pages, 8 * PAGE) == 0);
    CHECK_LOCKED(8);
    CHECK(munlock(pages + 2 * PAGE, PAGE) == 0);
    CHECK_LOCKED(7);
    CHECK(munmap(pages + 4 * PAGE, 2 * PAGE) == 0);
    CHECK_LOCKED(5);
    CHECK_ERROR(madvise(pages, PAGE, MADV_DONTNEED), EINVAL);
    CHECK_ERROR(msync(pages, PAGE, MS_SYNC | MS_INVALIDATE), EBUSY);
    CHECK(mlock(pages, 0) == 0 && munlock(pages, 0) == 0);
    CHECK_ERROR(mlock(pages, 8 * PAGE), ENOMEM);
    CHECK_ERROR(munlock(pages, 8 * PAGE), ENOMEM);
    CHECK_ERROR(mlock(pages, (size_t)-PAGE), EINVAL);
    CHECK_ERROR(mlock_two(pages, PAGE, 2), EINVAL);
    CHECK(munlockall() == 0);
    CHECK_LOCKED(0);
}

ROWS(mlock_on_fault, "F4") {
    char* pages = map_pages(4, MAP_PRIVATE);
    CHECK(mlock_two(pages, 4 * PAGE, MLOCK_ONFAULT) == 0);
    CHECK(!resident(pages));
    CHECK_LOCKED(4);
    pages[0] = 1;
    CHECK(resident(pages) && !resident(pages + PAGE));
    CHECK(mlock(pages, 4 * PAGE) == 0 && resident(pages + 3 * PAGE));
    CHECK_LOCKED(4);
}

ROWS(no_access_cannot_be_locked, "F4") {
    char* pages = map_pages(2, MAP_PRIVATE);
    CHECK(mprotect(pages, PAGE, PROT_NONE) == 0);
    CHECK_ERROR(mlock(pages, PAGE), ENOMEM);
    CHECK(mprotect(pages + PAGE, PAGE, PROT_READ) == 0 && mlock(pages + PAGE, PAGE) == 0);
}

ROWS(locks_are_not_inherited, "F4") {
    char* pages = map_pages(8, MAP_PRIVATE);
    CHECK(mlock(pages, 8 * PAGE) == 0 && mlockall(MCL_FUTURE) == 0);
    const pid_t pid = IN_CHILD({
        CHECK_LOCKED(0);
        char* more = map_pages(2, MAP_PRIVATE);
        CHECK(!resident(more));
        CHECK(madvise(pages, PAGE, MADV_DONTNEED) == 0);
    });
    wait_exit(pid, 0);
    CHECK_LOCKED(8);
    CHECK(resident(map_pages(1, MAP_PRIVATE)));
    CHECK_LOCKED(9);
}

ROWS(mlockall_now_and_later, "F4") {
    CHECK_ERROR(mlockall(0), EINVAL);
    CHECK_ERROR(mlockall(8), EINVAL);
    CHECK_ERROR(mlockall(MCL_ONFAULT), EINVAL);
    char* before = map_pages(2, MAP_PRIVATE);
    CHECK(mlockall(MCL_CURRENT) == 0 && resident(before));
    const long now = status_kb("VmLck:");
    if (now != -1) CHECK(now >= 8);
    char* later = map_pages(2, MAP_PRIVATE);
    CHECK(!resident(later));
    CHECK(mlockall(MCL_FUTURE | MCL_ONFAULT) == 0);
    later = map_pages(3, MAP_PRIVATE);
    CHECK(!resident(later));
    if (now != -1) CHECK(status_kb("VmLck:") == now + 12);
    CHECK(munlockall() == 0);
    CHECK_LOCKED(0);
    CHECK(!resident(map_pages(1, MAP_PRIVATE)));
}

ROWS(locked_areas_move_and_grow, "F4") {
    char* pages = map_pages(16, MAP_PRIVATE);
    CHECK(munmap(pages + 4 * PAGE, 12 * PAGE) == 0 && mlock(pages, 4 * PAGE) == 0);
    char* moved = mremap(pages, 4 * PAGE, 6 * PAGE, MREMAP_MAYMOVE);
    CHECK(moved != MAP_FAILED && resident(moved + 5 * PAGE));
    CHECK_LOCKED(6);
    char* away = map_pages(8, MAP_PRIVATE);
    moved = mremap(moved, 6 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, away);
    CHECK(moved == away);
    CHECK_LOCKED(8);
    CHECK(mremap(moved, 8 * PAGE, 2 * PAGE, 0) == moved);
    CHECK_LOCKED(2);
    CHECK(mprotect(moved, PAGE, PROT_READ) == 0);
    CHECK_LOCKED(2);
    CHECK(mmap(moved, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == moved);
    CHECK_LOCKED(1);
    char* locked = map_pages(3, MAP_PRIVATE | MAP_LOCKED);
    CHECK(resident(locked + 2 * PAGE));
    CHECK_LOCKED(4);
}

ROWS(limit_on_locked_memory, "F12") {
    set_limit(4 * PAGE);
    become_nobody();
    char* pages = map_pages(8, MAP_PRIVATE);
    CHECK_ERROR(mlock(pages, 5 * PAGE), ENOMEM);
    CHECK(mlock(pages, 3 * PAGE) == 0 && mlock(pages, 4 * PAGE) == 0);
    CHECK_ERROR(mlock(pages + 4 * PAGE, PAGE), ENOMEM);
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0) == MAP_FAILED && errno == EAGAIN);
    CHECK_ERROR(mlockall(MCL_CURRENT), ENOMEM);
    CHECK(mremap(pages, 4 * PAGE, 12 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == EAGAIN);
    CHECK(mlockall(MCL_FUTURE) == 0);
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EAGAIN);
    CHECK(munlockall() == 0);
    set_limit(0);
    CHECK_ERROR(mlock(pages, PAGE), EPERM);
    CHECK_ERROR(mlockall(MCL_CURRENT), EPERM);
    // musl would make ENOMEM of it.
    CHECK_ERROR(syscall(SYS_mmap, NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_LOCKED, -1, 0), EPERM);
    CHECK(munlock(pages, PAGE) == 0);
}

// Locking breaks copy-on-write at once.
ROWS(locked_pages_are_private, "F4") {
    char* pages = map_pages(4, MAP_PRIVATE);
    memset(pages, 7, 4 * PAGE);
    const pid_t pid = IN_CHILD({
        CHECK(mlock(pages, 4 * PAGE) == 0);
        long before = minor_faults();
        before = minor_faults();
        for (int i = 0; i < 4; ++i) pages[i * PAGE] = 8;
        CHECK(minor_faults() == before);
    });
    wait_exit(pid, 0);
    CHECK(pages[0] == 7);
}
