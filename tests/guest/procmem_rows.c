// /proc/<pid>/maps, smaps and pagemap: address spaces and their frames (rows W1 to W6, section 6).
#include "proc_text.h"

#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <time.h>

#define PM_PRESENT (1ULL << 63)
#define PM_FILE (1ULL << 61)
#define PM_EXCLUSIVE (1ULL << 56)
#define PM_SOFT_DIRTY (1ULL << 55)
#define PM_FRAME ((1ULL << 55) - 1)

static uint64_t pagemap_of(const char* file, const void* address) {
    const int fd = open(file, O_RDONLY | O_CLOEXEC);
    uint64_t word = 0;
    CHECK(fd >= 0 && pread(fd, &word, 8, (off_t)((uintptr_t)address / PAGE * 8)) == 8 && close(fd) == 0);
    return word;
}
static uint64_t own_pagemap(const void* address) { return pagemap_of("/proc/self/pagemap", address); }

ROWS(maps_show_areas, "S6,F2") {
    struct area area;
    char* pages = map_pages(6, MAP_PRIVATE);
    CHECK(mprotect(pages + 2 * PAGE, PAGE, PROT_READ) == 0 && mprotect(pages + 3 * PAGE, PAGE, PROT_NONE) == 0);
    CHECK(munmap(pages + 5 * PAGE, PAGE) == 0);
    CHECK(find_area("/proc/self/maps", pages + PAGE, &area));
    CHECK(strcmp(area.rights, "rw-p") == 0 && area.end == (unsigned long)pages + 2 * PAGE);
    CHECK(area.ino == 0 && area.major == 0 && area.minor == 0 && area.offset == 0);
    CHECK(find_area("/proc/self/maps", pages + 2 * PAGE, &area));
    CHECK(strcmp(area.rights, "r--p") == 0 && area.start == (unsigned long)pages + 2 * PAGE && area.end == area.start + PAGE);
    CHECK(find_area("/proc/self/maps", pages + 3 * PAGE, &area) && strcmp(area.rights, "---p") == 0);
    CHECK(find_area("/proc/self/maps", pages + 4 * PAGE, &area) && area.end == (unsigned long)pages + 5 * PAGE);
    CHECK(find_area("/proc/self/maps", &area, &area) && strcmp(area.name, "[stack]") == 0);
    CHECK(find_area("/proc/self/maps", (void*)&maps_show_areas, &area) && strcmp(area.rights, "r-xp") == 0);
    CHECK(strcmp(strrchr(area.name, '/'), "/procmem_rows") == 0);
    struct stat exe;
    CHECK(stat("/proc/self/exe", &exe) == 0 && exe.st_ino == area.ino);
    char* heap = set_break(NULL);
    CHECK(set_break(heap + 2 * PAGE) == heap + 2 * PAGE);
    CHECK(find_area("/proc/self/maps", heap + PAGE, &area) && strcmp(area.name, "[heap]") == 0);
    // Names begin in column 74.
    char* line = strstr(proc_read("/proc/self/maps"), "[heap]");
    CHECK(line[-1] == ' ' && line - 73 >= proc_read("/proc/self/maps") - (1 << 20) && line[-74] == '\n');
}

ROWS(maps_show_files, "S6,W5") {
    char name[] = "/tmp/proc rowsXXXXXX";
    const int fd = mkstemp(name);
    CHECK(fd >= 0 && ftruncate(fd, 4 * PAGE) == 0);
    struct stat status;
    CHECK(fstat(fd, &status) == 0);
    char* shared = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, PAGE);
    char* private = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, fd, 3 * PAGE);
    CHECK(shared != MAP_FAILED && private != MAP_FAILED);
    struct area area;
    CHECK(find_area("/proc/self/maps", shared, &area) && strcmp(area.rights, "rw-s") == 0);
    CHECK(area.offset == PAGE && area.ino == status.st_ino && strcmp(area.name, name) == 0);
    CHECK(find_area("/proc/self/maps", private, &area) && strcmp(area.rights, "r--p") == 0 && area.offset == 3 * PAGE);
    CHECK(unlink(name) == 0 && find_area("/proc/self/maps", shared, &area));
    char gone[64];
    snprintf(gone, sizeof(gone), "%s (deleted)", name);
    CHECK(strcmp(area.name, gone) == 0);
    char* nameless = map_pages(1, MAP_SHARED);
    CHECK(find_area("/proc/self/maps", nameless, &area) && strcmp(area.name, "/dev/zero (deleted)") == 0 && area.ino != 0);
    CHECK(strcmp(area.rights, "rw-s") == 0);
}

