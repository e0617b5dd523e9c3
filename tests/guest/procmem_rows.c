// /proc/<pid>/maps, smaps and pagemap, and /proc's files about the whole system: address spaces, frames and counts
// (rows W1 to W10, F2, F4, section 6).
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

// One line of maps.
struct area {
    unsigned long start, end, offset, ino;
    unsigned major, minor;
    char rights[5];
    char name[256];
};

// The area of /proc/PID/maps that holds the address; false if none does.
static bool find_area(const char* file, const void* address, struct area* out) {
    char* line = proc_read_at(file);
    CHECK(line != NULL);
    unsigned long before = 0;
    while (line != NULL && *line != '\0') {
        memset(out, 0, sizeof(*out));
        const int got = sscanf(line, "%lx-%lx %4s %lx %x:%x %lu %255[^\n]", &out->start, &out->end, out->rights, &out->offset,
                               &out->major, &out->minor, &out->ino, out->name);
        CHECK(got >= 7 && out->start < out->end && out->start >= before);
        before = out->end;
        if ((unsigned long)address >= out->start && (unsigned long)address < out->end) return true;
        line = strchr(line, '\n');
        if (line != NULL) ++line;
    }
    return false;
}

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

static char* smaps_of(const char* file, const void* address) {
    char* text = proc_read_at(file);
    CHECK(text != NULL);
    char start[32];
    struct area area;
    CHECK(find_area("/proc/self/maps", address, &area));
    snprintf(start, sizeof(start), "%08lx-", area.start);
    char* at = strstr(text, start);
    CHECK(at != NULL);
    return at;
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
    // The last owner gets the frame itself.
    pages[PAGE] = 3;
    CHECK((own_pagemap(pages + PAGE) & (PM_FRAME | PM_EXCLUSIVE)) == (second | PM_EXCLUSIVE));
    // To others than root, frames are not shown.
    wait_exit(IN_CHILD({
                  CHECK(setresuid(1000, 1000, 1000) == 0);
                  const int fd = open("/proc/self/pagemap", O_RDONLY);
                  uint64_t word = 0;
                  if (fd >= 0) CHECK(pread(fd, &word, 8, (off_t)((uintptr_t)pages / PAGE * 8)) == 8 && (word & PM_FRAME) == 0);
              }),
              0);
}

ROWS(sizes_follow_the_calls, "S6,F2,F4") {
    char* text = proc_read("/proc/self/status");
    const long size = proc_number(text, "VmSize"), data = proc_number(text, "VmData");
    char* pages = map_pages(300, MAP_PRIVATE);
    text = proc_read("/proc/self/status");
    CHECK(proc_number(text, "VmSize") == size + 1200 && proc_number(text, "VmData") == data + 1200);
    CHECK(proc_number(text, "VmPeak") >= size + 1200);
    memset(pages, 1, 300 * PAGE);
    text = proc_read("/proc/self/status");
    CHECK(!on_guest() || proc_number(text, "RssAnon") >= 1200);
    char* shared = map_pages(10, MAP_SHARED);
    memset(shared, 1, 10 * PAGE);
    CHECK(!on_guest() || proc_number(proc_read("/proc/self/status"), "RssShmem") == 40);
    CHECK(munmap(pages, 300 * PAGE) == 0 && munmap(shared, 10 * PAGE) == 0);
    text = proc_read("/proc/self/status");
    CHECK(proc_number(text, "VmSize") == size && proc_number(text, "VmPeak") >= size + 1200);
    CHECK(!on_guest() || proc_number(text, "RssShmem") == 0);
    long total, resident;
    CHECK(sscanf(proc_read("/proc/self/statm"), "%ld %ld", &total, &resident) == 2 && total == size / 4 && resident > 0);
}

