// madvise and process_madvise.
#include "rows.h"

#include <sys/uio.h>

enum { kColdAdvice = 20, kPageOut = 21, kPopulateRead = 22, kPopulateWrite = 23, kDontNeedLocked = 24 };

static int resident(char* at) {
    unsigned char vec = 0;
    CHECK(mincore(at, PAGE, &vec) == 0);
    return vec & 1;
}

ROWS(arguments_are_checked, "F2") {
    char* pages = map_pages(4, MAP_PRIVATE);
    static const int kUnknown[] = {-1, 5, 6, 7, 26, 99, 104};
    for (size_t i = 0; i < sizeof(kUnknown) / sizeof(kUnknown[0]); ++i) CHECK_ERROR(madvise(pages, PAGE, kUnknown[i]), EINVAL);
    CHECK_ERROR(madvise(pages, 0, 99), EINVAL);
    CHECK_ERROR(madvise(pages + 1, PAGE, MADV_NORMAL), EINVAL);
    CHECK_ERROR(madvise(pages, (size_t)-1, MADV_NORMAL), EINVAL);
    CHECK_ERROR(madvise(opaque(0xfffffffffffff000), 2 * PAGE, MADV_NORMAL), EINVAL);
    CHECK_ERROR(madvise(opaque(0xffff800000000000), PAGE, MADV_NORMAL), ENOMEM);
    CHECK(madvise(pages, 0, MADV_DONTNEED) == 0 && madvise(pages, 1, MADV_NORMAL) == 0);
    // A hole is told of when all the rest is done.
    memset(pages, 1, 4 * PAGE);
    CHECK(munmap(pages + PAGE, PAGE) == 0);
    CHECK_ERROR(madvise(pages, 4 * PAGE, MADV_DONTNEED), ENOMEM);
    CHECK(pages[0] == 0 && pages[3 * PAGE] == 0);
    static const int kHarmless[] = {MADV_NORMAL, MADV_RANDOM, MADV_SEQUENTIAL, MADV_WILLNEED, MADV_DONTDUMP, MADV_DODUMP,
                                    MADV_DOFORK, MADV_KEEPONFORK, kColdAdvice, kPageOut};
    pages[0] = 2;
    for (size_t i = 0; i < sizeof(kHarmless) / sizeof(kHarmless[0]); ++i) {
        if (madvise(pages, PAGE, kHarmless[i]) != 0) CHECK(errno == EINVAL && kHarmless[i] >= kColdAdvice && !on_guest());
        CHECK(pages[0] == 2);
    }
}

// What a kernel without KSM, huge pages and memory-failure recovery answers; other kernels may have them.
GUEST_ROWS(what_is_not_built_in, "F2") {
    char* pages = map_pages(1, MAP_PRIVATE);
    for (int advice = MADV_MERGEABLE; advice <= MADV_NOHUGEPAGE; ++advice) CHECK_ERROR(madvise(pages, PAGE, advice), EINVAL);
    CHECK_ERROR(madvise(pages, PAGE, 25 /* COLLAPSE */), EINVAL);
    CHECK_ERROR(madvise(pages, PAGE, 100 /* HWPOISON */), EINVAL);
    CHECK_ERROR(madvise(pages, PAGE, 101 /* SOFT_OFFLINE */), EINVAL);
}

ROWS(areas_that_refuse, "F2,F4") {
    char* shared = map_pages(2, MAP_SHARED);
    shared[0] = 1;
    CHECK_ERROR(madvise(shared, PAGE, MADV_FREE), EINVAL);
    CHECK_ERROR(madvise(shared, PAGE, MADV_WIPEONFORK), EINVAL);
    char* pages = map_pages(1, MAP_PRIVATE);
    pages[0] = 1;
    CHECK_ERROR(madvise(pages, PAGE, MADV_REMOVE), EINVAL);
    if (mlock(pages, PAGE) != 0) return;
    static const int kRefused[] = {MADV_DONTNEED, MADV_FREE, kColdAdvice, kPageOut, MADV_REMOVE};
    for (size_t i = 0; i < sizeof(kRefused) / sizeof(kRefused[0]); ++i) CHECK_ERROR(madvise(pages, PAGE, kRefused[i]), EINVAL);
    CHECK(pages[0] == 1);
    if (madvise(pages, PAGE, kDontNeedLocked) == 0) CHECK(pages[0] == 0);
    else CHECK(errno == EINVAL && !on_guest());  // before Linux 5.18
}