// An open maps file goes on to tell of the address space that it was opened for.
ROWS(maps_of_an_address_space_that_is_gone, "S6,V3") {
    int fds[2];
    CHECK(pipe(fds) == 0);
    const pid_t pid = IN_CHILD({
        CHECK(dup2(fds[0], 0) == 0 && close(fds[1]) == 0);
        raise(SIGSTOP);
        execl("/proc/self/exe", "procmem_rows", "no-such-test", NULL);
    });
    close(fds[0]);
    int status;
    CHECK(waitpid(pid, &status, WUNTRACED) == pid && WIFSTOPPED(status));
    char name[64];
    snprintf(name, sizeof(name), "/proc/%d/maps", pid);
    const int before = open(name, O_RDONLY);
    char text[64];
    CHECK(before >= 0 && read(before, text, sizeof(text)) > 0);
    CHECK(kill(pid, SIGCONT) == 0);
    wait_exit(pid, 0);
    const ssize_t left = pread(before, text, sizeof(text), 0);
    CHECK(left == 0 || (left == -1 && errno == ESRCH));
}

ROWS(smaps_count_pages, "S6,W2,W3") {
    char* pages = map_pages(16, MAP_PRIVATE);
    // Areas of others next to it, that it is one by itself.
    CHECK(mprotect(pages, PAGE, PROT_NONE) == 0 && mprotect(pages + 15 * PAGE, PAGE, PROT_NONE) == 0);
    char* inside = pages + PAGE;
    for (int i = 0; i < 5; ++i) inside[i * PAGE] = 1;
    if (on_guest()) {
        // The zero page does not count. (Some hosts give a read a page of its own.)
        const volatile char* reader = inside + 6 * PAGE;
        (void)*reader;
    }
    char* text = smaps_of("/proc/self/smaps", inside);
    CHECK(proc_number(text, "Size") == 14 * 4 && proc_number(text, "KernelPageSize") == 4);
    CHECK(proc_number(text, "Rss") == 5 * 4 && proc_number(text, "Pss") == 5 * 4);
    CHECK(proc_number(text, "Private_Dirty") == 5 * 4 && proc_number(text, "Shared_Dirty") == 0);
    CHECK(proc_number(text, "Anonymous") == 5 * 4 && proc_number(text, "Referenced") == 5 * 4);
    CHECK(strncmp(proc_field(text, "VmFlags"), "rd wr mr mw me ", 15) == 0);
    int go[2], done[2];
    CHECK(pipe(go) == 0 && pipe(done) == 0);
    const pid_t pid = IN_CHILD({
        char byte;
        CHECK(read(go[0], &byte, 1) == 1);
        inside[0] = 2;
        CHECK(write(done[1], "x", 1) == 1 && read(go[0], &byte, 1) == 1);
    });
    text = smaps_of("/proc/self/smaps", inside);
    CHECK(proc_number(text, "Rss") == 5 * 4 && proc_number(text, "Pss") == 5 * 2 && proc_number(text, "Shared_Dirty") == 5 * 4);
    char byte;
    CHECK(write(go[1], "x", 1) == 1 && read(done[0], &byte, 1) == 1);
    // The child's copy left one page to its parent alone.
    text = smaps_of("/proc/self/smaps", inside);
    CHECK(proc_number(text, "Private_Dirty") == 4 && proc_number(text, "Shared_Dirty") == 4 * 4);
    char name[64];
    snprintf(name, sizeof(name), "/proc/%d/smaps", pid);
    text = smaps_of(name, inside);
    CHECK(proc_number(text, "Private_Dirty") == 4 && proc_number(text, "Shared_Dirty") == 4 * 4);
    CHECK(write(go[1], "x", 1) == 1);
    wait_exit(pid, 0);
    text = proc_read("/proc/self/smaps_rollup");
    CHECK(text != NULL && strstr(text, "[rollup]\n") != NULL && proc_number(text, "Rss") >= 20);
}

