// Calls of which several arguments are wrong: which of them is told of. As Linux looks at them.
#include "rows.h"

#include <sys/sem.h>
#include <sys/socket.h>
#include <sys/msg.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <time.h>

#define BAD ((void*)8)

static void check_call(long result, int wanted, int line) {
    if (result == -1 && errno == wanted) return;
    printf("  line %d: %ld (errno %d) instead of errno %d\n", line, result, errno, wanted);
    _exit(1);
}
#define REFUSED(wanted, ...) check_call((errno = 0, syscall(__VA_ARGS__)), wanted, __LINE__)

ROWS(an_offset_below_zero_before_the_descriptor, "F10") {
    REFUSED(EINVAL, SYS_pread64, -1, BAD, 1L, -1L);
    REFUSED(EINVAL, SYS_pwrite64, -1, BAD, 1L, -1L);
    REFUSED(EINVAL, SYS_preadv, -1, BAD, 1L, -1L, -1L);
    REFUSED(EINVAL, SYS_pwritev, -1, BAD, 1L, -1L, -1L);
    REFUSED(EBADF, SYS_preadv2, -1, BAD, 1L, -1L, -1L, 0x4000L);
    REFUSED(EFAULT, SYS_sendfile, -1, -1, BAD, 1L);
}

ROWS(what_is_read_before_it_is_looked_up, "F10,F11") {
    REFUSED(EFAULT, SYS_sendto, -1, -1L, -1L, 0L, NULL, 0L);
    REFUSED(EFAULT, SYS_recvfrom, -1, -1L, -1L, 0L, NULL, NULL);
    REFUSED(EINVAL, SYS_sendmsg, -1, BAD, 0x80000000L);
    REFUSED(EINVAL, SYS_recvmsg, -1, BAD, 0x80000000L);
    REFUSED(EFAULT, SYS_socketpair, AF_UNSPEC, 0L, 0L, BAD);
    REFUSED(EFAULT, SYS_msgsnd, -1, BAD, -1L, 0L);
    REFUSED(E2BIG, SYS_semop, -1, BAD, 100000L);
    REFUSED(EFAULT, SYS_semtimedop, -1, BAD, 0L, BAD);
    REFUSED(EFAULT, SYS_utimensat, -1, "/", BAD, -1L);
    REFUSED(EFAULT, SYS_execveat, -1, BAD, NULL, NULL, -1L);
    REFUSED(EFAULT, SYS_rt_tgsigqueueinfo, 0L, 0L, 0L, NULL);
    REFUSED(EFAULT, SYS_clock_settime, -1, BAD);
    REFUSED(EFAULT, SYS_clock_nanosleep, -1, 0L, BAD, NULL);
}

ROWS(modes_and_flags_before_names, "F12") {
    REFUSED(EINVAL, SYS_mknodat, AT_FDCWD, BAD, (long)S_IFMT, 0L);
    REFUSED(EPERM, SYS_mknodat, AT_FDCWD, BAD, (long)S_IFDIR, 0L);
    REFUSED(EINVAL, SYS_renameat2, AT_FDCWD, BAD, AT_FDCWD, BAD, -1L);
    REFUSED(EFAULT, SYS_renameat2, AT_FDCWD, BAD, AT_FDCWD, BAD, 0L);
}

ROWS(limits_want_somewhere_to_go, "F12") {
    REFUSED(EFAULT, SYS_getrlimit, (long)RLIMIT_NOFILE, NULL);
    REFUSED(EINVAL, SYS_getrlimit, 99L, NULL);
    CHECK(syscall(SYS_prlimit64, 0L, (long)RLIMIT_NOFILE, NULL, NULL) == 0);
}

ROWS(no_name_is_the_descriptor, "F10") {
    char name[64];
    snprintf(name, sizeof(name), "%s/file", scratch_directory());
    const int fd = open(name, O_RDWR | O_CREAT, 0600);
    const struct timeval times[2] = {{100, 0}, {200, 0}};
    CHECK(fd >= 0 && syscall(SYS_futimesat, fd, NULL, times) == 0);
    struct stat stat;
    CHECK(fstat(fd, &stat) == 0 && stat.st_atime == 100 && stat.st_mtime == 200);
    REFUSED(EFAULT, SYS_utimes, NULL, times);
}

// What Linux looks at in another order than it once did.
ROWS(orders_of_newer_kernels, "F10") {
    if (!as_of(6, 18)) return;
    REFUSED(EBADF, SYS_accept4, -1, NULL, NULL, -1L);
    REFUSED(EBADF, SYS_setsockopt, -1, 1L, 1L, BAD, -1L);
    REFUSED(EBADF, SYS_epoll_wait, -1, BAD, -1L, 0L);
    REFUSED(EINVAL, SYS_setxattr, BAD, BAD, BAD, 1L, -1L);
    REFUSED(EFAULT, SYS_fgetxattr, -1, BAD, BAD, 1L);
    REFUSED(EFAULT, SYS_fremovexattr, -1, BAD);
}

ROWS(protection_keys_without_the_feature, "F2") {
    // With no bytes there is nothing to refuse.
    CHECK(syscall(SYS_pkey_mprotect, 0L, 0L, 0L, 5L) == 0);
    REFUSED(EINVAL, SYS_pkey_alloc, 1L, 0L);
    if (on_guest()) REFUSED(EINVAL, SYS_pkey_alloc, 0L, 0L);
}
