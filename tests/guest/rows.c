// The harness: runs each registered test in a child, prints a line for each, and exits with 1 if one failed.
#include "rows.h"

#include <ftw.h>
#include <setjmp.h>
#include <sys/mount.h>
#include <sys/stat.h>

static struct row_test* first;
static struct row_test** last = &first;

void row_test_add(struct row_test* test) {
    *last = test;
    last = &test->next;
}

bool on_guest(void) {
    struct utsname name;
    return uname(&name) == 0 && strstr(name.release, "forkscope") != NULL;
}

bool as_of(int major, int minor) {
    struct utsname name;
    int its_major = 0, its_minor = 0;
    CHECK(uname(&name) == 0 && sscanf(name.release, "%d.%d", &its_major, &its_minor) == 2);
    return on_guest() || its_major > major || (its_major == major && its_minor >= minor);
}

void row_test_fail(const char* file, int line, const char* what) {
    printf("  %s:%d: not so: %s (errno %d)\n", file, line, what, errno);
    fflush(stdout);
    _exit(99);
}

pid_t checked_fork(void) {
    fflush(stdout);
    const pid_t pid = fork();
    CHECK(pid >= 0);
    return pid;
}

static sigjmp_buf back;
void* fault_address;
int fault_code;
static void jump_back(int sig, siginfo_t* info, void* context) {
    (void)context;
    fault_address = info->si_addr;
    fault_code = info->si_code;
    siglongjmp(back, sig);
}

int fault_of(void (*body)(void* argument), void* argument) {
    static const int kFaults[] = {SIGSEGV, SIGBUS, SIGFPE, SIGILL, SIGTRAP};
    struct sigaction action = {.sa_sigaction = jump_back, .sa_flags = SA_SIGINFO};
    for (size_t i = 0; i < sizeof(kFaults) / sizeof(kFaults[0]); ++i) CHECK(sigaction(kFaults[i], &action, NULL) == 0);
    const int sig = sigsetjmp(back, 1);
    if (sig == 0) body(argument);
    return sig;
}

bool fork_shares_tables(void) {
    char text[4096];
    const int fd = open("/proc/cmdline", O_RDONLY);
    const ssize_t length = fd < 0 ? 0 : read(fd, text, sizeof(text) - 1);
    if (fd >= 0) close(fd);
    text[length > 0 ? length : 0] = '\0';
    return strstr(text, "fork=shared-tables") != NULL;
}

void* opaque(uintptr_t address) {
    void* pointer = (void*)address;
    __asm__ volatile("" : "+r"(pointer));
    return pointer;
}

int wait_status(pid_t pid) {
    int status = 0;
    CHECK(waitpid(pid, &status, 0) == pid);
    return status;
}

void wait_exit(pid_t pid, int code) {
    const int status = wait_status(pid);
    CHECK(WIFEXITED(status));
    CHECK(WEXITSTATUS(status) == code);
}

char* map_pages(int pages, int flags) {
    char* memory = mmap(NULL, (size_t)pages * PAGE, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    return memory;
}

char* set_break(char* end) { return (char*)syscall(SYS_brk, end); }

long minor_faults(void) {
    struct rusage usage;
    CHECK(getrusage(RUSAGE_THREAD, &usage) == 0);
    return usage.ru_minflt;
}

uint64_t free_ram(void) {
    struct sysinfo info;
    CHECK(sysinfo(&info) == 0);
    return (uint64_t)info.freeram * info.mem_unit;
}

struct counts {
    char text[8192];
};
static struct counts before, after;

// Appends "NAME=NUMBER " for each line of the file that has a number above 0. Without stdio: it would take memory.
static size_t add_numbers(struct counts* counts, size_t at, const char* path, const char* format) {
    static char text[16384];
    const int fd = open(path, O_RDONLY);
    CHECK(fd >= 0);
    size_t length = 0;
    for (ssize_t n; (n = read(fd, text + length, sizeof(text) - 1 - length)) > 0;) length += (size_t)n;
    close(fd);
    text[length] = '\0';
    for (char *line = text, *next; *line != '\0'; line = next) {
        next = strchr(line, '\n') + 1;
        next[-1] = '\0';
        char name[64];
        long number;
        if (line[0] == '#' || sscanf(line, format, name, &number) != 2 || number == 0) continue;
        at += (size_t)snprintf(counts->text + at, sizeof(counts->text) - at, "%s=%ld ", name, number);
        CHECK(at < sizeof(counts->text));
    }
    return at;
}

// A cache of objects appears with its first one, and stays.
static void count_all(struct counts* counts) {
    memset(counts, 0, sizeof(*counts));
    const size_t at = add_numbers(counts, 0, "/proc/slabinfo", "%63s %ld");
    add_numbers(counts, at, "/proc/meminfo", "%63[^:]: %ld");
}

void count_kernel(void) {
    // The first time takes memory of ours for itself.
    for (int i = 0; i < 3; ++i) {
        count_all(&before);
        count_all(&after);
    }
}

void expect_counts(const char* what) {
    count_all(&after);
    if (strcmp(before.text, after.text) == 0) return;
    printf("  %s: before: %s\n  after: %s\n", what, before.text, after.text);
    CHECK(!"everything is back");
}

// Programs that want only the helpers have a main of their own.
#ifndef ROWS_NO_MAIN
static char scratch_root[] = "/tmp/rows.XXXXXX";

const char* scratch_directory(void) {
    static char name[sizeof(scratch_root) + sizeof("/XXXXXX")];
    snprintf(name, sizeof(name), "%s/XXXXXX", scratch_root);
    CHECK(mkdtemp(name) != NULL && chmod(name, 0777) == 0);
    return name;
}

static int remove_one(const char* path, const struct stat* stat, int type, struct FTW* where) {
    (void)stat, (void)type;
    if (where->level > 0) remove(path);
    return 0;
}

static void clear_scratch(void) { nftw(scratch_root, remove_one, 16, FTW_DEPTH | FTW_PHYS | FTW_MOUNT); }

static bool run_one(const struct row_test* test) {
    fflush(stdout);
    const pid_t pid = fork();
    if (pid == 0) {
        test->run();
        fflush(stdout);
        _exit(0);
    }
    int status = 0;
    if (pid < 0 || waitpid(pid, &status, 0) != pid) return false;
    clear_scratch();
    if (WIFSIGNALED(status)) printf("  killed by signal %d\n", WTERMSIG(status));
    return status == 0;
}

int main(int argc, char** argv) {
    setvbuf(stdout, NULL, _IOLBF, 0);
    const bool guest = on_guest();
    if (guest) {
        // These programs are started in init's place.
        mkdir("/proc", 0555);
        mount("proc", "/proc", "proc", 0, NULL);
        mount("devpts", "/dev/pts", "devpts", 0, "mode=620,gid=5");
    }
    mkdir("/tmp", 01777);
    CHECK(mkdtemp(scratch_root) != NULL && chmod(scratch_root, 0777) == 0);
    int failed = 0;
    for (const struct row_test* test = first; test != NULL; test = test->next) {
        if (argc > 1 && strcmp(argv[1], test->name) != 0) continue;
        if (test->guest_only && !guest) {
            printf("skip %s %s\n", test->rows, test->name);
            continue;
        }
        const bool fine = run_one(test);
        printf("%s %s %s\n", fine ? "pass" : "FAIL", test->rows, test->name);
        if (!fine) ++failed;
    }
    rmdir(scratch_root);
    if (failed > 0) printf("%d failed\n", failed);
    return failed > 0 ? 1 : 0;
}
#endif
