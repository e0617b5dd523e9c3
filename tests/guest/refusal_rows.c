// Which error a call ends with when several would do, and what is done before it fails.
#include <poll.h>
#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/signalfd.h>
#include <sys/stat.h>
#include <sys/timerfd.h>
#include <time.h>
#include <ucontext.h>

#include "rows.h"

enum { kNoPid = 1 << 30, kUser = 1000 };
static const int kNoSignal = 99;

// --- processes

ROWS(who_is_asked_for_before_which_signal, "-") {
    CHECK_ERROR(kill(kNoPid, kNoSignal), ESRCH);
    CHECK_ERROR(kill(-kNoPid, kNoSignal), ESRCH);
    CHECK_ERROR(kill(getpid(), kNoSignal), EINVAL);
    const pid_t other = IN_CHILD(pause());
    CHECK_ERROR(kill(-1, kNoSignal), EINVAL);
    CHECK(kill(other, SIGKILL) == 0 && wait_status(other) == SIGKILL);
}

ROWS(a_negative_group_is_refused_before_the_process_is_looked_for, "-") {
    CHECK_ERROR(setpgid(-1, 0), EINVAL);
    CHECK_ERROR(setpgid(kNoPid, -1), EINVAL);
    CHECK_ERROR(setpgid(kNoPid, 0), ESRCH);
}

ROWS(the_robust_list_of_others_is_private, "-") {
    void* head;
    size_t bytes;
    const pid_t parent = getpid();
    CHECK(syscall(SYS_get_robust_list, parent, &head, &bytes) == 0);
    const pid_t stranger = IN_CHILD({
        CHECK(setuid(kUser) == 0);
        CHECK_ERROR(syscall(SYS_get_robust_list, parent, &head, &bytes), EPERM);
        CHECK(syscall(SYS_get_robust_list, 0, &head, &bytes) == 0);
    });
    wait_exit(stranger, 0);
}

ROWS(wait_tells_of_grandchildren_that_were_waited_for, "F14") {
    const pid_t child = IN_CHILD({
        const pid_t busy = IN_CHILD({
            struct timespec now;
            do {
                CHECK(clock_gettime(CLOCK_PROCESS_CPUTIME_ID, &now) == 0);
            } while (now.tv_nsec < 200000000 && now.tv_sec == 0);
        });
        wait_exit(busy, 0);
    });
    int status;
    struct rusage usage;
    CHECK(wait4(child, &status, 0, &usage) == child && status == 0);
    const long ms = (usage.ru_utime.tv_sec + usage.ru_stime.tv_sec) * 1000 +
                    (usage.ru_utime.tv_usec + usage.ru_stime.tv_usec) / 1000;
    CHECK(ms >= 100);
}

ROWS(no_path_is_refused_before_the_descriptor, "-") {
    struct stat status;
    char target[8];
    char* none[] = {NULL};
    CHECK_ERROR(openat(-1, "", O_RDONLY), ENOENT);
    CHECK_ERROR(fstatat(-1, "", &status, 0), ENOENT);
    CHECK_ERROR(unlinkat(-1, "", 0), ENOENT);
    CHECK_ERROR(mkdirat(-1, "", 0), ENOENT);
    CHECK_ERROR(renameat(-1, "", -1, ""), ENOENT);
    CHECK_ERROR(linkat(-1, "", -1, "", 0), ENOENT);
    CHECK_ERROR(symlinkat("", -1, ""), ENOENT);
    CHECK_ERROR(faccessat(-1, "", 0, 0), ENOENT);
    CHECK_ERROR(fchownat(-1, "", 0, 0, 0), ENOENT);
    CHECK_ERROR(utimensat(-1, "", NULL, 0), ENOENT);
    CHECK_ERROR(syscall(SYS_execveat, -1, "", none, none, 0), ENOENT);
    CHECK_ERROR(readlinkat(-1, "", target, sizeof(target)), EBADF);
    CHECK_ERROR(openat(-1, "x", O_RDONLY), EBADF);
    CHECK_ERROR(syscall(SYS_execveat, -1, "", none, none, AT_EMPTY_PATH), EBADF);
}

