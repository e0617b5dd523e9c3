// Memory that spans whole page tables, across fork: what holds however fork shares it, and with fork=shared-tables
// (row W9) that it shares tables. The kernel is booted both ways.
#include "rows.h"

enum { kTable = 2 << 20, kTables = 4, kBytes = kTables * kTable, kPagesInTable = kTable / PAGE, kPages = kBytes / PAGE };

// A region that begins where a last-level table does, with nothing else under its tables.
static char* region(void) {
    char* memory = mmap(NULL, kBytes + 2 * kTable, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(memory != MAP_FAILED);
    char* start = (char*)(((uintptr_t)memory + kTable - 1) & ~(uintptr_t)(kTable - 1));
    CHECK(mmap(start, kBytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == start);
    return start;
}

static char* dirty_region(void) {
    char* start = region();
    for (int i = 0; i < kPages; ++i) start[i * PAGE] = (char)(i * 7 + 1);
    return start;
}
static bool untouched(const char* start, int from, int to) {
    for (int i = from; i < to; ++i)
        if (start[i * PAGE] != (char)(i * 7 + 1)) return false;
    return true;
}

static void expect_segv(char* at) {
    const int status = wait_status(IN_CHILD({ *(volatile char*)at = 1; }));
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

// Two pipes by which a child says that it has come to a place, and is told to go on.
struct meeting {
    int there[2], go[2];
};
static struct meeting meeting(void) {
    struct meeting m;
    CHECK(pipe(m.there) == 0 && pipe(m.go) == 0);
    return m;
}
static void arrive(struct meeting* m) {
    char byte = 0;
    CHECK(write(m->there[1], "a", 1) == 1 && read(m->go[0], &byte, 1) == 1);
}
static void await(struct meeting* m) {
    char byte = 0;
    CHECK(read(m->there[0], &byte, 1) == 1);
}
static void let_go(struct meeting* m) { CHECK(write(m->go[1], "g", 1) == 1); }

ROWS(three_generations_write_apart, "W9,F2,W2") {
    char* start = dirty_region();
    struct meeting m = meeting();
    const pid_t pid = IN_CHILD({
        start[0] = 'c';
        const pid_t grandchild = IN_CHILD({
            CHECK(start[0] == 'c' && untouched(start, 1, kPages));
            start[0] = 'g';
            start[3 * kTable] = 'g';
            CHECK(untouched(start, 1, 3 * kPagesInTable));
        });
        wait_exit(grandchild, 0);
        CHECK(start[0] == 'c' && untouched(start, 1, kPages));
        arrive(&m);
        CHECK(start[0] == 'c' && untouched(start, 1, kPages));
    });
    await(&m);
    CHECK(untouched(start, 0, kPages));
    for (int i = 0; i < kPages; i += 3) start[i * PAGE] = 'p';
    let_go(&m);
    wait_exit(pid, 0);
    for (int i = 0; i < kPages; ++i) CHECK(start[i * PAGE] == (i % 3 == 0 ? 'p' : (char)(i * 7 + 1)));
}

// The parent goes first, and the child is left with what it was given.
ROWS(the_child_survives_its_parent, "W9,F2") {
    int result[2];
    CHECK(pipe(result) == 0);
    const pid_t parent = IN_CHILD({
        char* start = dirty_region();
        struct meeting m = meeting();
        IN_CHILD({
            arrive(&m);
            usleep(20000);
            bool fine = untouched(start, 0, kPages);
            for (int i = 0; i < kPages; ++i) start[i * PAGE] = 'x';
            for (int i = 0; i < kPages; ++i) fine = fine && start[i * PAGE] == 'x';
            CHECK(write(result[1], fine ? "y" : "n", 1) == 1);
        });
        await(&m);
        start[0] = 'p';
        let_go(&m);
    });
    wait_exit(parent, 0);
    char answer = 0;
    CHECK(read(result[0], &answer, 1) == 1 && answer == 'y');
}

ROWS(unmapping_stays_on_one_side, "W9,F2") {
    char* start = dirty_region();
    wait_exit(IN_CHILD({
                  CHECK(munmap(start + kTable + 5 * PAGE, kTable) == 0);  // parts of two tables
                  CHECK(munmap(start + 3 * kTable, kTable) == 0);         // all of one
                  CHECK(untouched(start, 0, kPagesInTable + 5));
                  CHECK(untouched(start, 2 * kPagesInTable + 5, 3 * kPagesInTable));
                  expect_segv(start + kTable + 5 * PAGE);
                  expect_segv(start + 3 * kTable);
              }),
              0);
    CHECK(untouched(start, 0, kPages));
    struct meeting m = meeting();
    const pid_t pid = IN_CHILD({
        arrive(&m);
        CHECK(untouched(start, 0, kPages));
    });
    await(&m);
    CHECK(munmap(start, kBytes - PAGE) == 0);
    let_go(&m);
    wait_exit(pid, 0);
    CHECK(untouched(start, kPages - 1, kPages));
}

ROWS(protection_stays_on_one_side, "W9,F2") {
    char* start = dirty_region();
    wait_exit(IN_CHILD({
                  CHECK(mprotect(start + 8 * PAGE, kTable, PROT_READ) == 0);
                  CHECK(untouched(start, 0, kPages));
                  expect_segv(start + 8 * PAGE);
                  CHECK(mprotect(start, kTable, PROT_NONE) == 0);
                  expect_segv(start);
                  CHECK(mprotect(start, kTable, PROT_READ | PROT_WRITE) == 0);
                  CHECK(untouched(start, 0, kPages));
                  start[0] = 'c';
              }),
              0);
    for (int i = 0; i < kPages; ++i) {
        CHECK(start[i * PAGE] == (char)(i * 7 + 1));
        start[i * PAGE] = 'p';
    }
}

ROWS(moving_stays_on_one_side, "W9,F2") {
    char* start = dirty_region();
    wait_exit(IN_CHILD({
                  char* other = region();
                  char* moved = mremap(start + kTable, kTable, kTable, MREMAP_MAYMOVE | MREMAP_FIXED, other + 3 * PAGE);
                  CHECK(moved == other + 3 * PAGE);
                  for (int i = 0; i < kPagesInTable; ++i)
                      CHECK(moved[i * PAGE] == (char)((i + kPagesInTable) * 7 + 1));
                  moved[0] = 'c';
                  expect_segv(start + kTable);
              }),
              0);
    CHECK(untouched(start, 0, kPages));
}

ROWS(discarding_stays_on_one_side, "W9,F2") {
    char* start = dirty_region();
    wait_exit(IN_CHILD({
                  CHECK(madvise(start + 7 * PAGE, kTable, MADV_DONTNEED) == 0);
                  CHECK(madvise(start + 2 * kTable, kTable, MADV_DONTNEED) == 0);
                  CHECK(untouched(start, 0, 7) && start[7 * PAGE] == 0 && start[2 * kTable + 9 * PAGE] == 0);
                  start[2 * kTable] = 'c';
              }),
              0);
    CHECK(untouched(start, 0, kPages));
}

// Other kinds of memory under the same table as what is private.
ROWS(neighbours_of_other_kinds, "W9,W5") {
    char* start = dirty_region();
    char* shared = start + 3 * PAGE;
    CHECK(mmap(shared, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == shared);
    char* wiped = start + kTable + 3 * PAGE;
    CHECK(madvise(wiped, PAGE, MADV_WIPEONFORK) == 0);
    char* kept = start + 2 * kTable + 3 * PAGE;
    CHECK(madvise(kept, PAGE, MADV_DONTFORK) == 0);
    wait_exit(IN_CHILD({
                  shared[0] = 's';
                  CHECK(wiped[0] == 0);
                  expect_segv(kept);
                  CHECK(untouched(start, 0, 3) && untouched(start, 4, kPagesInTable + 3));
                  CHECK(untouched(start, 3 * kPagesInTable, kPages));
              }),
              0);
    CHECK(shared[0] == 's' && untouched(start, 4, kPages));
    // Made after the fork, beside what both sides still share.
    char* later = region();
    CHECK(munmap(later + PAGE, kTable - PAGE) == 0);
    later[0] = 'l';
    struct meeting m = meeting();
    const pid_t pid = IN_CHILD({
        arrive(&m);
        CHECK(later[0] == 'l');
        expect_segv(later + PAGE);
    });
    await(&m);
    CHECK(mmap(later + PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == later + PAGE);
    later[PAGE] = 'n';
    let_go(&m);
    wait_exit(pid, 0);
    CHECK(later[0] == 'l' && later[PAGE] == 'n');
}

ROWS(the_kernel_writes_under_a_shared_table, "W9,W7") {
    char* start = dirty_region();
    int ends[2];
    CHECK(pipe(ends) == 0);
    wait_exit(IN_CHILD({
                  CHECK(write(ends[1], "kk", 2) == 2);
                  CHECK(read(ends[0], start + kTable - 1, 2) == 2);
                  CHECK(start[kTable - 1] == 'k' && start[kTable] == 'k');
              }),
              0);
    CHECK(untouched(start, 0, kPages) && start[kTable - 1] == 0);
}

// A tree of processes that does anything at all to its memory; each knows what it must find.
static uint32_t seed;
static uint32_t random_below(uint32_t limit) {
    seed = seed * 1664525u + 1013904223u;
    return (uint32_t)(((uint64_t)seed * limit) >> 32);
}
enum { kGone = -1, kReadOnly = 0x100 };
static int expected[kPages];

static void check_all(const char* start) {
    for (int i = 0; i < kPages; ++i)
        if (expected[i] != kGone) CHECK((unsigned char)start[i * PAGE] == (expected[i] & 0xff));
}

static void random_step(char* start) {
    const int first = (int)random_below(kPages);
    int count = 1 + (int)random_below(random_below(3) == 0 ? kPages : 40);
    if (count > kPages - first) count = kPages - first;
    char* at = start + first * PAGE;
    const size_t bytes = (size_t)count * PAGE;
    switch (random_below(6)) {
        case 0:
            CHECK(munmap(at, bytes) == 0);
            for (int i = first; i < first + count; ++i) expected[i] = kGone;
            break;
        case 1:
            CHECK(mmap(at, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == at);
            for (int i = first; i < first + count; ++i) expected[i] = 0;
            break;
        case 2:
            for (int i = first; i < first + count; ++i) {
                if (expected[i] == kGone) return;
            }
            CHECK(mprotect(at, bytes, PROT_READ) == 0);
            for (int i = first; i < first + count; ++i) expected[i] |= kReadOnly;
            break;
        case 3:
            for (int i = first; i < first + count; ++i) {
                if (expected[i] == kGone) return;
            }
            CHECK(mprotect(at, bytes, PROT_READ | PROT_WRITE) == 0);
            for (int i = first; i < first + count; ++i) expected[i] &= ~kReadOnly;
            break;
        case 4:
            if (madvise(at, bytes, MADV_DONTNEED) != 0) CHECK(errno == ENOMEM);
            for (int i = first; i < first + count; ++i)
                if (expected[i] != kGone) expected[i] &= kReadOnly;
            break;
        default:
            for (int i = first; i < first + count; ++i) {
                if (expected[i] == kGone || (expected[i] & kReadOnly) != 0) continue;
                const unsigned char value = (unsigned char)random_below(256);
                start[i * PAGE] = (char)value;
                expected[i] = value;
            }
    }
}

static void random_life(char* start, int depth, int steps) {
    int children = 0;
    for (int step = 0; step < steps; ++step) {
        random_step(start);
        if (depth > 0 && random_below(4) == 0) {
            ++children;
            const uint32_t for_child = seed * 31 + 7;
            (void)IN_CHILD({
                seed = for_child;
                check_all(start);
                random_life(start, depth - 1, steps / 2);
            });
        }
        if (random_below(3) == 0) sched_yield();
    }
    check_all(start);
    for (; children > 0; --children) {
        int status = 0;
        CHECK(wait(&status) > 0 && status == 0);
    }
    check_all(start);
}

ROWS(random_changes_in_a_tree_of_processes, "W9,F2,W2,W3") {
    for (uint32_t round = 1; round <= 4; ++round) {
        wait_exit(IN_CHILD({
                      seed = round * 2654435761u;
                      char* start = region();
                      random_life(start, 3, 24);
                  }),
                  0);
    }
}

// Frames that a fork takes: with shared tables those above them and small change, else a table for each 2 MiB.
GUEST_ROWS(fork_takes_no_table_for_what_is_shared, "W9,W1") {
    char* start = dirty_region();
    struct meeting m = meeting();
    const uint64_t before = free_ram();
    const pid_t pid = IN_CHILD({ arrive(&m); });
    await(&m);
    const uint64_t frames = (before - free_ram()) / PAGE;
    let_go(&m);
    wait_exit(pid, 0);
    struct meeting n = meeting();
    CHECK(munmap(start, kBytes) == 0);
    const uint64_t before_small = free_ram();
    const pid_t small = IN_CHILD({ arrive(&n); });
    await(&n);
    const uint64_t small_frames = (before_small - free_ram()) / PAGE;
    let_go(&n);
    wait_exit(small, 0);
    CHECK(frames >= small_frames);
    CHECK(fork_shares_tables() ? frames - small_frames <= 1 : frames - small_frames == kTables + 1);
}

GUEST_ROWS(all_memory_comes_back, "W9,W10") {
    uint64_t before = 0;
    for (int round = 0; round < 12; ++round) {
        if (round == 4) before = free_ram();
        wait_exit(IN_CHILD({
                      seed = (uint32_t)round + 99;
                      random_life(region(), 3, 10);
                  }),
                  0);
    }
    CHECK(free_ram() == before);
}
