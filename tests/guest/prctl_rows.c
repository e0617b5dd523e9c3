// prctl: what a child and the next program keep of what was set.
#include "rows.h"

#include <sys/prctl.h>
#include <time.h>
#include <x86intrin.h>

enum {
    kGetTsc = 25,
    kSetTsc = 26,
    kMceKill = 33,
    kMceKillGet = 34,
    kSetThpDisable = 41,
    kGetThpDisable = 42,
    kSetIoFlusher = 57,
    kGetIoFlusher = 58,
    kSetMdwe = 65,
    kGetMdwe = 66,
    kTimerIds = 77,
    kGetAuxv = 0x41555856
};

static void read_tsc(void* unused) {
    (void)unused;
    __rdtsc();
}
static int tsc_mode(void) {
    int mode = 0;
    CHECK(prctl(kGetTsc, &mode) == 0);
    return mode;
}

static void take_turns(int wanted) {
    for (int i = 0; i < 20; ++i) {
        sched_yield();
        CHECK(fault_of(read_tsc, NULL) == wanted);
    }
}

ROWS(who_may_not_read_the_counter_has_children_that_may_not, "F1,P9") {
    CHECK(tsc_mode() == 1 && fault_of(read_tsc, NULL) == 0);
    CHECK(prctl(kSetTsc, 2) == 0 && tsc_mode() == 2);
    CHECK(fault_of(read_tsc, NULL) == SIGSEGV);
    int gate[2];
    CHECK(pipe(gate) == 0);
    const pid_t pid = IN_CHILD({
        CHECK(tsc_mode() == 2 && fault_of(read_tsc, NULL) == SIGSEGV);
        CHECK(prctl(kSetTsc, 1) == 0 && fault_of(read_tsc, NULL) == 0);
        // Each keeps its own, however often they take turns.
        take_turns(0);
        CHECK(write(gate[1], "x", 1) == 1);
    });
    take_turns(SIGSEGV);
    char byte;
    CHECK(read(gate[0], &byte, 1) == 1 && fault_of(read_tsc, NULL) == SIGSEGV);
    wait_exit(pid, 0);
    CHECK_ERROR(prctl(kSetTsc, 3), EINVAL);
    CHECK_ERROR(prctl(kGetTsc, 8), EFAULT);
}