// --- memory

enum { kSharedValidate = 3, kSync = 0x80000 };
static long map(long bytes, int flags, int fd, long offset) {
    void* at = (void*)syscall(SYS_mmap, NULL, bytes, (long)(PROT_READ | PROT_WRITE), (long)flags, (long)fd, offset);
    return at == MAP_FAILED ? -1 : 0;
}

ROWS(mappings_that_cannot_be, "-") {
    const int fd = memfd_create("rows", 0);
    CHECK(fd >= 0 && ftruncate(fd, PAGE) == 0);
    CHECK_ERROR(map(PAGE, kSharedValidate | MAP_ANONYMOUS, -1, 0), EINVAL);
    CHECK(map(PAGE, kSharedValidate, fd, 0) == 0);
    CHECK_ERROR(map(PAGE, kSharedValidate | kSync, fd, 0), EOPNOTSUPP);
    CHECK_ERROR(map(PAGE, MAP_SHARED | MAP_ANONYMOUS | MAP_GROWSDOWN, -1, 0), EINVAL);
    CHECK_ERROR(map(PAGE, MAP_PRIVATE | MAP_GROWSDOWN, fd, 0), EINVAL);
    CHECK_ERROR(map(PAGE, MAP_PRIVATE | MAP_HUGETLB, fd, 0), EINVAL);
    CHECK_ERROR(map(PAGE, MAP_PRIVATE, fd, -PAGE), EOVERFLOW);
    CHECK_ERROR(map((size_t)-PAGE, MAP_SHARED, fd, 0), ENOMEM);
}

static const char* rights_of(const void* at) {
    static char rights[8];
    char line[256];
    FILE* maps = fopen("/proc/self/maps", "r");
    CHECK(maps != NULL);
    unsigned long from, to;
    while (fgets(line, sizeof(line), maps) != NULL) {
        CHECK(sscanf(line, "%lx-%lx %4s", &from, &to, rights) == 3);
        if (from <= (uintptr_t)at && (uintptr_t)at < to) break;
    }
    fclose(maps);
    return rights;
}

ROWS(mprotect_changes_what_lies_before_a_hole, "-") {
    char* memory = map_pages(3, MAP_PRIVATE);
    CHECK(munmap(memory + PAGE, PAGE) == 0);
    CHECK_ERROR(mprotect(memory, 3 * PAGE, PROT_READ), ENOMEM);
    CHECK(strcmp(rights_of(memory), "r--p") == 0);
    CHECK(strcmp(rights_of(memory + 2 * PAGE), "rw-p") == 0);
}

ROWS(mprotect_changes_what_lies_before_a_refusal, "-") {
    const char* directory = scratch_directory();
    char name[128];
    (void)snprintf(name, sizeof(name), "%s/f", directory);
    const int fd = open(name, O_CREAT | O_RDWR, 0600);
    CHECK(fd >= 0 && ftruncate(fd, PAGE) == 0);
    const int reader = open(name, O_RDONLY);
    char* memory = map_pages(2, MAP_PRIVATE);
    CHECK(mprotect(memory, PAGE, PROT_READ) == 0);
    CHECK(mmap(memory + PAGE, PAGE, PROT_READ, MAP_SHARED | MAP_FIXED, reader, 0) == memory + PAGE);
    CHECK_ERROR(mprotect(memory, 2 * PAGE, PROT_READ | PROT_WRITE), EACCES);
    CHECK(strcmp(rights_of(memory), "rw-p") == 0);
    CHECK(strcmp(rights_of(memory + PAGE), "r--s") == 0);
}

