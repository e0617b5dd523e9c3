// Files: what open, read, write, seek, dup, fcntl, stat and mmap of files do, and the error of each misuse.
#include "rows.h"

#include <dirent.h>
#include <sys/ioctl.h>
#include <sys/sendfile.h>
#include <sys/stat.h>
#include <sys/uio.h>
#include <sys/vfs.h>
#include <time.h>

// Each test works in a directory of its own, below one that every user may enter.
static void enter_scratch(void) {
    CHECK(chdir(scratch_directory()) == 0);
    umask(022);
}

static int make(const char* name, const char* text) {
    const int fd = open(name, O_RDWR | O_CREAT | O_TRUNC, 0644);
    CHECK(fd >= 0);
    CHECK(write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    return fd;
}

static void expect_text(int fd, const char* text) {
    char buffer[100] = "";
    CHECK(pread(fd, buffer, sizeof(buffer), 0) == (ssize_t)strlen(text));
    CHECK(strcmp(buffer, text) == 0);
}

static void become_nobody(void) {
    if (geteuid() != 0) return;
    CHECK(setgid(65534) == 0);
    CHECK(setuid(65534) == 0);
}

ROWS(open_errors, "-") {
    enter_scratch();
    close(make("f", "text"));
    CHECK(mkdir("d", 0755) == 0);
    CHECK(symlink("f", "l") == 0);
    CHECK(symlink("loop", "loop") == 0);
    CHECK_ERROR(open("none", O_RDONLY), ENOENT);
    CHECK_ERROR(open("", O_RDONLY), ENOENT);
    CHECK_ERROR(open("f/x", O_RDONLY), ENOTDIR);
    CHECK_ERROR(open("f/", O_RDONLY), ENOTDIR);
    CHECK_ERROR(open("f", O_RDONLY | O_DIRECTORY), ENOTDIR);
    CHECK_ERROR(open("d", O_WRONLY), EISDIR);
    CHECK_ERROR(open("d", O_RDONLY | O_CREAT, 0644), EISDIR);
    CHECK_ERROR(open("new/", O_WRONLY | O_CREAT, 0644), EISDIR);
    CHECK_ERROR(open("f", O_WRONLY | O_CREAT | O_EXCL, 0644), EEXIST);
    CHECK_ERROR(open("l", O_WRONLY | O_CREAT | O_EXCL, 0644), EEXIST);
    CHECK_ERROR(open("l", O_RDONLY | O_NOFOLLOW), ELOOP);
    CHECK_ERROR(open("loop", O_RDONLY), ELOOP);
    CHECK_ERROR(open(opaque(1), O_RDONLY), EFAULT);
    char long_name[300];
    memset(long_name, 'n', sizeof(long_name));
    long_name[256] = '\0';
    CHECK_ERROR(open(long_name, O_RDONLY), ENAMETOOLONG);
    long_name[255] = '\0';
    CHECK_ERROR(open(long_name, O_RDONLY), ENOENT);
    char long_path[5000];
    memset(long_path, '/', sizeof(long_path));
    long_path[4999] = '\0';
    CHECK_ERROR(open(long_path, O_RDONLY), ENAMETOOLONG);
    CHECK_ERROR(close(77), EBADF);
    CHECK_ERROR(openat(77, "f", O_RDONLY), EBADF);
    CHECK_ERROR(openat(open("f", O_RDONLY), "x", O_RDONLY), ENOTDIR);
}

ROWS(descriptors_are_the_lowest_free, "F10") {
    enter_scratch();
    const int first = make("f", "");
    const int second = dup(first), third = dup(second);
    CHECK(second == first + 1 && third == first + 2);
    CHECK(close(second) == 0);
    CHECK(fcntl(first, F_DUPFD, 0) == second);
    CHECK(fcntl(first, F_DUPFD, 100) == 100);
    CHECK_ERROR(fcntl(first, F_DUPFD, -1), EINVAL);
    CHECK_ERROR(fcntl(first, F_DUPFD, 1 << 30), EINVAL);
    CHECK_ERROR(dup(77), EBADF);
    CHECK_ERROR(dup2(77, 5), EBADF);
    CHECK_ERROR(dup2(first, -1), EBADF);
    CHECK_ERROR(dup2(first, 1 << 30), EBADF);
    CHECK(dup2(first, first) == first);
    CHECK_ERROR(dup3(first, first, 0), EINVAL);
    CHECK(dup3(first, 50, O_CLOEXEC) == 50);
    CHECK(fcntl(50, F_GETFD) == FD_CLOEXEC);
    CHECK(fcntl(first, F_GETFD) == 0);
    CHECK(syscall(SYS_close_range, 50, 100, 0) == 0);
    CHECK_ERROR(fcntl(50, F_GETFD), EBADF);
    CHECK_ERROR(fcntl(100, F_GETFD), EBADF);
    struct rlimit limit = {10, 10};
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    while (dup(first) >= 0) continue;
    CHECK(errno == EMFILE);
}

ROWS(dup_shares_the_offset_and_open_does_not, "F10") {
    enter_scratch();
    const int fd = make("f", "0123456789");
    const int same = dup(fd), other = open("f", O_RDONLY);
    char byte;
    CHECK(read(fd, &byte, 1) == 1 && byte == '0');
    CHECK(read(same, &byte, 1) == 1 && byte == '1');
    CHECK(read(other, &byte, 1) == 1 && byte == '0');
    CHECK(fcntl(fd, F_SETFL, O_APPEND | O_NONBLOCK) == 0);
    CHECK((fcntl(same, F_GETFL) & (O_APPEND | O_NONBLOCK)) == (O_APPEND | O_NONBLOCK));
    CHECK((fcntl(other, F_GETFL) & O_ACCMODE) == O_RDONLY);
}

ROWS(reads_and_writes, "-") {
    enter_scratch();
    const int fd = make("f", "0123456789");
    char buffer[20];
    CHECK(read(fd, buffer, 20) == 10);
    CHECK(read(fd, buffer, 20) == 0);
    CHECK(pwrite(fd, "AB", 2, 4) == 2);
    CHECK(lseek(fd, 0, SEEK_CUR) == 10);
    expect_text(fd, "0123AB6789");
    struct iovec parts[3] = {{buffer, 2}, {NULL, 0}, {buffer + 5, 3}};
    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    CHECK(readv(fd, parts, 3) == 5);
    CHECK(memcmp(buffer, "01", 2) == 0 && memcmp(buffer + 5, "23A", 3) == 0);
    CHECK(writev(fd, parts, 3) == 5);
    expect_text(fd, "0123A0123A");
    CHECK_ERROR(readv(fd, parts, -1), EINVAL);
    CHECK(readv(fd, parts, 0) == 0);
    parts[1].iov_len = (size_t)-1;
    CHECK_ERROR(readv(fd, parts, 3), EINVAL);
    CHECK_ERROR(pread(fd, buffer, 1, -1), EINVAL);
    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    CHECK_ERROR(read(fd, opaque(1), 1), EFAULT);
    const int read_only = open("f", O_RDONLY), write_only = open("f", O_WRONLY), dir = open(".", O_RDONLY);
    CHECK_ERROR(write(read_only, "x", 1), EBADF);
    CHECK_ERROR(read(write_only, buffer, 1), EBADF);
    CHECK_ERROR(read(dir, buffer, 1), EISDIR);
    CHECK_ERROR(read(77, buffer, 1), EBADF);
    CHECK_ERROR(read(-1, buffer, 1), EBADF);
    const int append = open("f", O_WRONLY | O_APPEND);
    CHECK(write(append, "end", 3) == 3);
    expect_text(fd, "0123A0123Aend");
}

ROWS(seeks, "-") {
    enter_scratch();
    const int fd = make("f", "0123456789");
    CHECK(lseek(fd, -3, SEEK_END) == 7);
    CHECK(lseek(fd, 2, SEEK_CUR) == 9);
    CHECK(lseek(fd, 100, SEEK_SET) == 100);
    CHECK_ERROR(lseek(fd, -1, SEEK_SET), EINVAL);
    CHECK_ERROR(lseek(fd, 0, 77), EINVAL);
    CHECK(write(fd, "x", 1) == 1);
    struct stat stat;
    CHECK(fstat(fd, &stat) == 0 && stat.st_size == 101);
    char buffer[200];
    CHECK(pread(fd, buffer, 200, 0) == 101);
    for (int i = 10; i < 100; ++i) CHECK(buffer[i] == 0);
    int pipes[2];
    CHECK(pipe(pipes) == 0);
    CHECK_ERROR(lseek(pipes[0], 0, SEEK_SET), ESPIPE);
    CHECK_ERROR(pread(pipes[0], buffer, 1, 0), ESPIPE);
}

ROWS(truncates, "-") {
    enter_scratch();
    const int fd = make("f", "0123456789");
    CHECK(ftruncate(fd, 4) == 0);
    CHECK(truncate("f", 6) == 0);
    char buffer[10];
    CHECK(pread(fd, buffer, 10, 0) == 6 && memcmp(buffer, "0123\0", 6) == 0);
    CHECK_ERROR(ftruncate(fd, -1), EINVAL);
    CHECK_ERROR(ftruncate(open("f", O_RDONLY), 0), EINVAL);
    CHECK_ERROR(truncate(".", 0), EISDIR);
    CHECK_ERROR(truncate("none", 0), ENOENT);
    CHECK_ERROR(ftruncate(77, 0), EBADF);
}

ROWS(an_unlinked_file_stays_open, "-") {
    enter_scratch();
    const int fd = make("f", "still here");
    CHECK(unlink("f") == 0);
    CHECK_ERROR(open("f", O_RDONLY), ENOENT);
    expect_text(fd, "still here");
    struct stat stat;
    CHECK(fstat(fd, &stat) == 0 && stat.st_nlink == 0);
}

ROWS(stat_tells_type_size_and_links, "-") {
    enter_scratch();
    const int fd = make("f", "12345");
    struct stat by_name, by_fd, by_link;
    CHECK(symlink("f", "l") == 0);
    CHECK(stat("f", &by_name) == 0 && fstat(fd, &by_fd) == 0 && lstat("l", &by_link) == 0);
    CHECK(S_ISREG(by_name.st_mode) && (by_name.st_mode & 07777) == 0644);
    CHECK(by_name.st_size == 5 && by_name.st_nlink == 1 && by_name.st_ino == by_fd.st_ino);
    CHECK(S_ISLNK(by_link.st_mode) && by_link.st_size == 1);
    CHECK(stat("l", &by_link) == 0 && by_link.st_ino == by_name.st_ino);
    CHECK(fstatat(fd, "", &by_fd, AT_EMPTY_PATH) == 0 && by_fd.st_ino == by_name.st_ino);
    CHECK_ERROR(fstatat(AT_FDCWD, "f", &by_fd, 0x40000), EINVAL);
    CHECK_ERROR(stat("none", &by_name), ENOENT);
    CHECK_ERROR(fstat(77, &by_name), EBADF);
    CHECK(stat("/dev/null", &by_name) == 0 && S_ISCHR(by_name.st_mode) && by_name.st_rdev == 0x103);
    struct statfs fs;
    CHECK(statfs(".", &fs) == 0 && fs.f_namelen == 255);
    CHECK_ERROR(statfs("none", &fs), ENOENT);
    CHECK_ERROR(fstatfs(77, &fs), EBADF);
}

ROWS(modes_owners_and_times, "-") {
    enter_scratch();
    const int fd = make("f", "");
    struct stat stat;
    CHECK(chmod("f", 0640) == 0 && fchmod(fd, 0600) == 0);
    const struct timespec times[2] = {{100, 1}, {200, UTIME_OMIT}};
    struct timespec before;
    CHECK(fstat(fd, &stat) == 0);
    before = stat.st_mtim;
    CHECK(futimens(fd, times) == 0 && fstat(fd, &stat) == 0);
    CHECK(stat.st_mode == (S_IFREG | 0600) && stat.st_atim.tv_sec == 100 && stat.st_atim.tv_nsec == 1);
    CHECK(stat.st_mtim.tv_sec == before.tv_sec && stat.st_mtim.tv_nsec == before.tv_nsec);
    const struct timespec wrong[2] = {{0, 1000000000}, {0, 0}};
    CHECK_ERROR(utimensat(AT_FDCWD, "f", wrong, 0), EINVAL);
    CHECK_ERROR(chmod("none", 0), ENOENT);
    if (geteuid() != 0) return;
    CHECK(chown("f", 1000, 1001) == 0 && fstat(fd, &stat) == 0);
    CHECK(stat.st_uid == 1000 && stat.st_gid == 1001);
    CHECK(chmod("f", 06755) == 0 && chown("f", 0, 0) == 0 && fstat(fd, &stat) == 0);
    CHECK((stat.st_mode & 07777) == 0755);
    become_nobody();
    CHECK_ERROR(chmod("f", 0777), EPERM);
    CHECK_ERROR(chown("f", 65534, 65534), EPERM);
    CHECK_ERROR(utimensat(AT_FDCWD, "f", times, 0), EPERM);
}

ROWS(rights_are_checked, "-") {
    enter_scratch();
    close(make("secret", "x"));
    close(make("readable", "x"));
    CHECK(chmod("secret", 0600) == 0);
    CHECK(mkdir("closed", 0700) == 0);
    CHECK(access("secret", R_OK | W_OK) == 0);
    CHECK_ERROR(access("secret", 8), EINVAL);
    CHECK_ERROR(access("none", F_OK), ENOENT);
    if (geteuid() != 0) return;
    CHECK_ERROR(access("secret", X_OK), EACCES);
    const pid_t other = IN_CHILD({
        become_nobody();
        CHECK_ERROR(open("secret", O_RDONLY), EACCES);
        CHECK_ERROR(open("readable", O_WRONLY), EACCES);
        CHECK(open("readable", O_RDONLY) >= 0);
        CHECK_ERROR(open("closed/x", O_RDONLY), EACCES);
        CHECK_ERROR(chdir("closed"), EACCES);
        CHECK_ERROR(access("secret", R_OK), EACCES);
        CHECK_ERROR(truncate("readable", 0), EACCES);
        CHECK_ERROR(mknod("device", S_IFCHR | 0600, 0x103), EPERM);
    });
    wait_exit(other, 0);
    // access asks about the real user, open about the effective one.
    const pid_t real = IN_CHILD({
        CHECK(setresuid(65534, 0, 0) == 0);
        CHECK_ERROR(access("secret", R_OK), EACCES);
        CHECK(faccessat(AT_FDCWD, "secret", R_OK, AT_EACCESS) == 0);
        CHECK(open("secret", O_RDONLY) >= 0);
    });
    wait_exit(real, 0);
}

ROWS(sendfile_copies, "-") {
    enter_scratch();
    const int from = make("from", "0123456789"), to = make("to", "");
    off_t offset = 4;
    CHECK(sendfile(to, from, &offset, 100) == 6 && offset == 10);
    CHECK(lseek(from, 0, SEEK_CUR) == 0);
    CHECK(sendfile(to, from, NULL, 3) == 3 && lseek(from, 0, SEEK_CUR) == 3);
    expect_text(to, "456789012");
    CHECK_ERROR(sendfile(open("to", O_RDONLY), from, NULL, 1), EBADF);
    CHECK_ERROR(sendfile(to, open("to", O_WRONLY), NULL, 1), EBADF);
}

ROWS(the_program_that_runs_is_not_written, "-") {
    enter_scratch();
    int pipes[2];
    CHECK(pipe(pipes) == 0);
    const int in = open("/bin/busybox", O_RDONLY), out = open("program", O_WRONLY | O_CREAT, 0755);
    CHECK(in >= 0 && out >= 0);
    while (sendfile(out, in, NULL, 1 << 20) > 0) continue;
    CHECK_ERROR(execl("program", "cat", NULL), ETXTBSY);
    close(out);
    const pid_t child = IN_CHILD({
        dup2(pipes[0], 0);
        close(pipes[1]);
        execl("program", "cat", NULL);
        CHECK(false);
    });
    // The child runs the program once its close-on-exec descriptor is gone: until then the open may succeed.
    close(pipes[0]);
    int busy = -1;
    for (int i = 0; i < 1000; ++i) {
        busy = open("program", O_WRONLY);
        if (busy < 0) break;
        close(busy);
        usleep(1000);
    }
    CHECK(busy == -1 && errno == ETXTBSY);
    close(pipes[1]);
    wait_exit(child, 0);
    CHECK(open("program", O_WRONLY) >= 0);
}

ROWS(mappings_of_files, "W5") {
    enter_scratch();
    const int fd = make("f", "file");
    CHECK(ftruncate(fd, 2 * PAGE) == 0);
    char* shared = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char* private = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(shared != MAP_FAILED && private != MAP_FAILED);
    memcpy(shared + PAGE, "mapped", 6);
    char buffer[6];
    CHECK(pread(fd, buffer, 6, PAGE) == 6 && memcmp(buffer, "mapped", 6) == 0);
    CHECK(memcmp(private + PAGE, "mapped", 6) == 0);
    memcpy(private, "mine", 4);
    CHECK(pread(fd, buffer, 4, 0) == 4 && memcmp(buffer, "file", 4) == 0);
    CHECK(pwrite(fd, "FILE", 4, 0) == 4);
    CHECK(memcmp(shared, "FILE", 4) == 0 && memcmp(private, "mine", 4) == 0);
    const pid_t child = IN_CHILD(memcpy(shared, "kid!", 4));
    wait_exit(child, 0);
    CHECK(memcmp(shared, "kid!", 4) == 0);
    CHECK_ERROR((long)mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, open("f", O_RDONLY), 0), EACCES);
    CHECK_ERROR((long)mmap(NULL, PAGE, PROT_READ, MAP_SHARED, open("f", O_WRONLY), 0), EACCES);
    CHECK_ERROR((long)mmap(NULL, PAGE, PROT_READ, MAP_SHARED, open(".", O_RDONLY), 0), ENODEV);
}

ROWS(access_past_the_end_of_a_mapped_file_is_a_bus_error, "-") {
    enter_scratch();
    const int fd = make("f", "short");
    char* memory = mmap(NULL, 2 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(memory != MAP_FAILED && memory[10] == 0);
    const pid_t beyond = IN_CHILD(*(volatile char*)(memory + PAGE) = 1);
    const int status = wait_status(beyond);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGBUS);
    CHECK(ftruncate(fd, 0) == 0);
    const pid_t cut = IN_CHILD(*(volatile char*)memory = 1);
    const int cut_status = wait_status(cut);
    CHECK(WIFSIGNALED(cut_status) && WTERMSIG(cut_status) == SIGBUS);
}