// mem reads and writes as the program itself does, copy-on-write included, and what the program may not write too.
ROWS(mem_is_the_memory, "S6,W7") {
    char* pages = map_pages(3, MAP_PRIVATE);
    strcpy(pages, "parent");
    strcpy(pages + 2 * PAGE, "last");
    int go[2];
    CHECK(pipe(go) == 0);
    const pid_t pid = IN_CHILD({
        char byte;
        close(go[1]);
        (void)!read(go[0], &byte, 1);
        CHECK(strcmp(pages, "poked") == 0 && pages[2 * PAGE] == 'l');
    });
    char name[64];
    snprintf(name, sizeof(name), "/proc/%d/mem", pid);
    const int fd = open(name, O_RDWR);
    char text[8] = "";
    CHECK(fd >= 0 && pread(fd, text, 7, (off_t)(uintptr_t)pages) == 7 && strcmp(text, "parent") == 0);
    CHECK(pwrite(fd, "poked", 6, (off_t)(uintptr_t)pages) == 6);
    CHECK(strcmp(pages, "parent") == 0);
    // Read-only in the program: a copy of its own is what is written to.
    CHECK(mprotect(pages, PAGE, PROT_READ) == 0);
    const int own = open("/proc/self/mem", O_RDWR);
    CHECK(own >= 0 && pwrite(own, "P", 1, (off_t)(uintptr_t)pages) == 1 && strcmp(pages, "Parent") == 0);
    CHECK(munmap(pages + PAGE, PAGE) == 0);
    CHECK_ERROR(pread(own, text, 4, (off_t)(uintptr_t)(pages + PAGE)), EIO);
    CHECK(pread(own, text, 8, (off_t)(uintptr_t)(pages + PAGE - 3)) == 3);
    close(go[1]);
    wait_exit(pid, 0);
    CHECK(pread(fd, text, 4, (off_t)(uintptr_t)pages) == 0);
}

ROWS(clear_refs, "S6") {
    char* pages = map_pages(6, MAP_PRIVATE);
    CHECK(mprotect(pages, PAGE, PROT_NONE) == 0 && mprotect(pages + 5 * PAGE, PAGE, PROT_NONE) == 0);
    char* inside = pages + PAGE;
    memset(inside, 1, 4 * PAGE);
    CHECK(proc_number(smaps_of("/proc/self/smaps", inside), "Referenced") == 16);
    const int fd = open("/proc/self/clear_refs", O_WRONLY);
    CHECK(fd >= 0 && write(fd, "1\n", 2) == 2);
    CHECK(proc_number(smaps_of("/proc/self/smaps", inside), "Referenced") == 0);
    // Linux leaves the TLB as it is: there the next use may go unseen.
    ((volatile char*)inside)[0] = 2;
    CHECK(proc_number(smaps_of("/proc/self/smaps", inside), "Referenced") == 4 || !on_guest());
    CHECK_ERROR(write(fd, "0", 1), EINVAL);
    CHECK_ERROR(write(fd, "6", 1), EINVAL);
}

ROWS(policies_are_shown, "S6") {
    const int priority = 10;
    if (syscall(SYS_sched_setscheduler, 0, 1 /* SCHED_FIFO */, &priority) != 0) {
        CHECK(errno == EPERM && !on_guest());
        return;
    }
    char* text = proc_read("/proc/self/stat");
    CHECK(stat_number(text, 18) == -11 && stat_number(text, 40) == 10 && stat_number(text, 41) == 1);
}

GUEST_ROWS(alarms_are_shown, "S6") {
    CHECK(strstr(proc_read("/proc/self/forkscope"), "alarm_left 0\n") != NULL && alarm(100) == 0);
    const char* left = strstr(proc_read("/proc/self/forkscope"), "alarm_left ");
    CHECK(left != NULL && strtoul(left + 11, NULL, 10) > 90000000000 && alarm(0) > 0);
}

ROWS(locked_memory_is_shown, "S6,F4") {
    char* pages = map_pages(4, MAP_PRIVATE);
    if (mlock(pages + PAGE, 2 * PAGE) != 0) {
        CHECK(errno == EPERM || errno == ENOMEM);
        return;
    }
    CHECK(proc_number(proc_read("/proc/self/status"), "VmLck") == 8);
    CHECK(proc_number(smaps_of("/proc/self/smaps", pages + PAGE), "Locked") == 8);
    wait_exit(IN_CHILD({ CHECK(proc_number(proc_read("/proc/self/status"), "VmLck") == 0); }), 0);
    CHECK(munlock(pages, 4 * PAGE) == 0 && proc_number(proc_read("/proc/self/status"), "VmLck") == 0);
}