ROWS(free_pages_may_be_lost, "F2") {
    char* pages = map_pages(3, MAP_PRIVATE);
    memset(pages, 'a', 3 * PAGE);
    CHECK(madvise(pages, 2 * PAGE, MADV_FREE) == 0);
    CHECK(pages[0] == 'a' || pages[0] == 0);
    pages[PAGE] = 'b';
    CHECK(pages[PAGE] == 'b' && pages[2 * PAGE] == 'a');
}

ROWS(removal_makes_a_hole, "W5") {
    char* shared = map_pages(4, MAP_SHARED);
    memset(shared, 'a', 4 * PAGE);
    char* again = mremap(shared, 0, 4 * PAGE, MREMAP_MAYMOVE);
    CHECK(again != MAP_FAILED);
    CHECK(madvise(again + PAGE, 2 * PAGE, MADV_REMOVE) == 0);
    CHECK(shared[0] == 'a' && shared[PAGE] == 0 && shared[3 * PAGE - 1] == 0 && shared[3 * PAGE] == 'a');
    wait_exit(IN_CHILD({ CHECK(madvise(shared, PAGE, MADV_REMOVE) == 0); }), 0);
    CHECK(shared[0] == 0);
    const int fd = (int)syscall(SYS_memfd_create, "rows", 0);
    CHECK(fd >= 0 && ftruncate(fd, PAGE) == 0);
    char* private = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK_ERROR(madvise(private, PAGE, MADV_REMOVE), EACCES);
}

ROWS(populate_reads, "W6") {
    char* pages = map_pages(4, MAP_PRIVATE);
    if (madvise(pages, PAGE, kPopulateRead) != 0 && errno == EINVAL && !on_guest()) return;  // before Linux 5.14
    CHECK(resident(pages) && !resident(pages + PAGE));
    CHECK(madvise(pages, 4 * PAGE, kPopulateRead) == 0 && resident(pages + 3 * PAGE) && pages[0] == 0);
    CHECK(mprotect(pages, PAGE, PROT_NONE) == 0);
    CHECK_ERROR(madvise(pages, PAGE, kPopulateRead), EINVAL);
    CHECK(mprotect(pages, PAGE, PROT_READ) == 0 && madvise(pages, PAGE, kPopulateRead) == 0);
    CHECK_ERROR(madvise(pages, PAGE, kPopulateWrite), EINVAL);
    CHECK(munmap(pages + 2 * PAGE, PAGE) == 0);
    CHECK_ERROR(madvise(pages, 4 * PAGE, kPopulateRead), ENOMEM);
    const int fd = (int)syscall(SYS_memfd_create, "rows", 0);
    CHECK(fd >= 0 && ftruncate(fd, PAGE) == 0);
    char* shared = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(madvise(shared, PAGE, kPopulateRead) == 0 && madvise(shared, PAGE, kPopulateWrite) == 0);
    CHECK_ERROR(madvise(shared, 2 * PAGE, kPopulateRead), EFAULT);
}

ROWS(populate_writes, "W2,W3") {
    char* pages = map_pages(4, MAP_PRIVATE);
    memset(pages, 'a', 2 * PAGE);
    wait_exit(IN_CHILD({
                  if (madvise(pages, 4 * PAGE, kPopulateWrite) != 0 && errno == EINVAL && !on_guest()) _exit(0);
                  long before = minor_faults();
                  before = minor_faults();
                  for (int i = 0; i < 4; ++i) pages[i * PAGE + 1] = 'c';
                  CHECK(minor_faults() == before);
                  CHECK(pages[0] == 'a' && pages[PAGE] == 'a' && pages[2 * PAGE] == 0);
              }),
              0);
    CHECK(pages[1] == 'a' && pages[PAGE + 1] == 'a' && !resident(pages + 2 * PAGE));
}

