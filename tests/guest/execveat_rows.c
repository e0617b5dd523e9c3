// execveat: programs by a directory and a name, or by a descriptor alone.
#include "rows.h"

#include <sys/stat.h>

#ifndef AT_EMPTY_PATH
#define AT_EMPTY_PATH 0x1000
#endif

static int run_at(int directory, const char* path, int flags) {
    char* const arguments[] = {"busybox", "true", NULL};
    char* const environment[] = {NULL};
    return (int)syscall(SYS_execveat, directory, path, arguments, environment, flags);
}

ROWS(by_directory_and_name, "V3") {
    const int directory = open("/bin", O_RDONLY | O_DIRECTORY);
    CHECK(directory >= 0);
    wait_exit(IN_CHILD({ CHECK(run_at(directory, "busybox", 0) == 0); }), 0);
    wait_exit(IN_CHILD({ CHECK(run_at(-1, "/bin/busybox", 0) == 0); }), 0);
    CHECK_ERROR(run_at(directory, "busybox", 0x8000), EINVAL);
    CHECK_ERROR(run_at(directory, "no-such-file", 0), ENOENT);
    CHECK_ERROR(run_at(directory, "", 0), ENOENT);
    CHECK_ERROR(run_at(-1, "busybox", 0), EBADF);
    CHECK_ERROR(run_at(directory, "", AT_EMPTY_PATH), EACCES);
    const int file = open("/bin/busybox", O_RDONLY);
    CHECK(file >= 0);
    CHECK_ERROR(run_at(file, "busybox", 0), ENOTDIR);
    char link[] = "/tmp/execveat-XXXXXX";
    CHECK(mkdtemp(link) != NULL && rmdir(link) == 0 && symlink("/bin/busybox", link) == 0);
    CHECK_ERROR(run_at(AT_FDCWD, link, AT_SYMLINK_NOFOLLOW), ELOOP);
    wait_exit(IN_CHILD({ CHECK(run_at(AT_FDCWD, link, 0) == 0); }), 0);
    CHECK(unlink(link) == 0);
}

ROWS(by_descriptor, "V3,F10") {
    const int file = open("/bin/busybox", O_PATH | O_CLOEXEC);
    CHECK(file >= 0);
    wait_exit(IN_CHILD({ CHECK(run_at(file, "", AT_EMPTY_PATH) == 0); }), 0);
}

ROWS(a_scripts_interpreter_reads_the_descriptor, "V3") {
    char name[] = "/tmp/script-XXXXXX";
    const int out = mkstemp(name);
    static const char script[] = "#!/bin/sh\nexit 42\n";
    CHECK(out >= 0 && write(out, script, sizeof(script) - 1) == (ssize_t)sizeof(script) - 1 && fchmod(out, 0755) == 0);
    CHECK(close(out) == 0);
    const int open_one = open(name, O_RDONLY);
    const int closing = open(name, O_RDONLY | O_CLOEXEC);
    CHECK(open_one >= 0 && closing >= 0 && unlink(name) == 0);
    wait_exit(IN_CHILD({ CHECK(run_at(open_one, "", AT_EMPTY_PATH) == 0); }), 42);
    CHECK_ERROR(run_at(closing, "", AT_EMPTY_PATH), ENOENT);
}