ROWS(prot_growsdown_is_for_what_grows, "-") {
    char* memory = map_pages(2, MAP_PRIVATE);
    CHECK_ERROR(mprotect(memory, PAGE, PROT_READ | PROT_GROWSDOWN), EINVAL);
    CHECK_ERROR(mprotect(memory, PAGE, PROT_READ | PROT_GROWSUP), EINVAL);
    CHECK_ERROR(mprotect(memory + 1, PAGE, PROT_READ | PROT_GROWSDOWN | PROT_GROWSUP), EINVAL);
    char* stack = map_pages(3, MAP_PRIVATE | MAP_GROWSDOWN);
    CHECK(mprotect(stack + 2 * PAGE, PAGE, PROT_READ | PROT_GROWSDOWN) == 0);
    CHECK(strcmp(rights_of(stack), "r--p") == 0);
    enum { kProtSem = 8 };
    CHECK(mprotect(memory, PAGE, PROT_READ | kProtSem) == 0);
}

ROWS(pages_of_a_mapping_are_put_in_another_order, "-") {
    volatile char* shared = map_pages(4, MAP_SHARED);
    for (int i = 0; i < 4; ++i) shared[i * PAGE] = (char)('a' + i);
    CHECK(syscall(SYS_remap_file_pages, shared, (long)PAGE, 0L, 2L, 0L) == 0);
    CHECK(shared[0] == 'c' && shared[PAGE] == 'b');
    CHECK(syscall(SYS_remap_file_pages, shared + 5, (long)PAGE, 0L, 3L, (long)MAP_NONBLOCK) == 0);
    CHECK(shared[0] == 'd');
    shared[0] = 'x';
    CHECK(shared[3 * PAGE] == 'x');
    char* own = map_pages(1, MAP_PRIVATE);
    CHECK_ERROR(syscall(SYS_remap_file_pages, shared, (long)PAGE, 1L, 2L, 0L), EINVAL);
    CHECK_ERROR(syscall(SYS_remap_file_pages, shared, 0L, 0L, 2L, 0L), EINVAL);
    CHECK_ERROR(syscall(SYS_remap_file_pages, own, (long)PAGE, 0L, 0L, 0L), EINVAL);
    CHECK_ERROR(syscall(SYS_remap_file_pages, 0L, (long)PAGE, 0L, 0L, 0L), EINVAL);
}

ROWS(no_protection_key_is_a_key, "-") {
    char* memory = map_pages(1, MAP_PRIVATE);
    CHECK(syscall(SYS_pkey_mprotect, memory, (long)PAGE, (long)PROT_READ, -1L) == 0);
    CHECK(strcmp(rights_of(memory), "r--p") == 0);
    CHECK_ERROR(syscall(SYS_pkey_mprotect, memory, (long)PAGE, (long)PROT_READ, 5L), EINVAL);
    CHECK_ERROR(syscall(SYS_pkey_alloc, 1L, 0L), EINVAL);
    CHECK_ERROR(syscall(SYS_pkey_free, 9L), EINVAL);
}

ROWS(a_futex_in_memory_that_is_read_only, "-") {
    uint32_t* word = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    enum { kPrivate = 128 };
    CHECK_ERROR(syscall(SYS_futex, word, FUTEX_WAIT, 1, NULL), EFAULT);
    CHECK_ERROR(syscall(SYS_futex, word, FUTEX_WAKE, 1), EFAULT);
    CHECK_ERROR(syscall(SYS_futex, word, FUTEX_WAIT | kPrivate, 1, NULL), EAGAIN);
    CHECK(syscall(SYS_futex, word, FUTEX_WAKE | kPrivate, 1) == 0);
}

static volatile long error_code;
static void note_error(int sig, siginfo_t* info, void* context) {
    (void)sig;
    (void)info;
    error_code = ((ucontext_t*)context)->uc_mcontext.gregs[19 /* REG_ERR */];
    _exit((int)error_code);
}

// A program cannot find out what is mapped in the kernel's half.
ROWS(every_address_of_the_kernel_looks_mapped, "-") {
    static const uintptr_t kAddresses[] = {0xffff800000000000, 0xffffffff81000000, 0x7ffffffff000};
    for (size_t i = 0; i < 3; ++i) {
        const pid_t child = IN_CHILD({
            struct sigaction action = {.sa_sigaction = note_error, .sa_flags = SA_SIGINFO};
            CHECK(sigaction(SIGSEGV, &action, NULL) == 0);
            *(volatile char*)opaque(kAddresses[i]);
        });
        wait_exit(child, 5);  // user, present
    }
}

