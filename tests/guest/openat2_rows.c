// openat2: what it refuses to know, and walks that may not lead everywhere.
#include "rows.h"

#include <sys/stat.h>

#define OPENAT2 437
struct how {
    uint64_t flags, mode, resolve, more;
};
enum { kNoXdev = 1, kNoMagicLinks = 2, kNoSymlinks = 4, kBeneath = 8, kInRoot = 16, kCached = 32 };

static int open2(int dir, const char* name, uint64_t flags, uint64_t mode, uint64_t resolve) {
    struct how how = {flags, mode, resolve, 0};
    return (int)syscall(OPENAT2, dir, name, &how, 24L);
}

ROWS(what_it_does_not_know_is_refused, "F10") {
    struct how how = {O_RDONLY, 0, 0, 0};
    CHECK_ERROR(syscall(OPENAT2, AT_FDCWD, "/", &how, 23L), EINVAL);
    CHECK_ERROR(syscall(OPENAT2, AT_FDCWD, "/", &how, 4097L), E2BIG);
    CHECK(syscall(OPENAT2, AT_FDCWD, "/", &how, 32L) >= 0);
    how.more = 1;
    CHECK_ERROR(syscall(OPENAT2, AT_FDCWD, "/", &how, 32L), E2BIG);
    CHECK_ERROR(syscall(OPENAT2, AT_FDCWD, "/", NULL, 24L), EFAULT);
    CHECK_ERROR(open2(AT_FDCWD, NULL, O_RDONLY, 0, 0), EFAULT);
    CHECK_ERROR(open2(AT_FDCWD, "/", 1ull << 40, 0, 0), EINVAL);
    CHECK_ERROR(open2(AT_FDCWD, "/", 1u << 30, 0, 0), EINVAL);
    CHECK_ERROR(open2(AT_FDCWD, "/", O_RDONLY, 0600, 0), EINVAL);
    CHECK_ERROR(open2(AT_FDCWD, "x", O_RDWR | O_CREAT, 0200000, 0), EINVAL);
    CHECK_ERROR(open2(AT_FDCWD, "/", O_PATH | O_RDWR, 0, 0), EINVAL);
    CHECK_ERROR(open2(AT_FDCWD, "/", O_RDONLY, 0, 64), EINVAL);
    CHECK_ERROR(open2(AT_FDCWD, "/", O_RDONLY, 0, kBeneath | kInRoot), EINVAL);
    CHECK_ERROR(open2(999, "x", O_RDONLY, 0, 0), EBADF);
    CHECK_ERROR(open2(AT_FDCWD, "/none", O_RDWR | O_CREAT, 0600, kCached), EAGAIN);
}

// dir/ in/ file, up -> .., abs -> /etc, self -> in; and below it a link to a descriptor of /proc.
static int make_tree(void) {
    const int dir = open(scratch_directory(), O_RDONLY | O_DIRECTORY);
    CHECK(dir >= 0 && mkdirat(dir, "in", 0755) == 0);
    CHECK(symlinkat("..", dir, "up") == 0 && symlinkat("/etc", dir, "abs") == 0 && symlinkat("in", dir, "self") == 0);
    const int file = open2(dir, "in/file", O_RDWR | O_CREAT | O_EXCL, 0640, kBeneath);
    struct stat stat;
    CHECK(file >= 0 && fstat(file, &stat) == 0 && (stat.st_mode & 07777) == (0640 & ~022));
    return dir;
}

ROWS(beneath_a_directory, "F10") {
    const int dir = make_tree();
    CHECK(open2(dir, "in/../in/file", O_RDONLY, 0, kBeneath) >= 0);
    CHECK(open2(dir, "self/file", O_RDONLY, 0, kBeneath) >= 0);
    CHECK_ERROR(open2(dir, "..", O_RDONLY, 0, kBeneath), EXDEV);
    CHECK_ERROR(open2(dir, "in/../..", O_RDONLY, 0, kBeneath), EXDEV);
    CHECK_ERROR(open2(dir, "up", O_RDONLY, 0, kBeneath), EXDEV);
    CHECK_ERROR(open2(dir, "abs", O_RDONLY, 0, kBeneath), EXDEV);
    CHECK_ERROR(open2(dir, "/", O_RDONLY, 0, kBeneath), EXDEV);
    CHECK_ERROR(open2(dir, "none", O_RDONLY, 0, kBeneath), ENOENT);
}

ROWS(a_directory_as_root, "F10,F12") {
    const int dir = make_tree();
    CHECK(open2(dir, "/in/file", O_RDONLY, 0, kInRoot) >= 0);
    CHECK(open2(dir, "../../in/file", O_RDONLY, 0, kInRoot) >= 0);
    CHECK(open2(dir, "up/in/file", O_RDONLY, 0, kInRoot) >= 0);
    CHECK_ERROR(open2(dir, "abs", O_RDONLY, 0, kInRoot), ENOENT);
    CHECK_ERROR(open2(dir, "/etc", O_RDONLY, 0, kInRoot), ENOENT);
}

ROWS(no_links_and_no_other_mounts, "F10,C10") {
    const int dir = make_tree();
    CHECK_ERROR(open2(dir, "self/file", O_RDONLY, 0, kNoSymlinks), ELOOP);
    CHECK_ERROR(open2(dir, "self", O_RDONLY, 0, kNoSymlinks), ELOOP);
    CHECK(open2(dir, "self", O_PATH | O_NOFOLLOW, 0, kNoSymlinks) >= 0);
    CHECK(open2(dir, "in/file", O_RDONLY, 0, kNoSymlinks) >= 0);
    CHECK_ERROR(open2(AT_FDCWD, "/proc/self/exe", O_RDONLY, 0, kNoMagicLinks), ELOOP);
    CHECK(open2(AT_FDCWD, "/proc/self/exe", O_RDONLY, 0, 0) >= 0);
    CHECK(open2(dir, "self/file", O_RDONLY, 0, kNoMagicLinks) >= 0);
    CHECK_ERROR(open2(AT_FDCWD, "/proc/version", O_RDONLY, 0, kNoXdev), EXDEV);
    const int proc = open("/proc", O_RDONLY | O_DIRECTORY);
    CHECK(proc >= 0 && open2(proc, "version", O_RDONLY, 0, kNoXdev) >= 0);
    CHECK_ERROR(open2(proc, "..", O_RDONLY, 0, kNoXdev), EXDEV);
    CHECK_ERROR(open2(proc, "self/exe", O_RDONLY, 0, kNoXdev), EXDEV);
    CHECK_ERROR(open2(proc, "self/exe", O_RDONLY, 0, kBeneath), EXDEV);
}
