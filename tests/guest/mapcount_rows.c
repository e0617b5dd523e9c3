// How many areas an address space may have, where new ones go, and the times of files that are written through memory.
#include "rows.h"

#include <sys/stat.h>

static char* map_at(void* at, int pages, int protection) {
    return mmap(at, (size_t)pages * PAGE, protection, MAP_PRIVATE | MAP_ANONYMOUS | (at != NULL ? MAP_FIXED : 0), -1, 0);
}

static long number_in(const char* path) {
    FILE* file = fopen(path, "r");
    long number = -1;
    CHECK(file != NULL && fscanf(file, "%ld", &number) == 1);
    fclose(file);
    return number;
}

// But for the page of vsyscalls, which is no area.
static long areas(void) {
    // No memory can be had for a stream when the areas are used up.
    static char text[65536];
    const int fd = open("/proc/self/maps", O_RDONLY);
    CHECK(fd >= 0);
    long lines = 0;
    bool has_vsyscall = false;
    for (ssize_t bytes; (bytes = read(fd, text, sizeof(text) - 1)) != 0;) {
        CHECK(bytes > 0);
        text[bytes] = '\0';
        for (ssize_t i = 0; i < bytes; ++i) lines += text[i] == '\n';
        has_vsyscall = strstr(text, "[vsyscall]") != NULL;
    }
    CHECK(close(fd) == 0);
    return lines - has_vsyscall;
}

// Single pages that nothing joins, until there is no room for another.
static void fill_up(void) {
    for (int i = 0;; ++i) {
        if (map_at(NULL, 1, i % 2 == 0 ? PROT_READ : PROT_NONE) != MAP_FAILED) continue;
        CHECK(errno == ENOMEM);
        return;
    }
}

ROWS(areas_are_counted, "-") {
    const long most = number_in("/proc/sys/vm/max_map_count");
    char* wide = map_at(NULL, 9, PROT_READ | PROT_WRITE);
    CHECK(wide != MAP_FAILED && areas() < most);
    fill_up();
    CHECK(areas() == most + 1);
    // What would make more of them is refused, and changes nothing.
    CHECK_ERROR(mprotect(wide + PAGE, PAGE, PROT_READ), ENOMEM);
    CHECK_ERROR(munmap(wide + PAGE, PAGE), ENOMEM);
    CHECK_ERROR(madvise(wide + PAGE, PAGE, MADV_DONTFORK), EAGAIN);
    CHECK(mremap(wide, PAGE, 2 * PAGE, MREMAP_MAYMOVE) == MAP_FAILED && errno == ENOMEM);
    for (int i = 0; i < 9; ++i) wide[i * PAGE] = 1;
    // What makes no more goes on.
    CHECK(munmap(wide, PAGE) == 0 && munmap(wide + 8 * PAGE, PAGE) == 0);
    CHECK(mprotect(wide + PAGE, 7 * PAGE, PROT_READ | PROT_WRITE) == 0);
    CHECK(areas() == most + 1);
    CHECK(munmap(wide + PAGE, 7 * PAGE) == 0 && areas() == most);
    CHECK(map_at(NULL, 1, PROT_READ | PROT_EXEC) != MAP_FAILED);
    CHECK(map_at(NULL, 2, PROT_READ | PROT_EXEC) == MAP_FAILED && errno == ENOMEM);
}

ROWS(a_child_counts_its_own, "F2") {
    const long most = number_in("/proc/sys/vm/max_map_count");
    char* some[8];
    for (int i = 0; i < 8; ++i) CHECK((some[i] = map_at(NULL, 2, i % 2 == 0 ? PROT_READ : PROT_NONE)) != MAP_FAILED);
    const long before = areas();
    wait_exit(IN_CHILD({
        CHECK(areas() == before);
        fill_up();
        CHECK(areas() == most + 1);
        for (int i = 0; i < 8; ++i) CHECK(munmap(some[i], 2 * PAGE) == 0);
        for (int i = 0; i < 8; ++i) CHECK(map_at(NULL, 1, i % 2 == 0 ? PROT_READ : PROT_NONE) != MAP_FAILED);
    }), 0);
    CHECK(areas() == before && map_at(NULL, 1, PROT_READ | PROT_EXEC) != MAP_FAILED);
}

// The highest gap that is large enough, also when gaps come back.
ROWS(gaps_are_filled_from_the_top, "-") {
    enum { kPages = 64 };
    char* whole = map_at(NULL, kPages, PROT_NONE);
    CHECK(whole != MAP_FAILED);
    // No smaller gap above: a page goes below.
    char* below = map_at(NULL, 1, PROT_READ);
    CHECK(below == whole - PAGE);
    CHECK(munmap(whole + 40 * PAGE, 2 * PAGE) == 0);
    CHECK(munmap(whole + 20 * PAGE, 3 * PAGE) == 0);
    CHECK(munmap(whole + 50 * PAGE, PAGE) == 0);
    CHECK(map_at(NULL, 3, PROT_READ) == whole + 20 * PAGE);
    CHECK(map_at(NULL, 2, PROT_READ) == whole + 40 * PAGE);
    CHECK(map_at(NULL, 2, PROT_EXEC) == below - 2 * PAGE);
    CHECK(map_at(NULL, 1, PROT_READ) == whole + 50 * PAGE);
    CHECK(map_at(NULL, 1, PROT_READ) == below - 3 * PAGE);
    // A gap that grows upwards or downwards is found with its new size.
    CHECK(munmap(whole + 10 * PAGE, PAGE) == 0 && munmap(whole + 11 * PAGE, PAGE) == 0);
    CHECK(munmap(whole + 9 * PAGE, PAGE) == 0);
    CHECK(map_at(NULL, 3, PROT_READ | PROT_EXEC) == whole + 9 * PAGE);
}

static struct timespec changed_at(int fd) {
    struct stat about;
    CHECK(fstat(fd, &about) == 0 && about.st_mtim.tv_sec == about.st_ctim.tv_sec &&
          about.st_mtim.tv_nsec == about.st_ctim.tv_nsec);
    return about.st_mtim;
}
static bool later(struct timespec a, struct timespec b) {
    return a.tv_sec > b.tv_sec || (a.tv_sec == b.tv_sec && a.tv_nsec > b.tv_nsec);
}

ROWS(writes_through_memory_change_the_times, "-") {
    char path[128];
    snprintf(path, sizeof(path), "%s/file", scratch_directory());
    const int fd = open(path, O_RDWR | O_CREAT, 0600);
    CHECK(fd >= 0 && ftruncate(fd, 2 * PAGE) == 0);
    const struct timespec made = changed_at(fd);
    volatile char* memory = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    volatile char* own = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(memory != MAP_FAILED && own != MAP_FAILED);
    usleep(20000);
    CHECK(memory[PAGE] == 0);
    own[0] = 1;
    CHECK(!later(changed_at(fd), made));
    memory[0] = 1;
    CHECK(msync((void*)memory, PAGE, MS_SYNC) == 0);
    CHECK(later(changed_at(fd), made));
}

GUEST_ROWS(the_most_areas_can_be_chosen, "-") {
    const int knob = open("/proc/sys/vm/max_map_count", O_RDWR);
    CHECK(knob >= 0 && write(knob, "80\n", 3) == 3);
    fill_up();
    const long now = areas();
    CHECK(pwrite(knob, "65530\n", 6, 0) == 6);
    CHECK(now == 81 && map_at(NULL, 1, PROT_READ | PROT_EXEC) != MAP_FAILED);
    CHECK_ERROR(pwrite(knob, "-1\n", 3, 0), EINVAL);
}
