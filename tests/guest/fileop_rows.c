// Calls on files that are seldom needed: copies inside the kernel, advice, positions in vectors, extended attributes.
#include "rows.h"

#include <sys/stat.h>
#include <sys/uio.h>

static int temporary(const char* contents) {
    char name[] = "/tmp/fileop-XXXXXX";
    const int fd = mkstemp(name);
    CHECK(fd >= 0 && unlink(name) == 0);
    CHECK(write(fd, contents, strlen(contents)) == (ssize_t)strlen(contents) && lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

static long copy_range(int in, int64_t* in_at, int out, int64_t* out_at, size_t bytes, unsigned flags) {
    return syscall(SYS_copy_file_range, in, in_at, out, out_at, bytes, flags);
}

ROWS(ranges_are_copied, "F10") {
    const int in = temporary("0123456789"), out = temporary("");
    CHECK(copy_range(in, NULL, out, NULL, 4, 0) == 4);
    CHECK(lseek(in, 0, SEEK_CUR) == 4 && lseek(out, 0, SEEK_CUR) == 4);
    int64_t from = 6, to = 1;
    CHECK(copy_range(in, &from, out, &to, 100, 0) == 4 && from == 10 && to == 5);
    CHECK(lseek(in, 0, SEEK_CUR) == 4 && copy_range(in, &from, out, &to, 1, 0) == 0);
    char text[8] = "";
    CHECK(pread(out, text, sizeof(text), 0) == 5 && memcmp(text, "06789", 5) == 0);
    int64_t near = 2;
    from = 0;
    CHECK_ERROR(copy_range(in, &from, in, &near, 4, 0), EINVAL);
    CHECK_ERROR(copy_range(in, NULL, out, NULL, 1, 1), EINVAL);
    CHECK_ERROR(copy_range(-1, NULL, out, NULL, 1, 0), EBADF);
    int ends[2];
    CHECK(pipe(ends) == 0);
    CHECK_ERROR(copy_range(ends[0], NULL, out, NULL, 1, 0), EINVAL);
    const int directory = open("/tmp", O_RDONLY);
    CHECK_ERROR(copy_range(directory, NULL, out, NULL, 1, 0), EISDIR);
    CHECK(fcntl(out, F_SETFL, O_APPEND) == 0);
    CHECK_ERROR(copy_range(in, NULL, out, NULL, 1, 0), EBADF);
}

ROWS(advice, "F10") {
    const int fd = temporary("text");
    int ends[2];
    CHECK(pipe(ends) == 0);
    CHECK(syscall(SYS_fadvise64, fd, 0, 0, 3) == 0 && syscall(SYS_readahead, fd, 0, 4096) == 0);
    CHECK(syscall(SYS_sync_file_range, fd, 0, 0, 7) == 0);
    CHECK_ERROR(syscall(SYS_fadvise64, fd, 0, 0, 6), EINVAL);
    CHECK_ERROR(syscall(SYS_fadvise64, fd, 0L, -1L, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_fadvise64, ends[0], 0, 0, 0), ESPIPE);
    CHECK_ERROR(syscall(SYS_fadvise64, -1, 0, 0, 0), EBADF);
    CHECK_ERROR(syscall(SYS_readahead, ends[0], 0, 1), EINVAL);
    CHECK_ERROR(syscall(SYS_readahead, ends[1], 0, 1), EBADF);
    CHECK_ERROR(syscall(SYS_sync_file_range, fd, 0, 0, 8), EINVAL);
    CHECK_ERROR(syscall(SYS_sync_file_range, fd, -1L, 0L, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_sync_file_range, ends[0], 0, 0, 0), ESPIPE);
}

ROWS(vectors_with_flags, "F10") {
    const int fd = temporary("0123456789");
    char one[2], two[3];
    const struct iovec parts[2] = {{one, 2}, {two, 3}};
    CHECK(syscall(SYS_preadv2, fd, parts, 2, 4L, 0L, 0) == 5 && memcmp(one, "45", 2) == 0 && memcmp(two, "678", 3) == 0);
    CHECK(lseek(fd, 0, SEEK_CUR) == 0);
    CHECK(syscall(SYS_preadv2, fd, parts, 2, -1L, -1L, 0) == 5 && memcmp(two, "234", 3) == 0);
    CHECK(lseek(fd, 0, SEEK_CUR) == 5);
    CHECK(syscall(SYS_pwritev2, fd, parts, 2, 0L, 0L, 4) == 5 && lseek(fd, 0, SEEK_CUR) == 5);  // RWF_SYNC
    CHECK(syscall(SYS_pwritev2, fd, parts, 1, -1L, -1L, 0) == 2 && lseek(fd, 0, SEEK_CUR) == 7);
    CHECK_ERROR(syscall(SYS_preadv2, fd, parts, 2, 0L, 0L, 0x40000000), EOPNOTSUPP);
    CHECK_ERROR(syscall(SYS_preadv2, fd, parts, 2, -2L, -1L, 0), EINVAL);
}

ROWS(extended_attributes, "F10") {
    const int fd = temporary("");
    char value[8], name[300];
    memset(name, 'n', sizeof(name));
    name[299] = '\0';
    CHECK_ERROR(syscall(SYS_getxattr, "/no/such/file", "user.a", value, sizeof(value)), ENOENT);
    CHECK_ERROR(syscall(SYS_fgetxattr, -1, "user.a", value, sizeof(value)), EBADF);
    CHECK_ERROR(syscall(SYS_fgetxattr, fd, name, value, sizeof(value)), ERANGE);
    CHECK_ERROR(syscall(SYS_fgetxattr, fd, "", value, sizeof(value)), ERANGE);
    CHECK_ERROR(syscall(SYS_fgetxattr, fd, "no-such-kind.a", value, sizeof(value)), EOPNOTSUPP);
    CHECK_ERROR(syscall(SYS_fsetxattr, fd, "no-such-kind.a", "v", 1, 0), EOPNOTSUPP);
    CHECK_ERROR(syscall(SYS_fsetxattr, fd, "user.a", "v", 1, 8), EINVAL);
    CHECK_ERROR(syscall(SYS_fremovexattr, fd, "no-such-kind.a"), EOPNOTSUPP);
    CHECK(syscall(SYS_flistxattr, fd, NULL, 0) == 0);
    CHECK(syscall(SYS_listxattr, "/proc/self/status", NULL, 0) == 0);
}

#ifndef O_TMPFILE
#define O_TMPFILE (020000000 | O_DIRECTORY)
#endif

ROWS(files_without_a_name, "F10") {
    char directory[64];
    snprintf(directory, sizeof(directory), "/dev/shm/fileop-%d", getpid());
    CHECK(mkdir(directory, 0755) == 0 && chdir(directory) == 0);
    CHECK_ERROR(open(".", O_TMPFILE | O_RDONLY, 0600), EINVAL);
    CHECK_ERROR(open(".", O_TMPFILE | O_RDWR | O_CREAT, 0600), EINVAL);
    CHECK_ERROR(open("none", O_TMPFILE | O_RDWR, 0600), ENOENT);
    umask(022);
    const int fd = open(".", O_TMPFILE | O_RDWR, 0666);
    CHECK((fcntl(fd, F_GETFL) & O_TMPFILE) == O_TMPFILE);
    struct stat file;
    CHECK(fd >= 0 && fstat(fd, &file) == 0 && file.st_nlink == 0 && file.st_mode == (S_IFREG | 0644));
    CHECK(write(fd, "text", 4) == 4);
    char link[64], text[128], wanted[128];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    const ssize_t length = readlink(link, text, sizeof(text) - 1);
    CHECK(length > 0);
    text[length] = '\0';
    snprintf(wanted, sizeof(wanted), "%s/#%lu (deleted)", directory, (unsigned long)file.st_ino);
    CHECK(strcmp(text, wanted) == 0);
    // Nobody sees it until it gets a name, once.
    CHECK(rmdir(directory) == 0 && mkdir(directory, 0755) == 0 && chdir(directory) == 0);
    CHECK(linkat(AT_FDCWD, link, AT_FDCWD, "named", AT_SYMLINK_FOLLOW) == 0);
    CHECK(stat("named", &file) == 0 && file.st_nlink == 1 && file.st_size == 4);
    CHECK(unlink("named") == 0);
    CHECK_ERROR(linkat(AT_FDCWD, link, AT_FDCWD, "again", AT_SYMLINK_FOLLOW), ENOENT);
    const int never = open(".", O_TMPFILE | O_RDWR | O_EXCL, 0600);
    snprintf(link, sizeof(link), "/proc/self/fd/%d", never);
    CHECK_ERROR(linkat(AT_FDCWD, link, AT_FDCWD, "named", AT_SYMLINK_FOLLOW), ENOENT);
    CHECK(chdir("/") == 0 && rmdir(directory) == 0);
}