// --- descriptors and clocks

ROWS(lseek_of_what_has_no_offset, "-") {
    sigset_t none;
    sigemptyset(&none);
    const int fds[] = {eventfd(0, 0), timerfd_create(CLOCK_MONOTONIC, 0), signalfd(-1, &none, 0), epoll_create1(0)};
    for (size_t i = 0; i < 4; ++i) {
        char byte;
        CHECK(fds[i] >= 0 && lseek(fds[i], 5, SEEK_SET) == 0);
        CHECK_ERROR(pread(fds[i], &byte, 1, 0), ESPIPE);
    }
}

ROWS(no_cpu_time_has_passed_at_once, "-") {
    const struct timespec none = {0, 0};
    CHECK(syscall(SYS_clock_nanosleep, CLOCK_PROCESS_CPUTIME_ID, 0, &none, NULL) == 0);
    CHECK(syscall(SYS_clock_nanosleep, CLOCK_PROCESS_CPUTIME_ID, TIMER_ABSTIME, &none, NULL) == 0);
}

ROWS(memory_is_read_before_the_limit_is_named, "-") {
    enum { kNoLimit = 16, kRandomInsecure = 6 };
    struct rlimit limit = {0, 0};
    char byte;
    CHECK_ERROR(syscall(SYS_setrlimit, kNoLimit, opaque(8)), EFAULT);
    CHECK_ERROR(syscall(SYS_setrlimit, kNoLimit, &limit), EINVAL);
    CHECK_ERROR(syscall(SYS_getrandom, &byte, 1L, kRandomInsecure), EINVAL);
}

ROWS(small_words_of_prctl, "-") {
    enum { kGetTiming = 13, kSetTiming = 14, kGetTidAddress = 40 };
    int word;
    void* address = NULL;
    CHECK(syscall(SYS_prctl, kGetTiming, 0L, 0L, 0L, 0L) == 0);
    CHECK(syscall(SYS_prctl, kSetTiming, 0L, 0L, 0L, 0L) == 0);
    CHECK_ERROR(syscall(SYS_prctl, kSetTiming, 1L, 0L, 0L, 0L), EINVAL);
    CHECK(syscall(SYS_set_tid_address, &word) == getpid());
    // Only kernels with checkpoints tell.
    if (syscall(SYS_prctl, kGetTidAddress, &address, 0L, 0L, 0L) == 0) CHECK(address == &word);
    CHECK(!on_guest() || address == &word);
    CHECK(syscall(SYS_set_tid_address, NULL) == getpid());
}

ROWS(the_priority_of_a_group_is_never_none, "C15") {
    enum { kProcess = 1, kGroup = 2, kBestEffort4 = 0x4004 };
    CHECK(setpgid(0, 0) == 0);
    CHECK(syscall(SYS_ioprio_get, kProcess, 0) == 0 || !on_guest());
    CHECK(syscall(SYS_ioprio_get, kGroup, 0) == kBestEffort4);
}

// --- procfs

ROWS(a_zombie_has_no_mounts, "-") {
    const pid_t child = IN_CHILD((void)0);
    siginfo_t info;
    CHECK(waitid(P_PID, (id_t)child, &info, WEXITED | WNOWAIT) == 0);
    char name[64];
    for (int i = 0; i < 2; ++i) {
        (void)snprintf(name, sizeof(name), "/proc/%d/%s", child, i == 0 ? "mounts" : "mountinfo");
        CHECK_ERROR(open(name, O_RDONLY), EINVAL);
    }
    wait_exit(child, 0);
}

static int idle(void* unused) {
    (void)unused;
    pause();
    return 0;
}

ROWS(links_of_the_task_directory_count_threads, "C9") {
    static char stack[16384];
    struct stat status;
    CHECK(stat("/proc/self/task", &status) == 0 && status.st_nlink == 3);
    CHECK(clone(idle, stack + sizeof(stack), CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, NULL) > 0);
    CHECK(stat("/proc/self/task", &status) == 0 && status.st_nlink == 4);
}
