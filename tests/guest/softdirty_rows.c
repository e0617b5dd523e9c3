// Soft-dirty bits: which pages were written since somebody last asked (/proc/<pid>/clear_refs, pagemap, smaps), and which
// were used.
#include "proc_text.h"

#define PM_SOFT_DIRTY (1ULL << 55)

static uint64_t pagemap(const void* address) {
    const int fd = open("/proc/self/pagemap", O_RDONLY | O_CLOEXEC);
    uint64_t word = 0;
    CHECK(fd >= 0 && pread(fd, &word, 8, (off_t)((uintptr_t)address / PAGE * 8)) == 8 && close(fd) == 0);
    return word;
}
static bool soft(const void* address) { return (pagemap(address) & PM_SOFT_DIRTY) != 0; }
static void clear(const char* what) {
    const int fd = open("/proc/self/clear_refs", O_WRONLY | O_CLOEXEC);
    CHECK(fd >= 0 && write(fd, what, 1) == 1 && close(fd) == 0);
}
static void look(const char* at) { (void)*(const volatile char*)at; }
static bool flagged(const char* at) {
    char* line = proc_field(smaps_of("/proc/self/smaps", at), "VmFlags");
    return memmem(line, strcspn(line, "\n"), " sd", 3) != NULL;
}
// A host whose kernel was built without: nothing is ever soft-dirty there.
static bool not_built_in(void) {
    char* page = map_pages(1, MAP_PRIVATE);
    page[0] = 1;
    const bool there = soft(page);
    CHECK(there || !on_guest());
    return !there;
}

ROWS(what_is_new_is_dirty, "S6") {
    if (not_built_in()) return;
    char* pages = map_pages(4, MAP_PRIVATE);
    CHECK(soft(pages) && flagged(pages));
    pages[0] = pages[PAGE] = 1;
    look(pages + 2 * PAGE);
    clear("4");
    for (int i = 0; i < 4; ++i) CHECK(!soft(pages + i * PAGE));
    CHECK(!flagged(pages));
    look(pages);
    CHECK(!soft(pages));
    pages[0] = pages[2 * PAGE] = pages[3 * PAGE] = 2;
    CHECK(soft(pages) && !soft(pages + PAGE) && soft(pages + 2 * PAGE) && soft(pages + 3 * PAGE));
    // Cleared again and again.
    clear("4");
    CHECK(!soft(pages) && pages[0] == 2);
    pages[PAGE] = 3;
    CHECK(!soft(pages) && soft(pages + PAGE) && !flagged(pages));
    // The other kinds of clearing leave them.
    clear("1"), clear("2"), clear("3"), clear("5");
    CHECK(soft(pages + PAGE));
}

ROWS(shared_memory_is_watched, "S6,W5") {
    if (not_built_in()) return;
    char* pages = map_pages(4, MAP_SHARED);
    memset(pages, 1, 2 * PAGE);
    clear("4");
    CHECK(!soft(pages) && !soft(pages + 3 * PAGE));
    pages[0] = 2;
    look(pages + 2 * PAGE);
    CHECK(soft(pages) && !soft(pages + PAGE) && !soft(pages + 2 * PAGE));
    pages[2 * PAGE] = 2;
    CHECK(soft(pages + 2 * PAGE));
    // Rights that come back do not hide a write.
    clear("4");
    CHECK(mprotect(pages, 4 * PAGE, PROT_READ) == 0 && mprotect(pages, 4 * PAGE, PROT_READ | PROT_WRITE) == 0);
    pages[PAGE] = 3;
    CHECK(soft(pages + PAGE) && !soft(pages));
}

ROWS(the_kernels_writes_are_seen, "S6,W7") {
    if (not_built_in()) return;
    char* pages = map_pages(2, MAP_PRIVATE);
    memset(pages, 1, 2 * PAGE);
    int ends[2];
    CHECK(pipe(ends) == 0 && write(ends[1], "k", 1) == 1);
    clear("4");
    CHECK(read(ends[0], pages, 1) == 1 && soft(pages) && !soft(pages + PAGE));
    const int fd = open("/proc/self/mem", O_RDWR);
    CHECK(mprotect(pages + PAGE, PAGE, PROT_READ) == 0);
    CHECK(pwrite(fd, "m", 1, (off_t)(uintptr_t)(pages + PAGE)) == 1 && soft(pages + PAGE));
}

