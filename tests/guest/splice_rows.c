// splice, tee and vmsplice: bytes go from pipe to file, from file to pipe and from pipe to pipe, and stay in order.
#include <sys/uio.h>

#include "rows.h"

static const char kText[] = "0123456789";
enum { kLength = sizeof(kText) - 1 };

static void make_pipe(int ends[2]) { CHECK(pipe(ends) == 0); }

static int text_file(void) {
    char name[] = "/tmp/spliceXXXXXX";
    const int fd = mkstemp(name);
    CHECK(fd >= 0 && unlink(name) == 0 && write(fd, kText, kLength) == kLength);
    return fd;
}

static void expect_text(int fd, const char* text) {
    char got[64] = {0};
    CHECK(read(fd, got, sizeof(got) - 1) == (ssize_t)strlen(text) && strcmp(got, text) == 0);
}

ROWS(a_file_goes_into_a_pipe, "-") {
    int ends[2];
    make_pipe(ends);
    const int fd = text_file();
    loff_t at = 2;
    CHECK(splice(fd, &at, ends[1], NULL, 5, 0) == 5 && at == 7);
    CHECK(lseek(fd, 0, SEEK_CUR) == kLength);
    expect_text(ends[0], "23456");
    CHECK(lseek(fd, 8, SEEK_SET) == 8);
    CHECK(splice(fd, NULL, ends[1], NULL, 100, 0) == 2);
    CHECK(lseek(fd, 0, SEEK_CUR) == kLength);
    expect_text(ends[0], "89");
    CHECK(splice(fd, NULL, ends[1], NULL, 100, 0) == 0);
}

ROWS(a_pipe_goes_into_a_file, "-") {
    int ends[2];
    make_pipe(ends);
    const int fd = text_file();
    CHECK(write(ends[1], "abcdef", 6) == 6);
    loff_t at = 1;
    CHECK(splice(ends[0], NULL, fd, &at, 4, 0) == 4 && at == 5);
    CHECK(splice(ends[0], NULL, fd, NULL, 100, 0) == 2);
    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    expect_text(fd, "0abcd56789ef");
    close(ends[1]);
    CHECK(splice(ends[0], NULL, fd, NULL, 100, 0) == 0);
}

ROWS(a_pipe_goes_into_a_pipe_and_tee_keeps_it, "-") {
    int a[2], b[2];
    make_pipe(a);
    make_pipe(b);
    CHECK(write(a[1], kText, kLength) == kLength);
    CHECK(tee(a[0], b[1], 4, 0) == 4);
    expect_text(b[0], "0123");
    CHECK(splice(a[0], NULL, b[1], NULL, 3, 0) == 3);
    expect_text(b[0], "012");
    expect_text(a[0], "3456789");
}

ROWS(more_than_a_page_arrives_whole, "-") {
    enum { kBytes = 50000 };
    static unsigned char sent[kBytes], got[kBytes];
    int a[2], b[2], c[2];
    make_pipe(a);
    make_pipe(b);
    make_pipe(c);
    for (size_t i = 0; i < kBytes; ++i) sent[i] = (unsigned char)(i * 7 + i / 256);
    struct iovec memory = {sent, kBytes};
    CHECK(vmsplice(a[1], &memory, 1, 0) == kBytes);
    // How much goes at once is the kernel's affair.
    CHECK(tee(a[0], c[1], kBytes, 0) > 0);
    for (size_t done = 0; done < kBytes;) {
        const ssize_t part = splice(a[0], NULL, b[1], NULL, kBytes - done, 0);
        CHECK(part > 0);
        done += (size_t)part;
    }
    for (size_t done = 0; done < kBytes;) {
        const ssize_t part = read(b[0], got + done, kBytes - done);
        CHECK(part > 0);
        done += (size_t)part;
    }
    CHECK(memcmp(sent, got, kBytes) == 0);
}

ROWS(vmsplice_reads_as_well, "-") {
    int ends[2];
    make_pipe(ends);
    char low[3] = {0}, high[8] = {0};
    struct iovec memory[] = {{low, 2}, {high, 7}};
    CHECK(write(ends[1], "abcdef", 6) == 6);
    CHECK(vmsplice(ends[0], memory, 2, 0) == 6);
    CHECK(strcmp(low, "ab") == 0 && strcmp(high, "cdef") == 0);
    memory[0].iov_base = opaque(8);
    CHECK(write(ends[1], "x", 1) == 1);
    CHECK_ERROR(vmsplice(ends[0], memory, 1, 0), EFAULT);
    CHECK(vmsplice(ends[1], memory, 0, 0) == 0);
    const int fd = text_file();
    CHECK_ERROR(vmsplice(fd, memory + 1, 1, 0), EBADF);
}