// Memory that is not executable does not become so any more.
ROWS(memory_that_gains_no_right_to_execute, "F1,F2") {
    if (!as_of(6, 6)) return;
    char* data = map_pages(1, MAP_PRIVATE);
    char* code = mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK_ERROR(prctl(kSetMdwe, 2, 0, 0, 0), EINVAL);
    CHECK_ERROR(prctl(kSetMdwe, 4, 0, 0, 0), EINVAL);
    CHECK_ERROR(prctl(kSetMdwe, 1, 1, 0, 0), EINVAL);
    wait_exit(IN_CHILD({
                  CHECK(prctl(kSetMdwe, 3, 0, 0, 0) == 0 && prctl(kGetMdwe, 0, 0, 0, 0) == 3);
                  wait_exit(IN_CHILD(CHECK(prctl(kGetMdwe, 0, 0, 0, 0) == 0)), 0);
              }),
              0);
    CHECK(prctl(kSetMdwe, 1, 0, 0, 0) == 0);
    CHECK_ERROR(prctl(kSetMdwe, 0, 0, 0, 0), EPERM);
    wait_exit(IN_CHILD({
                  CHECK(prctl(kGetMdwe, 0, 0, 0, 0) == 1);
                  CHECK(mmap(NULL, PAGE, PROT_WRITE | PROT_EXEC, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED &&
                        errno == EACCES);
                  CHECK_ERROR(mprotect(data, PAGE, PROT_READ | PROT_EXEC), EACCES);
                  CHECK_ERROR(mprotect(code, PAGE, PROT_READ | PROT_WRITE | PROT_EXEC), EACCES);
                  CHECK(mprotect(code, PAGE, PROT_EXEC) == 0 && mprotect(code, PAGE, PROT_READ) == 0);
                  CHECK_ERROR(mprotect(code, PAGE, PROT_READ | PROT_EXEC), EACCES);
              }),
              0);
}

ROWS(wishes_are_inherited, "F12") {
    CHECK(prctl(kMceKillGet, 0, 0, 0, 0) == 2);
    CHECK(prctl(kMceKill, 1, 1, 0, 0) == 0 && prctl(kSetThpDisable, 1, 0, 0, 0) == 0);
    wait_exit(IN_CHILD({
                  CHECK(prctl(kMceKillGet, 0, 0, 0, 0) == 1 && prctl(kGetThpDisable, 0, 0, 0, 0) == 1);
                  CHECK(prctl(kMceKill, 1, 0, 0, 0) == 0 && prctl(kMceKillGet, 0, 0, 0, 0) == 0);
                  CHECK(prctl(kMceKill, 0, 0, 0, 0) == 0 && prctl(kMceKillGet, 0, 0, 0, 0) == 2);
              }),
              0);
    CHECK_ERROR(prctl(kMceKill, 1, 3, 0, 0), EINVAL);
    CHECK_ERROR(prctl(kMceKill, 0, 1, 0, 0), EINVAL);
    CHECK_ERROR(prctl(kMceKill, 2, 0, 0, 0), EINVAL);
    CHECK_ERROR(prctl(kMceKillGet, 1, 0, 0, 0), EINVAL);
    CHECK_ERROR(prctl(kGetThpDisable, 1, 0, 0, 0), EINVAL);
    wait_exit(IN_CHILD({
                  CHECK(setuid(1000) == 0);
                  CHECK_ERROR(prctl(kSetIoFlusher, 1, 0, 0, 0), EPERM);
              }),
              0);
}

// Hosts may have taken the right away from root.
GUEST_ROWS(one_that_writes_back, "F12") {
    CHECK(prctl(kGetIoFlusher, 0, 0, 0, 0) == 0 && prctl(kSetIoFlusher, 1, 0, 0, 0) == 0);
    wait_exit(IN_CHILD(CHECK(prctl(kGetIoFlusher, 0, 0, 0, 0) == 1)), 0);
    CHECK_ERROR(prctl(kSetIoFlusher, 2, 0, 0, 0), EINVAL);
}

ROWS(timers_get_the_ids_that_are_asked_for, "F7") {
    if (!as_of(6, 15)) return;
    CHECK(prctl(kTimerIds, 2, 0, 0, 0) == 0 && prctl(kTimerIds, 1, 0, 0, 0) == 0 && prctl(kTimerIds, 2, 0, 0, 0) == 1);
    int id = 55;
    CHECK(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id) == 0 && id == 55);
    CHECK_ERROR(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id), EBUSY);
    id = -3;
    CHECK_ERROR(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id), EINVAL);
    wait_exit(IN_CHILD(CHECK(prctl(kTimerIds, 2, 0, 0, 0) == 0)), 0);
    CHECK(prctl(kTimerIds, 0, 0, 0, 0) == 0);
    CHECK(syscall(SYS_timer_create, CLOCK_MONOTONIC, NULL, &id) == 0 && id == 56);
    CHECK_ERROR(prctl(kTimerIds, 3, 0, 0, 0), EINVAL);
}

ROWS(the_auxiliary_vector, "F1") {
    if (!as_of(6, 4)) return;
    unsigned long mine[128] = {0}, file[128] = {0};
    const int fd = open("/proc/self/auxv", O_RDONLY);
    const long length = read(fd, file, sizeof(file));
    const long whole = prctl(kGetAuxv, mine, sizeof(mine), 0, 0);
    CHECK(fd >= 0 && length > 64 && whole >= length && memcmp(mine, file, (size_t)length) == 0);
    memset(mine, 0x55, sizeof(mine));
    CHECK(prctl(kGetAuxv, mine, 8, 0, 0) == whole && mine[0] == file[0] && mine[1] == 0x5555555555555555);
    CHECK_ERROR(prctl(kGetAuxv, mine, 8, 1, 0), EINVAL);
    CHECK_ERROR(prctl(kGetAuxv, 8, 8, 0, 0), EFAULT);
}
