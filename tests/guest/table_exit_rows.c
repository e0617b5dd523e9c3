// Processes that share page tables and end, or unmap what is below them, at the same time: with
// fork=shared-tables the last of them gives back the pages. The kernel is booted both ways.
#include "rows.h"

enum { kBytes = 8 << 20, kSharers = 4, kAreas = 24000 };

// So many areas that taking them down lasts longer than a time slice: the others come to run in between.
static char* map_many_areas(void) {
    const size_t bytes = (size_t)kAreas * PAGE;
    char* memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    for (size_t i = 0; i < bytes; i += 2 * PAGE) CHECK(mprotect(memory + i, PAGE, PROT_READ) == 0);
    return memory;
}

static uint64_t anonymous_kib(void) {
    static char text[4096];
    const int fd = open("/proc/meminfo", O_RDONLY);
    const ssize_t bytes = read(fd, text, sizeof(text) - 1);
    CHECK(bytes > 0 && close(fd) == 0);
    text[bytes] = '\0';
    const char* line = strstr(text, "AnonPages:");
    CHECK(line != NULL);
    return strtoull(line + strlen("AnonPages:"), NULL, 10);
}

// Children that share the tables of 8 MiB with each other; this process has them no more. Each ends when `go`
// is closed, or by SIGKILL.
static void make_sharers(pid_t* pids, int* go, bool unmaps) {
    int there[2];
    int start[2];
    CHECK(pipe(there) == 0 && pipe(start) == 0);
    char* memory = (char*)(1UL << 32);
    CHECK(mmap(memory, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) ==
          memory);
    memset(memory, 1, kBytes);
    char byte = 0;
    for (int i = 0; i < kSharers; ++i) {
        pids[i] = IN_CHILD({
            close(start[1]);
            map_many_areas();
            CHECK(write(there[1], "t", 1) == 1);
            CHECK(read(start[0], &byte, 1) == 0);
            // From the shared region to all that is above it.
            if (unmaps) CHECK(munmap(memory, 0x700000000000UL) == 0);
        });
    }
    for (int i = 0; i < kSharers; ++i) CHECK(read(there[0], &byte, 1) == 1);
    CHECK(munmap(memory, kBytes) == 0);
    CHECK(close(there[0]) == 0 && close(there[1]) == 0 && close(start[0]) == 0);
    *go = start[1];
}

static void one_round(bool unmaps) {
    pid_t pids[kSharers];
    int go = -1;
    make_sharers(pids, &go, unmaps);
    for (int i = 0; i < kSharers && !unmaps; ++i) CHECK(kill(pids[i], SIGKILL) == 0);
    CHECK(close(go) == 0);
    for (int i = 0; i < kSharers; ++i) {
        const int status = wait_status(pids[i]);
        CHECK(unmaps ? status == 0 : WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    }
}

static void all_comes_back(bool unmaps, int rounds) {
    one_round(unmaps);  // caches of the kernel fill
    const uint64_t anonymous = anonymous_kib();
    const uint64_t before = free_ram();
    for (int i = 0; i < rounds; ++i) one_round(unmaps);
    CHECK(anonymous_kib() == anonymous);
    CHECK(free_ram() == before);
}

GUEST_ROWS(sharers_that_end_together_leave_nothing, "W9,W10") { all_comes_back(false, 8); }
GUEST_ROWS(sharers_that_unmap_together_leave_nothing, "W9,W10") { all_comes_back(true, 2); }