ROWS(an_empty_and_a_full_pipe_wait_or_say_so, "-") {
    int a[2], b[2];
    make_pipe(a);
    make_pipe(b);
    CHECK_ERROR(splice(a[0], NULL, b[1], NULL, 1, SPLICE_F_NONBLOCK), EAGAIN);
    CHECK_ERROR(tee(a[0], b[1], 1, SPLICE_F_NONBLOCK), EAGAIN);
    CHECK(write(a[1], kText, kLength) == kLength);
    CHECK(fcntl(b[1], F_SETFL, O_NONBLOCK) == 0);
    static char full[65536];
    CHECK(write(b[1], full, sizeof(full)) == sizeof(full));
    CHECK_ERROR(splice(a[0], NULL, b[1], NULL, 1, 0), EAGAIN);
    CHECK(fcntl(b[1], F_SETFL, 0) == 0);
    const pid_t reader = IN_CHILD(CHECK(read(b[0], full, sizeof(full)) > 0));
    CHECK(splice(a[0], NULL, b[1], NULL, kLength, 0) == kLength);
    wait_exit(reader, 0);
    close(a[1]);
    CHECK(splice(a[0], NULL, b[1], NULL, 1, 0) == 0);
}

ROWS(nobody_reads, "-") {
    int a[2], b[2];
    make_pipe(a);
    make_pipe(b);
    close(b[0]);
    CHECK(write(a[1], kText, kLength) == kLength);
    CHECK(signal(SIGPIPE, SIG_IGN) != SIG_ERR);
    CHECK_ERROR(splice(a[0], NULL, b[1], NULL, 1, 0), EPIPE);
    CHECK_ERROR(tee(a[0], b[1], 1, 0), EPIPE);
    CHECK_ERROR(splice(text_file(), (loff_t[]){0}, b[1], NULL, 1, 0), EPIPE);
}

ROWS(what_splice_refuses, "-") {
    int a[2], b[2];
    make_pipe(a);
    make_pipe(b);
    const int fd = text_file();
    loff_t at = 0;
    CHECK(splice(-1, NULL, -1, NULL, 0, 0) == 0);
    CHECK_ERROR(splice(a[0], NULL, b[1], NULL, 1, 0x10), EINVAL);
    CHECK_ERROR(splice(-1, NULL, b[1], NULL, 1, 0), EBADF);
    CHECK_ERROR(splice(a[0], NULL, -1, NULL, 1, 0), EBADF);
    CHECK_ERROR(splice(a[1], NULL, b[1], NULL, 1, 0), EBADF);
    CHECK_ERROR(splice(a[0], &at, fd, NULL, 1, 0), ESPIPE);
    CHECK_ERROR(splice(fd, NULL, a[1], &at, 1, 0), ESPIPE);
    CHECK_ERROR(splice(fd, &at, fd, &at, 1, 0), EINVAL);
    CHECK_ERROR(splice(a[0], NULL, a[1], NULL, 1, 0), EINVAL);
    CHECK_ERROR(splice(fd, opaque(8), a[1], NULL, 1, 0), EFAULT);
    CHECK_ERROR(tee(fd, a[1], 1, 0), EINVAL);
    CHECK_ERROR(tee(a[0], a[1], 1, 0), EINVAL);
    CHECK_ERROR(tee(a[0], b[1], 1, 0x10), EINVAL);
    CHECK_ERROR(tee(-1, b[1], 1, 0), EBADF);
    CHECK_ERROR(vmsplice(-1, NULL, 0, 0), EBADF);
    CHECK_ERROR(vmsplice(a[1], NULL, 0, 0x10), EINVAL);
    CHECK(fcntl(fd, F_SETFL, O_APPEND) == 0 && write(a[1], "x", 1) == 1);
    CHECK_ERROR(splice(a[0], NULL, fd, NULL, 1, 0), EINVAL);
}
