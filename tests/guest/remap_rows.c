// mremap: the second mapping of shared memory, moves that leave the old place, and what it refuses.
#include "rows.h"

#include <sys/shm.h>

#ifndef MREMAP_DONTUNMAP
#define MREMAP_DONTUNMAP 4
#endif

// By the call itself: the C library judges some arguments before the kernel does.
static char* remap(void* at, size_t old_bytes, size_t bytes, int flags, void* to) {
    return (char*)syscall(SYS_mremap, at, old_bytes, bytes, flags, to);
}
#define CHECK_REMAP(wanted, ...)                                     \
    do {                                                             \
        errno = 0;                                                   \
        CHECK(remap(__VA_ARGS__) == MAP_FAILED && errno == (wanted)); \
    } while (0)

ROWS(shared_memory_is_there_twice, "W5") {
    char* first = map_pages(3, MAP_SHARED);
    for (int i = 0; i < 3; ++i) first[i * PAGE] = (char)('a' + i);
    char* second = remap(first + PAGE, 0, 2 * PAGE, MREMAP_MAYMOVE, NULL);
    CHECK(second != MAP_FAILED && second != first + PAGE);
    CHECK(second[0] == 'b' && second[PAGE] == 'c');
    second[0] = 'B';
    first[2 * PAGE] = 'C';
    CHECK(first[PAGE] == 'B' && second[PAGE] == 'C');
    CHECK(munmap(first, 3 * PAGE) == 0 && second[0] == 'B' && second[PAGE] == 'C');
    // Both are one memory to a child as well.
    wait_exit(IN_CHILD({ second[0] = 'x'; }), 0);
    CHECK(second[0] == 'x');
    // Only where it is wanted, and only if it may move.
    char* place = map_pages(1, MAP_PRIVATE);
    CHECK(remap(second, 0, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, place) == place && place[0] == 'x');
    CHECK_REMAP(ENOMEM, second, 0, PAGE, 0, NULL);
    char* private = map_pages(1, MAP_PRIVATE);
    CHECK_REMAP(EINVAL, private, 0, PAGE, MREMAP_MAYMOVE, NULL);
}

ROWS(a_segment_is_attached_twice, "F11,W5") {
    const int id = shmget(IPC_PRIVATE, 2 * PAGE, 0600);
    CHECK(id >= 0);
    char* first = shmat(id, NULL, 0);
    CHECK(first != (void*)-1 && shmctl(id, IPC_RMID, NULL) == 0);
    first[0] = 's';
    char* second = remap(first, 0, 2 * PAGE, MREMAP_MAYMOVE, NULL);
    struct shmid_ds about;
    CHECK(second != MAP_FAILED && second[0] == 's');
    CHECK(shmctl(id, IPC_STAT, &about) == 0 && about.shm_nattch == 2);
    CHECK(shmdt(first) == 0 && second[0] == 's');
    CHECK(shmctl(id, IPC_STAT, &about) == 0 && about.shm_nattch == 1);
    CHECK(munmap(second, 2 * PAGE) == 0);
    CHECK_ERROR(shmctl(id, IPC_STAT, &about), EINVAL);
}

