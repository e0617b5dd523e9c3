// smaps and smaps_rollup of memory that several processes share: each has its part, and all parts make the whole.
#include "proc_text.h"

enum { kPages = 60, kMost = 5 };

// An area by itself.
static char* island(int flags) {
    char* memory = mmap(NULL, (kPages + 2) * PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(memory != MAP_FAILED);
    char* inside = mmap(memory + PAGE, kPages * PAGE, PROT_READ | PROT_WRITE, flags | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    CHECK(inside == memory + PAGE);
    return inside;
}

static char* smaps(pid_t pid, const char* at) {
    char name[64];
    snprintf(name, sizeof(name), "/proc/%d/smaps", pid);
    return smaps_of(name, at);
}

struct group {
    int count;
    pid_t pids[kMost];
    int go[kMost][2], done[2];
};
// Children that write to the first `pages` pages when they are told to.
static void add_child(struct group* group, char* memory, int pages) {
    if (group->count == 0) CHECK(pipe(group->done) == 0);
    int* go = group->go[group->count];
    CHECK(pipe(go) == 0);
    group->pids[group->count++] = IN_CHILD({
        char byte;
        CHECK(read(go[0], &byte, 1) == 1);
        for (int i = 0; i < pages; ++i) memory[i * PAGE] = 'c';
        CHECK(write(group->done[1], "d", 1) == 1 && read(go[0], &byte, 1) == 1);
    });
}
static void let_write(struct group* group, int which) {
    char byte;
    CHECK(write(group->go[which][1], "g", 1) == 1 && read(group->done[0], &byte, 1) == 1);
}
static void end_all(struct group* group) {
    for (int i = 0; i < group->count; ++i) CHECK(write(group->go[i][1], "gg", 2) == 2);
    for (int i = 0; i < group->count; ++i) wait_exit(group->pids[i], 0);
}

// Parts of pages are cut, and so is their sum.
static bool about(long told, long exact) { return told == exact || told == exact - 1; }

// Of one process's area, KiB.
static void check_area(char* text, long rss, long pss, long shared_dirty, long private_dirty) {
    CHECK(proc_number(text, "Rss") == rss && about(proc_number(text, "Pss"), pss));
    CHECK(proc_number(text, "Pss_Dirty") == proc_number(text, "Pss"));
    CHECK(proc_number(text, "Shared_Dirty") == shared_dirty && proc_number(text, "Private_Dirty") == private_dirty);
    CHECK(proc_number(text, "Shared_Clean") == 0 && proc_number(text, "Private_Clean") == 0);
}

ROWS(parts_of_private_memory, "S6,W1,W2,W9") {
    char* memory = island(MAP_PRIVATE);
    memset(memory, 'p', kPages * PAGE);
    const long all = kPages * 4;
    check_area(smaps(getpid(), memory), all, all, 0, all);
    struct group group = {0};
    for (int n = 1; n <= 4; ++n) {
        add_child(&group, memory, 10);
        const long part = all / (n + 1);
        check_area(smaps(getpid(), memory), all, part, all, 0);
        check_area(smaps(group.pids[0], memory), all, part, all, 0);
        check_area(smaps(group.pids[n - 1], memory), all, part, all, 0);
    }
    // One takes ten pages for its own: four share these, five the rest. Where tables are shared, it is one of two tables
    // that maps a page, and shares none; the others have a fourth of the other half.
    let_write(&group, 1);
    char* text = smaps(group.pids[1], memory);
    CHECK(proc_number(text, "Private_Dirty") == 40 && proc_number(text, "Shared_Dirty") == all - 40);
    CHECK(about(proc_number(text, "Pss"), fork_shares_tables() ? 40 + (all - 40) / 2 : 40 + (all - 40) / 5));
    text = smaps(getpid(), memory);
    CHECK(proc_number(text, "Shared_Dirty") == all && proc_number(text, "Private_Dirty") == 0);
    CHECK(about(proc_number(text, "Pss"), fork_shares_tables() ? 10 + (all - 40) / 8 : 10 + (all - 40) / 5));
    end_all(&group);
    check_area(smaps(getpid(), memory), all, all, 0, all);
}

ROWS(parts_of_shared_memory, "S6,W5") {
    char* memory = island(MAP_SHARED);
    memset(memory, 's', kPages * PAGE);
    struct group group = {0};
    add_child(&group, memory, kPages / 2);
    add_child(&group, memory, kPages / 2);
    // A child maps a shared page only when it touches it.
    char* text = smaps(getpid(), memory);
    CHECK(proc_number(text, "Rss") == kPages * 4);
    let_write(&group, 0);
    let_write(&group, 1);
    text = smaps(group.pids[0], memory);
    CHECK(proc_number(text, "Rss") >= kPages * 2);
    text = smaps(getpid(), memory);
    const long pss = proc_number(text, "Pss");
    CHECK(about(pss, kPages * 4 / 3) || about(pss, kPages * 2 + kPages * 2 / 3));
    CHECK(proc_number(text, "Anonymous") == 0);
    end_all(&group);
    CHECK(proc_number(smaps(getpid(), memory), "Pss") == kPages * 4);
}

// Clean pages of a file, by who maps them.
ROWS(parts_of_a_file, "S6,W5") {
    char name[] = "/tmp/pss-XXXXXX";
    const int fd = mkstemp(name);
    static char text_of_file[kPages * PAGE];
    CHECK(fd >= 0 && unlink(name) == 0 && write(fd, text_of_file, sizeof(text_of_file)) == sizeof(text_of_file));
    CHECK(fsync(fd) == 0);
    char* memory = island(MAP_PRIVATE);
    CHECK(mmap(memory, kPages * PAGE, PROT_READ, MAP_PRIVATE | MAP_FIXED | MAP_POPULATE, fd, 0) == memory);
    for (int i = 0; i < kPages; ++i) (void)*(volatile char*)(memory + i * PAGE);
    char* text = smaps(getpid(), memory);
    CHECK(proc_number(text, "Rss") == kPages * 4 && proc_number(text, "Pss") == kPages * 4);
    CHECK(proc_number(text, "Private_Clean") + proc_number(text, "Private_Dirty") == kPages * 4);
    wait_exit(IN_CHILD({
                  for (int i = 0; i < kPages / 2; ++i) (void)*(volatile char*)(memory + i * PAGE);
                  char* ours = smaps(getpid(), memory);
                  CHECK(proc_number(ours, "Pss") * 2 == proc_number(ours, "Rss") && proc_number(ours, "Private_Clean") == 0);
                  CHECK(proc_number(ours, "Anonymous") == 0);
              }),
              0);
}

// The sum over all areas, and what it is made of.
ROWS(the_sum, "S6") {
    char* private = island(MAP_PRIVATE);
    char* shared = island(MAP_SHARED);
    char* text = proc_read("/proc/self/smaps_rollup");
    const long rss = proc_number(text, "Rss"), anon = proc_number(text, "Pss_Anon"), shmem = proc_number(text, "Pss_Shmem");
    memset(private, 1, kPages * PAGE);
    memset(shared, 1, kPages * PAGE);
    text = proc_read("/proc/self/smaps_rollup");
    CHECK(proc_number(text, "Rss") >= rss + 8 * kPages && proc_number(text, "Pss_Anon") >= anon + 4 * kPages);
    CHECK(proc_number(text, "Pss_Shmem") == shmem + 4 * kPages);
    const long parts = proc_number(text, "Pss_Anon") + proc_number(text, "Pss_File") + proc_number(text, "Pss_Shmem");
    CHECK(proc_number(text, "Pss") >= parts && proc_number(text, "Pss") <= parts + 2);
    const long kinds = proc_number(text, "Shared_Clean") + proc_number(text, "Shared_Dirty") +
                       proc_number(text, "Private_Clean") + proc_number(text, "Private_Dirty");
    CHECK(kinds == proc_number(text, "Rss"));
}