// --- the whole system

ROWS(meminfo_agrees_with_sysinfo, "S6,W10") {
    char* text = proc_read("/proc/meminfo");
    struct sysinfo info;
    CHECK(text != NULL && sysinfo(&info) == 0);
    CHECK((uint64_t)proc_number(text, "MemTotal") == info.totalram * info.mem_unit / 1024);
    CHECK(strncmp(text, "MemTotal:  ", 11) == 0 && strstr(text, " kB\nMemFree:  ") != NULL);
    for (const char* const* name = (const char* const[]){"Cached", "AnonPages", "Mapped", "Shmem", "Slab", "KernelStack",
                                                         "PageTables", "SwapTotal", NULL};
         *name != NULL; ++name) {
        CHECK(proc_number(text, *name) >= 0);
    }
}

static const char* const kCounts[] = {"MemFree", "AnonPages", "Mapped", "Shmem", "Cached", "Slab", "KernelStack", "PageTables"};
enum { kNrCounts = sizeof(kCounts) / sizeof(kCounts[0]) };

static void take_counts(long* out) {
    char* text = proc_read("/proc/meminfo");
    for (int i = 0; i < kNrCounts; ++i) out[i] = proc_number(text, kCounts[i]);
}

// Shared memory is cached, mapped and shared; it goes with its last mapping.
static void count_shared_memory(void) {
    long before[kNrCounts], during[kNrCounts], after[kNrCounts];
    char* shared = map_pages(8, MAP_SHARED);
    take_counts(before);
    for (int i = 0; i < 8; ++i) shared[i * PAGE] = 1;
    take_counts(during);
    CHECK(during[2] - before[2] == 32 && during[3] - before[3] == 32 && during[4] - before[4] == 32);
    CHECK(during[1] == before[1]);
    CHECK(munmap(shared, 8 * PAGE) == 0);
    take_counts(after);
    CHECK(after[2] == before[2] && after[3] == before[3] && after[4] == before[4]);
}

// A child costs a kernel stack, tables, and copies of what it writes.
static void count_child(char* pages) {
    long before[kNrCounts], during[kNrCounts], after[kNrCounts];
    int fds[2];
    CHECK(pipe(fds) == 0);
    take_counts(before);
    const pid_t pid = IN_CHILD({
        char byte;
        for (int i = 0; i < 8; ++i) pages[i * PAGE] = 2;
        close(fds[1]);
        (void)!read(fds[0], &byte, 1);
    });
    for (int i = 0; i < 1000 && *stat_field(proc_read("/proc/%d/stat", pid), 3) != 'S'; ++i) usleep(1000);
    take_counts(during);
    CHECK(during[6] - before[6] == 16 && during[7] > before[7] && during[1] - before[1] >= 32);
    close(fds[1]);
    wait_exit(pid, 0);
    take_counts(after);
    for (int i = 0; i < kNrCounts; ++i) {
        // Slabs are shared with all other tasks; everything else is as before.
        const bool exact = strcmp(kCounts[i], "Slab") != 0 && strcmp(kCounts[i], "MemFree") != 0;
        if (exact && after[i] != before[i]) printf("  %s: %ld kB, was %ld kB\n", kCounts[i], after[i], before[i]);
        CHECK(!exact || after[i] == before[i]);
    }
    close(fds[0]);
}

// What each call takes shows in kB, exactly, and comes back.
GUEST_ROWS(meminfo_is_exact, "W10") {
    char* pages = map_pages(8, MAP_PRIVATE);
    for (int i = 0; i < 8; ++i) pages[i * PAGE] = 1;
    // The program's own first touches come before what is counted.
    long counts[kNrCounts];
    for (int i = 0; i < 4; ++i) take_counts(counts);
    wait_exit(IN_CHILD(), 0);
    usleep(1000);
    count_shared_memory();
    count_child(pages);
}

// The objects of one cache that are in use.
static long objects_of(const char* slabinfo, const char* cache) {
    char line[64];
    snprintf(line, sizeof(line), "\n%s ", cache);
    const char* at = strstr(slabinfo, line);
    CHECK(at != NULL);
    return strtol(at + strlen(line), NULL, 10);
}