ROWS(the_old_place_stays_empty, "F2,W6") {
    char* pages = map_pages(4, MAP_PRIVATE);
    for (int i = 0; i < 4; ++i) pages[i * PAGE] = (char)('a' + i);
    char* moved = remap(pages + PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
    CHECK(moved != MAP_FAILED && moved[0] == 'b' && moved[PAGE] == 'c');
    CHECK(pages[0] == 'a' && pages[PAGE] == 0 && pages[2 * PAGE] == 0 && pages[3 * PAGE] == 'd');
    pages[PAGE] = 'x';
    CHECK(moved[0] == 'b');
    char* target = map_pages(1, MAP_PRIVATE);
    CHECK(remap(pages, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP | MREMAP_FIXED, target) == target);
    CHECK(target[0] == 'a' && pages[0] == 0);
}

ROWS(the_old_place_of_shared_memory, "W5") {
    char* pages = map_pages(2, MAP_SHARED);
    pages[0] = 'a', pages[PAGE] = 'b';
    char* moved = remap(pages, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
    if (moved == MAP_FAILED && errno == EINVAL && !on_guest()) return;  // before Linux 5.13
    // The old place is a mapping of the same memory still.
    CHECK(moved[0] == 'a' && pages[0] == 'a');
    moved[PAGE] = 'x';
    CHECK(pages[PAGE] == 'x');
}

ROWS(a_move_beside_a_fork, "W2,W9") {
    char* pages = map_pages(8, MAP_PRIVATE);
    memset(pages, 'p', 8 * PAGE);
    wait_exit(IN_CHILD({
                  char* moved = remap(pages + 2 * PAGE, 4 * PAGE, 4 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
                  CHECK(moved != MAP_FAILED && moved[0] == 'p' && pages[2 * PAGE] == 0 && pages[PAGE] == 'p');
                  memset(moved, 'c', 4 * PAGE);
                  memset(pages, 'c', 8 * PAGE);
              }),
              0);
    for (int i = 0; i < 8; ++i) CHECK(pages[i * PAGE] == 'p');
}

ROWS(locks_move_along, "F4") {
    char* pages = map_pages(3, MAP_PRIVATE);
    if (mlock(pages, 3 * PAGE) != 0) return;
    CHECK(remap(pages, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL) != MAP_FAILED);
    unsigned char there = 1;
    CHECK(mincore(pages, PAGE, &there) == 0 && (there & 1) == 0);
    CHECK(madvise(pages, PAGE, MADV_DONTNEED) == 0);
}

ROWS(what_is_refused, "F2") {
    char* pages = map_pages(4, MAP_PRIVATE);
    char* end = (char*)0x7ffffffff000;
    CHECK_REMAP(EINVAL, pages, PAGE, PAGE, 8, NULL);
    CHECK_REMAP(EINVAL, pages + 1, PAGE, PAGE, MREMAP_MAYMOVE, NULL);
    CHECK_REMAP(EINVAL, pages, PAGE, 0, MREMAP_MAYMOVE, NULL);
    CHECK_REMAP(EINVAL, pages, PAGE, PAGE, MREMAP_FIXED, pages + 2 * PAGE);
    CHECK_REMAP(EINVAL, pages, PAGE, PAGE, MREMAP_DONTUNMAP, NULL);
    CHECK_REMAP(EINVAL, pages, PAGE, 2 * PAGE, MREMAP_DONTUNMAP | MREMAP_MAYMOVE, NULL);
    // Places that are none, or that overlap.
    CHECK_REMAP(EINVAL, pages, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, pages + 1);
    CHECK_REMAP(EINVAL, pages, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, end);
    CHECK_REMAP(EINVAL, pages, PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, end - PAGE);
    CHECK_REMAP(EINVAL, pages, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, pages);
    CHECK_REMAP(EINVAL, pages + PAGE, PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, pages);
    CHECK_REMAP(EINVAL, pages, 2 * PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, pages + PAGE);
    CHECK_REMAP(EFAULT, opaque(0x1000), PAGE, PAGE, 0, NULL);
    CHECK_REMAP(EFAULT, opaque(0x1000), PAGE, 2 * PAGE, MREMAP_MAYMOVE, NULL);
    CHECK(mprotect(pages + PAGE, PAGE, PROT_READ) == 0);
    CHECK_REMAP(EFAULT, pages, 2 * PAGE, 3 * PAGE, MREMAP_MAYMOVE, NULL);
    CHECK_REMAP(ENOMEM, pages, PAGE, (size_t)0x7fffffff0000, MREMAP_MAYMOVE, NULL);
    CHECK_REMAP(ENOMEM, pages, PAGE, 2 * PAGE, 0, NULL);
    // All is as it was, but for the target of a move that came to nothing.
    pages[0] = 1;
    CHECK(pages[PAGE] == 0);
}

static void move_all_ways(void) {
    char* pages = map_pages(6, MAP_PRIVATE);
    memset(pages, 1, 6 * PAGE);
    wait_exit(IN_CHILD({
                  remap(pages + PAGE, PAGE, 4 * PAGE, MREMAP_MAYMOVE, NULL);
                  remap(pages + 3 * PAGE, PAGE, PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
              }),
              0);
    char* shared = map_pages(2, MAP_SHARED);
    shared[0] = 1;
    char* again = remap(shared, 0, 2 * PAGE, MREMAP_MAYMOVE, NULL);
    char* grown = remap(pages, PAGE, 600 * PAGE, MREMAP_MAYMOVE, NULL);
    CHECK(again != MAP_FAILED && grown != MAP_FAILED && again[0] == 1 && grown[0] == 1);
    char* left = remap(pages + PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | MREMAP_DONTUNMAP, NULL);
    CHECK(left != MAP_FAILED && munmap(left, 2 * PAGE) == 0 && munmap(grown, 600 * PAGE) == 0);
    CHECK(munmap(again, 2 * PAGE) == 0 && munmap(shared, 2 * PAGE) == 0 && munmap(pages, 6 * PAGE) == 0);
}
GUEST_ROWS(nothing_stays, "W10") {
    move_all_ways();
    count_kernel();
    for (int i = 0; i < 10; ++i) move_all_ways();
    expect_counts("mremap");
}

static void fail_from_now(int nth) {
    char text[16];
    const int length = snprintf(text, sizeof(text), "%d", nth);
    // To switch it off may be what fails: then it is off.
    for (int tries = 0; tries < 2; ++tries) {
        const int fd = open("/proc/self/fail-nth", O_WRONLY);
        const bool done = fd >= 0 && write(fd, text, (size_t)length) == length;
        if (fd >= 0) close(fd);
        if (done) return;
    }
    CHECK(!"it was written");
}

// Whichever allocation fails: the pages are at the old place, or at the new one.
GUEST_ROWS(each_allocation_of_a_move_fails_and_is_undone, "P17,W10") {
    for (int round = 0; round < 2; ++round) {
        if (round == 1) count_kernel();
        int refused = 0;
        for (int nth = 1; nth < 16; ++nth) {
            char* pages = map_pages(6, MAP_PRIVATE);
            memset(pages, 'a', 6 * PAGE);
            const pid_t sharer = IN_CHILD({ usleep(1000); });
            fail_from_now(nth);
            char* moved = remap(pages + 2 * PAGE, 2 * PAGE, 1024 * PAGE, MREMAP_MAYMOVE, NULL);
            const int error = errno;
            fail_from_now(0);
            if (moved == MAP_FAILED) {
                CHECK(error == ENOMEM);
                ++refused;
                for (int i = 0; i < 6; ++i) CHECK(pages[i * PAGE] == 'a');
            } else {
                CHECK(moved[0] == 'a' && moved[PAGE] == 'a' && moved[2 * PAGE] == 0 && munmap(moved, 1024 * PAGE) == 0);
            }
            wait_exit(sharer, 0);
            CHECK(munmap(pages, 6 * PAGE) == 0);
        }
        CHECK(refused >= 3);
    }
    expect_counts("mremap with failures");
}