// A part of an area: what lies beside it is inherited as before.
ROWS(what_a_child_gets, "F1,F2,W9") {
    char* pages = map_pages(6, MAP_PRIVATE);
    memset(pages, 'a', 6 * PAGE);
    CHECK(madvise(pages + PAGE, PAGE, MADV_DONTFORK) == 0 && madvise(pages + 3 * PAGE, 2 * PAGE, MADV_WIPEONFORK) == 0);
    wait_exit(IN_CHILD({
                  CHECK(pages[0] == 'a' && pages[2 * PAGE] == 'a' && pages[3 * PAGE] == 0 && pages[5 * PAGE] == 'a');
                  unsigned char vec;
                  CHECK_ERROR(mincore(pages + PAGE, PAGE, &vec), ENOMEM);
                  // Wiped again in the child's child.
                  pages[4 * PAGE] = 'c';
                  wait_exit(IN_CHILD({ CHECK(pages[4 * PAGE] == 0); }), 0);
                  CHECK(pages[4 * PAGE] == 'c');
              }),
              0);
    CHECK(madvise(pages + PAGE, PAGE, MADV_DOFORK) == 0 && madvise(pages + 3 * PAGE, 2 * PAGE, MADV_KEEPONFORK) == 0);
    wait_exit(IN_CHILD({
                  for (int i = 0; i < 6; ++i) CHECK(pages[i * PAGE] == 'a');
              }),
              0);
}

static long process_madvise_(int pidfd, const struct iovec* ranges, size_t count, int advice, unsigned flags) {
    return syscall(440, pidfd, ranges, count, advice, flags);
}
ROWS(advice_for_another, "F2") {
    char* pages = map_pages(4, MAP_PRIVATE);
    memset(pages, 'a', 4 * PAGE);
    int hold[2];
    CHECK(pipe(hold) == 0);
    const pid_t pid = IN_CHILD({
        char byte;
        close(hold[1]);
        CHECK(read(hold[0], &byte, 1) == 0);
        CHECK(pages[0] == 'a');
    });
    const int fd = (int)syscall(434 /* pidfd_open */, pid, 0);
    const struct iovec ranges[] = {{pages, PAGE}, {pages + 2 * PAGE, 2 * PAGE}};
    const long done = process_madvise_(fd, ranges, 2, kColdAdvice, 0);
    if (done != 3 * PAGE) CHECK(errno == ENOSYS && !on_guest());
    if (done == 3 * PAGE) {
        CHECK(process_madvise_(fd, ranges, 2, MADV_WILLNEED, 0) == 3 * PAGE && process_madvise_(fd, ranges, 0, kColdAdvice, 0) == 0);
        CHECK_ERROR(process_madvise_(fd, ranges, 2, MADV_DONTNEED, 0), EINVAL);
        CHECK_ERROR(process_madvise_(fd, ranges, 2, kColdAdvice, 1), EINVAL);
        CHECK_ERROR(process_madvise_(-1, ranges, 2, kColdAdvice, 0), EBADF);
        CHECK_ERROR(process_madvise_(hold[0], ranges, 2, kColdAdvice, 0), EBADF);
        CHECK_ERROR(process_madvise_(fd, opaque(8), 2, kColdAdvice, 0), EFAULT);
        const struct iovec broken[] = {{pages, PAGE}, {pages + 1, PAGE}};
        CHECK(process_madvise_(fd, broken, 2, kColdAdvice, 0) == PAGE);
        CHECK_ERROR(process_madvise_(fd, broken + 1, 1, kColdAdvice, 0), EINVAL);
    }
    close(hold[0]);
    close(hold[1]);
    wait_exit(pid, 0);
    // A zombie's memory is gone before it is.
    if (done == 3 * PAGE) CHECK_ERROR(process_madvise_(fd, ranges, 2, kColdAdvice, 0), ESRCH);
}

GUEST_ROWS(nothing_stays, "W10") {
    for (int round = 0; round < 2; ++round) {
        if (round == 1) count_kernel();
        for (int i = 0; i < 10; ++i) {
            char* pages = map_pages(9, MAP_PRIVATE);
            char* shared = map_pages(9, MAP_SHARED);
            CHECK(madvise(pages, 9 * PAGE, kPopulateWrite) == 0 && madvise(shared, 9 * PAGE, kPopulateWrite) == 0);
            wait_exit(IN_CHILD({
                          CHECK(madvise(pages + PAGE, 3 * PAGE, MADV_FREE) == 0 && madvise(shared, 4 * PAGE, MADV_REMOVE) == 0);
                          CHECK(madvise(pages + 6 * PAGE, PAGE, MADV_SEQUENTIAL) == 0);
                      }),
                      0);
            CHECK(madvise(pages + 2 * PAGE, PAGE, MADV_DONTFORK) == 0);
            CHECK(munmap(pages, 9 * PAGE) == 0 && munmap(shared, 9 * PAGE) == 0);
        }
    }
    expect_counts("madvise");
}