// Forks leave every cache of the kernel as it was.
GUEST_ROWS(slabs_come_back, "W10") {
    static char before[1 << 14];
    for (int i = 0; i < 300; ++i) wait_exit(IN_CHILD(), 0);
    char* text = proc_read("/proc/slabinfo");
    CHECK(text != NULL && strncmp(text, "slabinfo - version: 2.1\n# name ", 31) == 0);
    snprintf(before, sizeof(before), "%s", text);
    for (int i = 0; i < 300; ++i) wait_exit(IN_CHILD(), 0);
    text = proc_read("/proc/slabinfo");
    for (const char* const* cache = (const char* const[]){"task_struct", "mm_struct", "vm_area_struct", "files_struct",
                                                          "signal_struct", "sighand_struct", "pid", "cred", "file",
                                                          "inode", "dentry", "proc_inode", NULL};
         *cache != NULL; ++cache) {
        CHECK(objects_of(text, *cache) == objects_of(before, *cache));
    }
}

ROWS(system_files_have_their_forms, "S6") {
    struct utsname name;
    CHECK(uname(&name) == 0);
    char* text = proc_read("/proc/version");
    char wanted[200];
    snprintf(wanted, sizeof(wanted), "%s version %s (", name.sysname, name.release);
    CHECK(strncmp(text, wanted, strlen(wanted)) == 0);
    CHECK(strncmp(proc_read("/proc/sys/kernel/osrelease"), name.release, strlen(name.release)) == 0);
    snprintf(wanted, sizeof(wanted), "%s\n", name.nodename);
    CHECK(strcmp(proc_read("/proc/sys/kernel/hostname"), wanted) == 0);
    CHECK(strcmp(proc_read("/proc/sys/kernel/ostype"), "Linux\n") == 0);
    CHECK(atoi(proc_read("/proc/sys/kernel/pid_max")) > getpid() && atoi(proc_read("/proc/sys/kernel/threads-max")) > 1);
    CHECK(atoi(proc_read("/proc/sys/kernel/cap_last_cap")) >= 36 && atoi(proc_read("/proc/sys/kernel/ngroups_max")) >= 32);
    CHECK(atol(proc_read("/proc/sys/fs/file-max")) > 100 && atoi(proc_read("/proc/sys/fs/pipe-max-size")) >= 65536);
    CHECK(strchr("012", proc_read("/proc/sys/vm/overcommit_memory")[0]) != NULL);
    double up, idle, loads[3];
    CHECK(sscanf(proc_read("/proc/uptime"), "%lf %lf\n", &up, &idle) == 2 && up > 0);
    unsigned running, threads;
    CHECK(sscanf(proc_read("/proc/loadavg"), "%lf %lf %lf %u/%u", &loads[0], &loads[1], &loads[2], &running, &threads) == 5);
    CHECK(running >= 1 && threads >= running);
    CHECK(strstr(proc_read("/proc/filesystems"), "nodev\tproc\n") != NULL);
    CHECK(strstr(proc_read("/proc/devices"), "  1 mem\n") != NULL);
    CHECK(strstr(proc_read("/proc/mounts"), " /proc proc rw") != NULL);
    CHECK(strstr(proc_read("/proc/self/mountinfo"), " / /proc rw") != NULL);
    CHECK(strstr(proc_read("/proc/cpuinfo"), "processor\t: 0\nvendor_id\t: ") != NULL);
    CHECK(strstr(proc_read("/proc/cpuinfo"), "flags\t\t:") != NULL && proc_read("/proc/cmdline") != NULL);
    CHECK(proc_field(proc_read("/proc/interrupts"), "  0") != NULL || !on_guest());
}

