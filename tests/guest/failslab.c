// Run as init with failslab=N on the kernel's command line: processes that fork, execute, map and open files while
// allocations fail under them. Whatever fails must be undone: in the end all memory is back (row P17).
#include "rows.h"

#include <pthread.h>

static void* do_nothing(void* unused) { return unused; }

// Files that are made up as they are read, their directory, and a link that leads to a file.
static void read_proc(void) {
    static const char* const kNames[] = {"/proc/self/status", "/proc/self/stat", "/proc/self/smaps", "/proc/self/cmdline",
                                         "/proc/self/mountinfo", "/proc/self/fdinfo/0", "/proc/meminfo", "/proc/slabinfo",
                                         "/proc/self/pagemap", "/proc/self/exe"};
    char text[512];
    for (unsigned i = 0; i < sizeof(kNames) / sizeof(kNames[0]); ++i) {
        const int fd = open(kNames[i], O_RDONLY);
        (void)!read(fd, text, sizeof(text));
        if (i % 2 == 0) close(fd);
    }
    const int dir = open("/proc/self/task", O_RDONLY);
    syscall(SYS_getdents64, dir, text, sizeof(text));
    (void)!readlink("/proc/self/fd/0", text, sizeof(text));
}

// Each step may fail, and none may do anything but fail or succeed.
static void busy_child(void) {
    char* pages = mmap(NULL, 20 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages != MAP_FAILED) {
        for (int i = 0; i < 20; i += 3) pages[i * PAGE] = 1;
        mprotect(pages + 4 * PAGE, PAGE, PROT_READ);
        mremap(pages, 20 * PAGE, 40 * PAGE, MREMAP_MAYMOVE);
    }
    mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int ends[2];
    if (pipe(ends) == 0) dup(ends[0]);
    open("/etc/passwd", O_RDONLY);
    read_proc();
    const pid_t forked = fork();
    if (forked == 0) {
        if (pages != MAP_FAILED) pages[0] = 2;
        _exit(0);
    }
    const pid_t borrowed = vfork();
    if (borrowed == 0) {
        char* argv[] = {"busybox", "true", NULL};
        execv("/bin/busybox", argv);
        _exit(1);
    }
    pthread_t thread;
    if (pthread_create(&thread, NULL, do_nothing, NULL) == 0) pthread_join(thread, NULL);
    while (wait(NULL) > 0) {
    }
}

int main(void) {
    enum { kRounds = 600, kWarmUp = 100 };
    uint64_t before = 0;
    int killed = 0;
    CHECK(mount("proc", "/proc", "proc", 0, NULL) == 0);
    for (int round = 0; round < kRounds; ++round) {
        if (round == kWarmUp) before = free_ram();
        const pid_t pid = checked_fork();
        if (pid == 0) {
            busy_child();
            _exit(0);
        }
        // A page fault that gets no memory kills; what it left behind comes to us.
        if (WIFSIGNALED(wait_status(pid))) ++killed;
        while (wait(NULL) > 0) {
        }
    }
    const uint64_t after = free_ram();
    printf("%d rounds, %s: %ld bytes are missing\n", kRounds, killed > 0 ? "some killed" : "none killed", (long)(before - after));
    return before == after ? 0 : 1;
}
