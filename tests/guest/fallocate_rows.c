// fallocate on memory that is a file: space before it is written, holes in what was.
#include "rows.h"

#include <sys/stat.h>

#ifndef FALLOC_FL_KEEP_SIZE
#define FALLOC_FL_KEEP_SIZE 1
#define FALLOC_FL_PUNCH_HOLE 2
#endif
enum { kHole = FALLOC_FL_PUNCH_HOLE | FALLOC_FL_KEEP_SIZE };

static int make(void) {
    const int fd = (int)syscall(SYS_memfd_create, "rows", MFD_ALLOW_SEALING);
    CHECK(fd >= 0);
    return fd;
}
static int filled(int pages) {
    const int fd = make();
    static char text[PAGE];
    memset(text, 'a', PAGE);
    for (int i = 0; i < pages; ++i) CHECK(write(fd, text, PAGE) == PAGE);
    return fd;
}
static off_t size_of(int fd) {
    struct stat stat;
    CHECK(fstat(fd, &stat) == 0);
    return stat.st_size;
}
static blkcnt_t blocks_of(int fd) {
    struct stat stat;
    CHECK(fstat(fd, &stat) == 0);
    return stat.st_blocks;
}
static char byte_at(int fd, off_t at) {
    char byte = 'x';
    CHECK(pread(fd, &byte, 1, at) == 1);
    return byte;
}

ROWS(space_is_there_before_it_is_written, "F10") {
    const int fd = make();
    CHECK(fallocate(fd, 0, PAGE + 100, 2 * PAGE) == 0);
    CHECK(size_of(fd) == 3 * PAGE + 100 && blocks_of(fd) == 3 * PAGE / 512);
    CHECK(byte_at(fd, 0) == 0 && byte_at(fd, 3 * PAGE + 99) == 0);
    CHECK(fallocate(fd, FALLOC_FL_KEEP_SIZE, 3 * PAGE, 3 * PAGE) == 0);
    CHECK(size_of(fd) == 3 * PAGE + 100 && blocks_of(fd) == 5 * PAGE / 512);
    // What is there stays.
    CHECK(pwrite(fd, "text", 4, PAGE) == 4 && fallocate(fd, 0, 0, 4 * PAGE) == 0);
    CHECK(byte_at(fd, PAGE) == 't' && size_of(fd) == 4 * PAGE);
    CHECK(posix_fallocate(fd, 0, 7 * PAGE) == 0 && size_of(fd) == 7 * PAGE);
}

ROWS(holes_read_as_zeros, "F10") {
    const int fd = filled(4);
    CHECK(fallocate(fd, kHole, 100, 2 * PAGE) == 0);
    CHECK(byte_at(fd, 99) == 'a' && byte_at(fd, 100) == 0 && byte_at(fd, PAGE) == 0 && byte_at(fd, 2 * PAGE + 99) == 0);
    CHECK(byte_at(fd, 2 * PAGE + 100) == 'a' && size_of(fd) == 4 * PAGE && blocks_of(fd) == 3 * PAGE / 512);
    CHECK(lseek(fd, 0, SEEK_HOLE) == PAGE && lseek(fd, PAGE, SEEK_DATA) == 2 * PAGE);
    // Inside of one page, and beyond the end.
    CHECK(fallocate(fd, kHole, 3 * PAGE + 10, 20) == 0);
    CHECK(byte_at(fd, 3 * PAGE + 9) == 'a' && byte_at(fd, 3 * PAGE + 10) == 0 && byte_at(fd, 3 * PAGE + 29) == 0);
    CHECK(byte_at(fd, 3 * PAGE + 30) == 'a');
    CHECK(fallocate(fd, kHole, 3 * PAGE, 100 * PAGE) == 0 && size_of(fd) == 4 * PAGE && byte_at(fd, 3 * PAGE) == 0);
    // Whole pages that are cut nowhere.
    CHECK(fallocate(fd, kHole, 2 * PAGE, PAGE) == 0 && byte_at(fd, 2 * PAGE) == 0 && byte_at(fd, 2 * PAGE - 1) == 0);
}

