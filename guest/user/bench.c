/* bench: pieces of work to be timed from outside. The lines `BENCH begin NAME` and `BENCH end NAME RESULT`
 * frame the work itself; RESULT depends on the work alone, so that two machines can be compared. */
#include "program.h"

#include <stdint.h>
#include <sys/mman.h>
#include <sys/wait.h>

static uint64_t none(long count) {
    (void)count;
    return 0;
}

/* A hash of the kind that programs compute: about twenty instructions a round. */
static uint64_t intloop(long count) {
    uint64_t sum = 0;
    for (long i = 0; i < count; ++i) {
        uint64_t z = sum + (uint64_t)i * 0x9e3779b97f4a7c15u;
        z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
        z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
        z ^= z >> 31;
        sum += z << 5 ^ (z >> 3) ^ (sum >> 7);
    }
    return sum;
}

/* The worst case of an emulator that looks at every block: nearly nothing in each. */
static uint64_t tightloop(long count) {
    uint64_t x = 1;
    for (long i = 0; i < count; ++i) {
        x = x * 6364136223846793005ULL + 1442695040888963407ULL;
        /* Keeps the compiler from folding the loop. */
        __asm__ volatile("" : "+r"(x));
    }
    return x;
}

static uint64_t fibonacci(unsigned n);
/* Through a pointer that may change: each call stays one. */
static uint64_t (*volatile call_fibonacci)(unsigned n) = fibonacci;

static uint64_t fibonacci(unsigned n) { return n < 2 ? n : call_fibonacci(n - 1) + call_fibonacci(n - 2); }

static uint64_t calls(long count) {
    uint64_t sum = 0;
    for (long i = 0; i < count; ++i) sum += call_fibonacci(27);
    return sum;
}

static uint64_t next_random(uint64_t* state) {
    *state ^= *state << 13;
    *state ^= *state >> 7;
    *state ^= *state << 17;
    return *state;
}

static int ascending(const void* a, const void* b) {
    uint64_t left = *(const uint64_t*)a, right = *(const uint64_t*)b;
    return left < right ? -1 : left > right;
}

static void* memory(size_t bytes) {
    void* region = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (region == MAP_FAILED) fail("mmap");
    return region;
}

static uint64_t sort(long count) {
    enum { ELEMENTS = 100000 };
    uint64_t* data = memory(ELEMENTS * sizeof(*data));
    uint64_t state = 88172645463325252ULL, sum = 0;
    for (long i = 0; i < count; ++i) {
        for (int j = 0; j < ELEMENTS; ++j) data[j] = next_random(&state);
        qsort(data, ELEMENTS, sizeof(*data), ascending);
        sum += data[ELEMENTS / 2];
    }
    munmap(data, ELEMENTS * sizeof(*data));
    return sum;
}

static uint64_t memcopy(long count) {
    enum { BYTES = 1 << 20 };
    /* At a distance that is no power of two: the pages of both shall not meet in one entry of a software TLB, for that
     * would measure nothing but misses. */
    const size_t apart = 53 * PAGE_SIZE;
    unsigned char *from = memory(BYTES), *to = memory(BYTES + apart);
    for (int i = 0; i < BYTES; ++i) from[i] = (unsigned char)(i * 31);
    for (long i = 0; i < count; ++i) {
        from[i % BYTES] ^= (unsigned char)i;
        memcpy(to, from, BYTES);
        __asm__ volatile("" : : "r"(to) : "memory");
    }
    uint64_t sum = 0;
    for (int i = 0; i < BYTES; ++i) sum = sum * 31 + to[i];
    munmap(from, BYTES);
    munmap(to, BYTES + apart);
    return sum;
}

static uint64_t faultstorm(long count) {
    enum { PAGES = 64 };
    uint64_t touched = 0;
    for (long i = 0; i < count; ++i) {
        volatile char* region = memory(PAGES * PAGE_SIZE);
        for (unsigned long page = 0; page < PAGES; ++page) {
            region[page * PAGE_SIZE] = 1;
            touched += (uint64_t)region[page * PAGE_SIZE];
        }
        munmap((void*)region, PAGES * PAGE_SIZE);
    }
    return touched;
}

static uint64_t forkstorm(long count) {
    enum { PAGES = 64, CHILD_WRITES = 4 };
    volatile char* region = memory(PAGES * PAGE_SIZE);
    for (unsigned long page = 0; page < PAGES; ++page) region[page * PAGE_SIZE] = 1;
    uint64_t sum = 0;
    for (long i = 0; i < count; ++i) {
        pid_t child = fork();
        if (child < 0) fail("fork");
        if (child == 0) {
            for (unsigned long page = 0; page < CHILD_WRITES; ++page) region[page * PAGE_SIZE] = (char)i;
            _exit((int)(i & 63));
        }
        int status;
        if (waitpid(child, &status, 0) != child || !WIFEXITED(status)) fail("waitpid");
        sum += (uint64_t)WEXITSTATUS(status);
    }
    munmap((void*)region, PAGES * PAGE_SIZE);
    return sum;
}

/* The counts make each piece about a second of work for an emulator. */
static const struct workload {
    const char* name;
    uint64_t (*run)(long count);
    long count;
    const char* unit;
} workloads[] = {
    {"none", none, 1, "nothing at all"},
    {"intloop", intloop, 100000000, "rounds of a hash"},
    {"tightloop", tightloop, 400000000, "multiplications and additions"},
    {"calls", calls, 50, "times fibonacci(27) by recursion"},
    {"sort", sort, 3, "times 100000 numbers sorted"},
    {"memcopy", memcopy, 4000, "MiB copied"},
    {"faultstorm", faultstorm, 3000, "times 64 pages mapped, touched and unmapped"},
    {"forkstorm", forkstorm, 3000, "forks of 64 dirty pages; the child writes 4"},
};

static void usage(void) {
    printf(
        "usage: bench NAME [COUNT]\n\nDoes a piece of work and frames it with the lines BENCH begin NAME and "
        "BENCH end\n"
        "NAME RESULT.\n\n");
    for (size_t i = 0; i < sizeof(workloads) / sizeof(*workloads); ++i) {
        printf("  %-10s  %10ld %s\n", workloads[i].name, workloads[i].count, workloads[i].unit);
    }
}

int main(int argc, char** argv) {
    if (argc < 2 || argc > 3 || strcmp(argv[1], "--help") == 0 || strcmp(argv[1], "-h") == 0) {
        usage();
        return argc == 2 ? 0 : 2;
    }
    for (size_t i = 0; i < sizeof(workloads) / sizeof(*workloads); ++i) {
        const struct workload* workload = &workloads[i];
        if (strcmp(argv[1], workload->name) != 0) continue;
        long count = argc == 3 ? number(argv[2], 1000000000000) : workload->count;
        say("BENCH begin %s", workload->name);
        uint64_t result = workload->run(count);
        say("BENCH end %s %llu", workload->name, (unsigned long long)result);
        return 0;
    }
    say("bench: there is no workload `%s`; --help names them", argv[1]);
    return 2;
}