ROWS(stat_of_the_system, "S6") {
    char* text = proc_read("/proc/stat");
    unsigned long user, nice, system, idle;
    CHECK(sscanf(text, "cpu  %lu %lu %lu %lu", &user, &nice, &system, &idle) == 4);
    CHECK(strstr(text, "\ncpu0 ") != NULL && strstr(text, "\nintr ") != NULL && strstr(text, "\nprocs_running ") != NULL);
    unsigned long forks = strtoul(strstr(text, "\nprocesses ") + 11, NULL, 10);
    for (int i = 0; i < 5; ++i) wait_exit(IN_CHILD(), 0);
    text = proc_read("/proc/stat");
    CHECK(strtoul(strstr(text, "\nprocesses ") + 11, NULL, 10) >= forks + 5);
    const long btime = strtol(strstr(text, "\nbtime ") + 7, NULL, 10);
    struct timespec real, boot;
    CHECK(clock_gettime(CLOCK_REALTIME, &real) == 0 && clock_gettime(CLOCK_BOOTTIME, &boot) == 0);
    CHECK(labs(real.tv_sec - boot.tv_sec - btime) <= 1);
}

// The objects that the calls make stand in the lists.
ROWS(system_v_objects, "S6,F8,F11") {
    const int queue = msgget(IPC_PRIVATE, 0640), set = semget(IPC_PRIVATE, 3, 0600), segment = shmget(IPC_PRIVATE, 5000, 0604);
    CHECK(queue >= 0 && set >= 0 && segment >= 0);
    struct {
        long type;
        char text[5];
    } message = {1, "five"};
    CHECK(msgsnd(queue, &message, 5, 0) == 0);
    void* at = shmat(segment, NULL, 0);
    CHECK(at != (void*)-1);
    int id, mode, found = 0;
    long key, first, second;
    for (char* line = proc_read("/proc/sysvipc/msg"); (line = strchr(line, '\n')) != NULL; ++line) {
        if (sscanf(line, "%ld %d %o %ld %ld", &key, &id, &mode, &first, &second) != 5 || id != queue) continue;
        CHECK(key == 0 && mode == 0640 && first == 5 && second == 1);
        ++found;
    }
    for (char* line = proc_read("/proc/sysvipc/sem"); (line = strchr(line, '\n')) != NULL; ++line) {
        if (sscanf(line, "%ld %d %o %ld", &key, &id, &mode, &first) != 4 || id != set) continue;
        CHECK(mode == 0600 && first == 3);
        ++found;
    }
    for (char* line = proc_read("/proc/sysvipc/shm"); (line = strchr(line, '\n')) != NULL; ++line) {
        int creator, last;
        if (sscanf(line, "%ld %d %o %ld %d %d %ld", &key, &id, &mode, &first, &creator, &last, &second) != 7 || id != segment) continue;
        CHECK(mode == 0604 && first == 5000 && creator == getpid() && last == getpid() && second == 1);
        ++found;
    }
    struct area area;
    CHECK(find_area("/proc/self/maps", at, &area) && strcmp(area.rights, "rw-s") == 0);
    CHECK(strcmp(area.name, "/SYSV00000000 (deleted)") == 0 && area.ino == (unsigned long)segment);
    CHECK(msgctl(queue, IPC_RMID, NULL) == 0 && semctl(set, 0, IPC_RMID) == 0 && shmctl(segment, IPC_RMID, NULL) == 0);
    CHECK(found == 3);
}

GUEST_ROWS(settings_can_be_written, "S6") {
    int fd = open("/proc/sys/kernel/hostname", O_WRONLY | O_TRUNC);
    CHECK(fd >= 0 && write(fd, "other\n", 6) == 6 && close(fd) == 0);
    struct utsname name;
    CHECK(uname(&name) == 0 && strcmp(name.nodename, "other") == 0);
    fd = open("/proc/sys/kernel/threads-max", O_WRONLY);
    CHECK_ERROR(write(fd, "-1", 2), EINVAL);
    CHECK_ERROR(write(fd, "x", 1), EINVAL);
    CHECK(write(fd, "500\n", 4) == 4 && atoi(proc_read("/proc/sys/kernel/threads-max")) == 500);
    wait_exit(IN_CHILD({
                  CHECK(setresuid(1000, 1000, 1000) == 0);
                  CHECK_ERROR(open("/proc/sys/kernel/hostname", O_WRONLY), EACCES);
                  CHECK_ERROR(open("/proc/slabinfo", O_RDONLY), EACCES);
              }),
              0);
}