ROWS(mappings_of_a_hole, "W2,W5") {
    const int fd = filled(3);
    char* shared = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char* private = mmap(NULL, 3 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(shared != MAP_FAILED && private != MAP_FAILED);
    CHECK(shared[PAGE] == 'a' && private[PAGE] == 'a' && private[2 * PAGE] == 'a');
    private[2 * PAGE] = 'p';
    int go[2], done[2];
    CHECK(pipe(go) == 0 && pipe(done) == 0);
    const pid_t pid = IN_CHILD({
        CHECK(shared[PAGE] == 'a' && private[PAGE] == 'a' && private[2 * PAGE] == 'p');
        char byte = 0;
        CHECK(write(done[1], "d", 1) == 1 && read(go[0], &byte, 1) == 1);
        CHECK(shared[PAGE] == 0 && private[PAGE] == 0 && private[2 * PAGE] == 'p' && shared[2 * PAGE] == 0);
    });
    char byte = 0;
    CHECK(read(done[0], &byte, 1) == 1 && fallocate(fd, kHole, PAGE, 2 * PAGE) == 0);
    // Private copies stay; what was only read is the file's.
    CHECK(shared[PAGE] == 0 && private[PAGE] == 0 && private[2 * PAGE] == 'p' && private[2 * PAGE + 1] == 'a');
    CHECK(write(go[1], "g", 1) == 1);
    wait_exit(pid, 0);
    // The hole can be written, and is one memory again.
    shared[PAGE] = 'n';
    CHECK(private[PAGE] == 'n' && byte_at(fd, PAGE) == 'n');
}

ROWS(what_is_refused, "F10") {
    const int fd = filled(1);
    static const int kModes[] = {2, 4, 8, 9, 0x10, 0x11, 0x12, 0x20, 0x40, 0x400};
    for (size_t i = 0; i < sizeof(kModes) / sizeof(kModes[0]); ++i) CHECK_ERROR(fallocate(fd, kModes[i], 0, PAGE), EOPNOTSUPP);
    CHECK_ERROR(fallocate(fd, 0, -1, PAGE), EINVAL);
    CHECK_ERROR(fallocate(fd, 0, 0, 0), EINVAL);
    CHECK_ERROR(fallocate(fd, 0, 0, -1), EINVAL);
    CHECK_ERROR(fallocate(fd, 0, INT64_MAX, PAGE), EFBIG);
    int ends[2];
    CHECK(pipe(ends) == 0);
    CHECK_ERROR(fallocate(ends[1], 0, 0, 1), ESPIPE);
    CHECK_ERROR(fallocate(ends[0], 0, 0, 1), EBADF);
    CHECK_ERROR(fallocate(99, 0, 0, 1), EBADF);
    CHECK_ERROR(fallocate(open("/", O_RDONLY), 0, 0, 1), EBADF);
    CHECK_ERROR(fallocate(open("/dev/null", O_RDWR), 0, 0, 1), ENODEV);
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    CHECK_ERROR(fallocate(open(path, O_RDONLY), 0, 0, 1), EBADF);
    CHECK(size_of(fd) == PAGE && byte_at(fd, 0) == 'a');
}

ROWS(seals_are_kept, "F10") {
    const int fd = filled(2);
    CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW) == 0);
    CHECK_ERROR(fallocate(fd, 0, PAGE, 2 * PAGE), EPERM);
    CHECK(fallocate(fd, 0, 0, 2 * PAGE) == 0 && fallocate(fd, kHole, 0, PAGE) == 0);
    CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == 0);
    CHECK_ERROR(fallocate(fd, kHole, PAGE, PAGE), EPERM);
    CHECK(byte_at(fd, PAGE) == 'a');
}

static volatile sig_atomic_t seen;
static void on_signal(int number) { seen = number; }
ROWS(the_limit_on_files, "F12") {
    const int fd = make();
    const struct rlimit limit = {4 * PAGE, 4 * PAGE};
    CHECK(setrlimit(RLIMIT_FSIZE, &limit) == 0 && signal(SIGXFSZ, on_signal) != SIG_ERR);
    CHECK(fallocate(fd, 0, 0, 4 * PAGE) == 0 && seen == 0);
    CHECK_ERROR(fallocate(fd, 0, 4 * PAGE, 1), EFBIG);
    CHECK(seen == SIGXFSZ);
    seen = 0;
    CHECK_ERROR(fallocate(fd, FALLOC_FL_KEEP_SIZE, 0, 4 * PAGE + 1), EFBIG);
    CHECK(seen == SIGXFSZ && fallocate(fd, kHole, 4 * PAGE, PAGE) == 0);
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
// What a failure has added is gone, what was there is not.
GUEST_ROWS(each_allocation_fails_and_is_undone, "P17,W10") {
    for (int round = 0; round < 2; ++round) {
        if (round == 1) count_kernel();
        int refused = 0;
        for (int nth = 1; nth < 10; ++nth) {
            const int fd = filled(1);
            CHECK(pwrite(fd, "b", 1, 3 * PAGE) == 1);
            fail_from_now(nth);
            const int result = fallocate(fd, 0, 0, 100 * PAGE);
            const int error = errno;
            fail_from_now(0);
            CHECK(byte_at(fd, 0) == 'a' && byte_at(fd, 3 * PAGE) == 'b');
            if (result != 0) {
                CHECK(error == ENOMEM && size_of(fd) == 3 * PAGE + 1 && blocks_of(fd) == 2 * PAGE / 512);
                ++refused;
            }
            close(fd);
        }
        CHECK(refused == 9);
    }
    expect_counts("fallocate with failures");
}

GUEST_ROWS(nothing_stays, "W10") {
    for (int round = 0; round < 2; ++round) {
        if (round == 1) count_kernel();
        for (int i = 0; i < 10; ++i) {
            const int fd = filled(5);
            char* shared = mmap(NULL, 5 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
            memset(shared, 1, 5 * PAGE);
            CHECK(fallocate(fd, 0, 0, 80 * PAGE) == 0 && fallocate(fd, kHole, 10, 70 * PAGE) == 0);
            CHECK(munmap(shared, 5 * PAGE) == 0);
            close(fd);
        }
    }
    expect_counts("fallocate");
}