ROWS(pagemap_shows_pages, "S6,W6") {
    char* pages = map_pages(4, MAP_PRIVATE);
    pages[0] = 1;
    const volatile char* reader = pages + PAGE;
    (void)*reader;
    const bool soft = (own_pagemap(pages + 3 * PAGE) & PM_SOFT_DIRTY) != 0;
    CHECK(soft || !on_guest());
    CHECK((own_pagemap(pages) & (PM_PRESENT | PM_FILE)) == PM_PRESENT);
    CHECK((own_pagemap(pages) & PM_EXCLUSIVE) != 0);
    // Only read: the zero page, which is everybody's. (Some hosts give a read a page of its own.)
    CHECK((own_pagemap(pages + PAGE) & (PM_PRESENT | PM_FILE)) == PM_PRESENT);
    CHECK((own_pagemap(pages + PAGE) & PM_EXCLUSIVE) == 0 || !on_guest());
    CHECK((own_pagemap(pages + 2 * PAGE) & ~PM_SOFT_DIRTY) == 0);
    CHECK(munmap(pages + 2 * PAGE, PAGE) == 0 && own_pagemap(pages + 2 * PAGE) == 0);
    char* shared = map_pages(1, MAP_SHARED);
    shared[0] = 1;
    CHECK((own_pagemap(shared) & (PM_PRESENT | PM_FILE)) == (PM_PRESENT | PM_FILE));
    CHECK((own_pagemap((void*)&pagemap_shows_pages) & (PM_PRESENT | PM_FILE)) == (PM_PRESENT | PM_FILE));
    // PROT_NONE hides a page from the program, not from here.
    CHECK(mprotect(pages, PAGE, PROT_NONE) == 0 && (own_pagemap(pages) & PM_PRESENT) != 0);
    const int fd = open("/proc/self/pagemap", O_RDONLY);
    uint64_t words[4];
    CHECK_ERROR(pread(fd, words, 7, 0), EINVAL);
    CHECK_ERROR(pread(fd, words, 8, 4), EINVAL);
    CHECK(pread(fd, words, 32, (off_t)((uintptr_t)pages / PAGE * 8)) == 32);
    for (int i = 0; i < 4; ++i) CHECK(words[i] == own_pagemap(pages + i * PAGE));
    CHECK(pread(fd, words, 8, (off_t)(0x7ffffffff000 / PAGE * 8)) == 0);
    CHECK(lseek(fd, 800, SEEK_SET) == 800);
}

// Copy-on-write, seen by the numbers of the frames.
ROWS(pagemap_shows_copy_on_write, "W1,W2,W3,W5") {
    if (getuid() != 0) return;
    char* pages = map_pages(2, MAP_PRIVATE);
    char* shared = map_pages(1, MAP_SHARED);
    pages[0] = pages[PAGE] = shared[0] = 1;
    const uint64_t first = own_pagemap(pages) & PM_FRAME, second = own_pagemap(pages + PAGE) & PM_FRAME;
    CHECK(first != 0 && second != 0 && first != second);
    int go[2], done[2];
    CHECK(pipe(go) == 0 && pipe(done) == 0);
    const pid_t pid = IN_CHILD({
        char byte;
        CHECK(read(go[0], &byte, 1) == 1);
        pages[0] = shared[0] = 2;
        CHECK(write(done[1], "x", 1) == 1 && read(go[0], &byte, 1) == 1);
    });
    char name[64];
    snprintf(name, sizeof(name), "/proc/%d/pagemap", pid);
    CHECK((pagemap_of(name, pages) & PM_FRAME) == first && (pagemap_of(name, pages + PAGE) & PM_FRAME) == second);
    CHECK((own_pagemap(pages) & (PM_FRAME | PM_EXCLUSIVE)) == first);
    char byte;
    CHECK(write(go[1], "x", 1) == 1 && read(done[0], &byte, 1) == 1);
    CHECK((pagemap_of(name, shared) & PM_FRAME) == (own_pagemap(shared) & PM_FRAME));
    const uint64_t copy = pagemap_of(name, pages);
    CHECK((copy & PM_FRAME) != first && (copy & PM_EXCLUSIVE) != 0);
    CHECK((own_pagemap(pages) & (PM_FRAME | PM_EXCLUSIVE)) == (first | PM_EXCLUSIVE));
    CHECK(write(go[1], "x", 1) == 1);
    wait_exit(pid, 0);
    // The last owner gets the frame itself. Linux copies if it happens to hold the frame elsewhere, on the list of
    // another CPU for one.
    pages[PAGE] = 3;
    const uint64_t last = own_pagemap(pages + PAGE);
    CHECK((last & PM_EXCLUSIVE) != 0 && ((last & PM_FRAME) == second || !on_guest()));
    // To others than root, frames are not shown.
    wait_exit(IN_CHILD({
                  CHECK(setresuid(1000, 1000, 1000) == 0);
                  const int fd = open("/proc/self/pagemap", O_RDONLY);
                  uint64_t word = 0;
                  if (fd >= 0) CHECK(pread(fd, &word, 8, (off_t)((uintptr_t)pages / PAGE * 8)) == 8 && (word & PM_FRAME) == 0);
              }),
              0);
}