ROWS(protection_keeps_them, "S6") {
    if (not_built_in()) return;
    char* pages = map_pages(3, MAP_PRIVATE);
    memset(pages, 1, 3 * PAGE);
    clear("4");
    pages[0] = 2;
    CHECK(mprotect(pages, 3 * PAGE, PROT_NONE) == 0 && soft(pages) && !soft(pages + PAGE));
    CHECK(mprotect(pages, 3 * PAGE, PROT_READ | PROT_WRITE) == 0 && soft(pages) && !soft(pages + PAGE));
    pages[PAGE] = 2;
    CHECK(soft(pages + PAGE) && !soft(pages + 2 * PAGE));
}

ROWS(mappings_that_come_and_go, "S6") {
    if (not_built_in()) return;
    char* pages = map_pages(6, MAP_PRIVATE);
    memset(pages, 1, 6 * PAGE);
    CHECK(mprotect(pages + 3 * PAGE, PAGE, PROT_NONE) == 0);
    clear("4");
    // Unmapped and mapped again: all of it is new, written or not.
    CHECK(munmap(pages, 2 * PAGE) == 0 && pagemap(pages) == 0);
    CHECK(mmap(pages, 2 * PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == pages);
    CHECK(soft(pages) && soft(pages + PAGE) && !soft(pages + 2 * PAGE));
    // At its new place what was there is new as well.
    char* moved = mremap(pages + 4 * PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE);
    CHECK(moved != MAP_FAILED && soft(moved) && !soft(pages + 5 * PAGE));
}

ROWS(children_inherit_them, "S6,F1,W1,W9") {
    if (not_built_in()) return;
    char* pages = map_pages(3, MAP_PRIVATE);
    memset(pages, 1, 3 * PAGE);
    clear("4");
    pages[0] = 2;
    wait_exit(IN_CHILD({
                  CHECK(soft(pages) && !soft(pages + PAGE) && !flagged(pages));
                  pages[PAGE] = 3;
                  CHECK(soft(pages + PAGE) && !soft(pages + 2 * PAGE));
                  clear("4");
                  CHECK(!soft(pages) && !soft(pages + PAGE));
              }),
              0);
    CHECK(soft(pages) && !soft(pages + PAGE));
    pages[2 * PAGE] = 2;
    CHECK(soft(pages + 2 * PAGE));
    // The last owner gets its page back by a fault that tells of the write, too.
    clear("4");
    pages[0] = 4;
    CHECK(soft(pages) && !soft(pages + PAGE));
}

// Which pages a child used is no matter of its parent's.
GUEST_ROWS(references_of_a_child, "S6,W9") {
    char* pages = map_pages(6, MAP_PRIVATE);
    CHECK(mprotect(pages, PAGE, PROT_NONE) == 0 && mprotect(pages + 5 * PAGE, PAGE, PROT_NONE) == 0);
    char* inside = pages + PAGE;
    memset(inside, 1, 4 * PAGE);
    wait_exit(IN_CHILD({
                  clear("1");
                  CHECK(proc_number(smaps_of("/proc/self/smaps", inside), "Referenced") == 0);
                  look(inside);
                  CHECK(proc_number(smaps_of("/proc/self/smaps", inside), "Referenced") == 4);
              }),
              0);
    CHECK(proc_number(smaps_of("/proc/self/smaps", inside), "Referenced") == 16);
    // By kind.
    clear("3");
    CHECK(proc_number(smaps_of("/proc/self/smaps", inside), "Referenced") == 16);
    clear("2");
    CHECK(proc_number(smaps_of("/proc/self/smaps", inside), "Referenced") == 0);
}

GUEST_ROWS(nothing_stays, "W10") {
    char* pages = map_pages(8, MAP_PRIVATE);
    for (int round = 0; round < 2; ++round) {
        if (round == 1) count_kernel();
        for (int i = 0; i < 10; ++i) {
            memset(pages, i, 8 * PAGE);
            wait_exit(IN_CHILD({
                          clear("4");
                          memset(pages, 9, 4 * PAGE);
                          clear("1");
                      }),
                      0);
            clear("4");
        }
    }
    expect_counts("soft-dirty");
}
