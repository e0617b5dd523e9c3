/* forkbench: what making a process costs. Memory is made ready first; the lines `BENCH begin NAME` and `BENCH end NAME
 * COUNT` frame the work. The host counts instructions and page-table writes of one round in the log, from one call to
 * the next. */
#include "program.h"

#include <pthread.h>
#include <sys/mman.h>
#include <sys/wait.h>

static volatile char* region;
static long region_pages;

static void dirty(long mebibytes) {
    region_pages = mebibytes * (1 << 20) / PAGE_SIZE;
    void* memory = mmap(NULL, (size_t)(region_pages * PAGE_SIZE), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) fail("mmap");
    region = memory;
    for (long page = 0; page < region_pages; ++page) region[page * PAGE_SIZE] = 1;
}

static void await(pid_t child) {
    int status;
    if (waitpid(child, &status, 0) != child || !WIFEXITED(status) || WEXITSTATUS(status) != 0) fail("waitpid");
}

static void fork_exit(void) {
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) _exit(0);
    await(child);
}

static void vfork_exec(void) {
    pid_t child = vfork();
    if (child < 0) fail("vfork");
    if (child == 0) {
        execl("/bin/busybox", "busybox", "true", (char*)NULL);
        _exit(1);
    }
    await(child);
}

static void* nothing(void* argument) { return argument; }
static void thread_join(void) {
    pthread_t thread;
    if (pthread_create(&thread, NULL, nothing, NULL) != 0 || pthread_join(thread, NULL) != 0) fail("pthread");
}

/* The child writes to every page that it shares. */
static void cow_faults(void) {
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) {
        for (long page = 0; page < region_pages; ++page) region[page * PAGE_SIZE] = 2;
        _exit(0);
    }
    await(child);
}

static const struct workload {
    const char* name;
    long mebibytes; /* dirty before the first round */
    void (*round)(void);
    long count;
    const char* what;
} workloads[] = {
    {"fork-1M", 1, fork_exit, 2000, "fork and exit with 1 MiB of dirty memory"},
    {"fork-64M", 64, fork_exit, 100, "the same with 64 MiB"},
    {"fork-1G", 1024, fork_exit, 8, "the same with 1 GiB"},
    {"vfork-exec", 1, vfork_exec, 400, "vfork and execve of busybox"},
    {"thread", 1, thread_join, 4000, "pthread_create and pthread_join"},
    {"cow-fault", 4, cow_faults, 20, "fork, and a write by the child to each of 1024 pages"},
};

static void usage(void) {
    printf("usage: forkbench NAME [COUNT]\n\nMakes processes or threads, so many times one after the other:\n\n");
    for (size_t i = 0; i < sizeof(workloads) / sizeof(*workloads); ++i)
        printf("  %-10s  %6ld times %s\n", workloads[i].name, workloads[i].count, workloads[i].what);
}

int main(int argc, char** argv) {
    if (argc < 2 || argc > 3 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        usage();
        return argc == 2 ? 0 : 2;
    }
    for (size_t i = 0; i < sizeof(workloads) / sizeof(*workloads); ++i) {
        const struct workload* workload = &workloads[i];
        if (strcmp(argv[1], workload->name) != 0) continue;
        const long count = argc == 3 ? number(argv[2], 1000000000) : workload->count;
        dirty(workload->mebibytes);
        workload->round(); /* the first one also pays for what came before */
        say("BENCH begin %s", workload->name);
        for (long round = 0; round < count; ++round) workload->round();
        say("BENCH end %s %ld", workload->name, count);
        return 0;
    }
    say("forkbench: there is no workload `%s`; --help names them", argv[1]);
    return 2;
}
