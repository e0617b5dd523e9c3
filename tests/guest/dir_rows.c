// Names: directories, links, renames, working directory, and the error of each misuse.
#include "rows.h"

#include <dirent.h>
#include <sys/stat.h>

#ifndef RENAME_NOREPLACE
#define RENAME_NOREPLACE 1
#define RENAME_EXCHANGE 2
#endif

static void enter_scratch(void) {
    CHECK(chdir(scratch_directory()) == 0);
    umask(022);
}

static void make(const char* name) {
    const int fd = open(name, O_WRONLY | O_CREAT | O_EXCL, 0644);
    CHECK(fd >= 0);
    close(fd);
}

static bool exists(const char* name) {
    struct stat stat;
    return lstat(name, &stat) == 0;
}

static int exchange(const char* from, const char* to, unsigned flags) {
    return (int)syscall(SYS_renameat2, AT_FDCWD, from, AT_FDCWD, to, flags);
}

ROWS(mkdir_and_rmdir, "-") {
    enter_scratch();
    struct stat stat;
    CHECK(mkdir("d", 0777) == 0 && lstat("d", &stat) == 0);
    CHECK(stat.st_mode == (S_IFDIR | 0755));
    CHECK(mkdir("slash/", 0755) == 0);
    make("f");
    CHECK(symlink("none", "dangling") == 0);
    CHECK_ERROR(mkdir("d", 0755), EEXIST);
    CHECK_ERROR(mkdir("f", 0755), EEXIST);
    CHECK_ERROR(mkdir("dangling", 0755), EEXIST);
    CHECK_ERROR(mkdir("/", 0755), EEXIST);
    CHECK_ERROR(mkdir(".", 0755), EEXIST);
    CHECK_ERROR(mkdir("d/..", 0755), EEXIST);
    CHECK_ERROR(mkdir("none/d", 0755), ENOENT);
    CHECK_ERROR(mkdir("f/d", 0755), ENOTDIR);
    CHECK_ERROR(mkdir("", 0755), ENOENT);
    make("d/x");
    CHECK_ERROR(rmdir("d"), ENOTEMPTY);
    CHECK_ERROR(rmdir("d/."), EINVAL);
    CHECK_ERROR(rmdir("slash/.."), ENOTEMPTY);
    CHECK_ERROR(rmdir("f"), ENOTDIR);
    CHECK_ERROR(rmdir("none"), ENOENT);
    CHECK_ERROR(rmdir("/"), EBUSY);
    CHECK(unlink("d/x") == 0 && rmdir("d") == 0);
}

ROWS(unlink_errors, "-") {
    enter_scratch();
    make("f");
    CHECK(mkdir("d", 0755) == 0);
    CHECK_ERROR(unlink("d"), EISDIR);
    CHECK_ERROR(unlink("."), EISDIR);
    CHECK_ERROR(unlink("f/"), ENOTDIR);
    CHECK_ERROR(unlink("d/"), EISDIR);
    CHECK_ERROR(unlink("none"), ENOENT);
    CHECK_ERROR(unlink(""), ENOENT);
    CHECK_ERROR(unlinkat(AT_FDCWD, "f", 0x1000), EINVAL);
    CHECK(unlinkat(AT_FDCWD, "d", AT_REMOVEDIR) == 0);
    CHECK(unlink("f") == 0);
}

ROWS(hard_links, "-") {
    enter_scratch();
    make("f");
    CHECK(symlink("f", "l") == 0 && mkdir("d", 0755) == 0);
    struct stat stat;
    CHECK(link("f", "g") == 0 && lstat("g", &stat) == 0 && stat.st_nlink == 2);
    CHECK_ERROR(link("f", "g"), EEXIST);
    CHECK_ERROR(link("f", "none/g"), ENOENT);
    CHECK_ERROR(link("none", "h"), ENOENT);
    CHECK_ERROR(link("d", "e"), EPERM);
    CHECK_ERROR(link("f", "h/"), ENOENT);
    // link does not follow, linkat may.
    CHECK(link("l", "same_link") == 0 && lstat("same_link", &stat) == 0 && S_ISLNK(stat.st_mode));
    CHECK(linkat(AT_FDCWD, "l", AT_FDCWD, "target", AT_SYMLINK_FOLLOW) == 0);
    CHECK(lstat("target", &stat) == 0 && S_ISREG(stat.st_mode) && stat.st_nlink == 3);
}

ROWS(symbolic_links, "-") {
    enter_scratch();
    CHECK(mkdir("d", 0755) == 0);
    make("d/f");
    CHECK(symlink("d", "to_d") == 0 && symlink("../d/f", "d/up") == 0);
    CHECK(access("to_d/f", F_OK) == 0 && access("d/up", F_OK) == 0);
    char buffer[10] = "";
    CHECK(readlink("to_d", buffer, sizeof(buffer)) == 1 && buffer[0] == 'd');
    CHECK(readlink("d/up", buffer, 4) == 4 && memcmp(buffer, "../d", 4) == 0);
    CHECK_ERROR(readlink("d", buffer, 10), EINVAL);
    CHECK_ERROR(readlink("none", buffer, 10), ENOENT);
    CHECK_ERROR((long)syscall(SYS_readlink, "to_d", buffer, 0), EINVAL);
    CHECK_ERROR(symlink("", "x"), ENOENT);
    CHECK_ERROR(symlink("x", "to_d"), EEXIST);
    CHECK_ERROR(symlink("x", "none/l"), ENOENT);
    struct stat stat;
    CHECK(lstat("to_d/", &stat) == 0 && S_ISDIR(stat.st_mode));
    CHECK_ERROR(unlink("to_d/"), ENOTDIR);
    char name[20] = "f0", target[20];
    make("f0");
    for (int i = 1; i <= 41; ++i) {
        strcpy(target, name);
        snprintf(name, sizeof(name), "f%d", i);
        CHECK(symlink(target, name) == 0);
    }
    CHECK(access("f40", F_OK) == 0);
    CHECK_ERROR(access("f41", F_OK), ELOOP);
}

ROWS(renames, "-") {
    enter_scratch();
    make("f");
    make("g");
    CHECK(mkdir("d", 0755) == 0 && mkdir("d/sub", 0755) == 0 && mkdir("e", 0755) == 0);
    make("d/x");
    CHECK(rename("f", "d/moved") == 0 && exists("d/moved") && !exists("f"));
    CHECK(rename("d/moved", "g") == 0 && !exists("d/moved"));
    CHECK_ERROR(rename("none", "x"), ENOENT);
    CHECK_ERROR(rename("g", "none/x"), ENOENT);
    CHECK_ERROR(rename("g", "d"), EISDIR);
    CHECK_ERROR(rename("d", "g"), ENOTDIR);
    CHECK_ERROR(rename("g/", "h"), ENOTDIR);
    CHECK_ERROR(rename("g", "h/"), ENOTDIR);
    CHECK_ERROR(rename("d", "d/sub/x"), EINVAL);
    CHECK_ERROR(rename("d", "d/x2"), EINVAL);
    CHECK_ERROR(rename("d/sub", "d"), ENOTEMPTY);
    CHECK_ERROR(rename("e", "d"), ENOTEMPTY);
    CHECK_ERROR(rename("d/.", "x"), EBUSY);
    CHECK_ERROR(rename("e", "d/.."), EBUSY);
    CHECK(rename("d", "e") == 0 && exists("e/x") && exists("e/sub") && !exists("d"));
    CHECK(rename("g", "g") == 0 && exists("g"));
    CHECK_ERROR(exchange("g", "e", RENAME_NOREPLACE), EEXIST);
    CHECK_ERROR(exchange("g", "none", RENAME_EXCHANGE), ENOENT);
    CHECK_ERROR(exchange("g", "e", RENAME_NOREPLACE | RENAME_EXCHANGE), EINVAL);
    CHECK(exchange("g", "new", RENAME_NOREPLACE) == 0 && exists("new"));
    struct stat stat;
    CHECK(exchange("new", "e", RENAME_EXCHANGE) == 0 && lstat("new", &stat) == 0 && S_ISDIR(stat.st_mode));
}

ROWS(the_sticky_bit, "-") {
    enter_scratch();
    if (geteuid() != 0) return;
    CHECK(mkdir("tmp", 0777) == 0 && chmod("tmp", 01777) == 0);
    make("tmp/root");
    const pid_t other = IN_CHILD({
        CHECK(setgid(65534) == 0 && setuid(65534) == 0);
        CHECK_ERROR(unlink("tmp/root"), EPERM);
        CHECK_ERROR(rename("tmp/root", "tmp/x"), EPERM);
        make("tmp/own");
        CHECK(unlink("tmp/own") == 0);
    });
    wait_exit(other, 0);
}

ROWS(working_directory, "F12") {
    enter_scratch();
    char name[4096], again[4096];
    CHECK(getcwd(name, sizeof(name)) == name);
    CHECK(mkdir("d", 0755) == 0 && chdir("d") == 0);
    CHECK(getcwd(again, sizeof(again)) == again && strcmp(again + strlen(name), "/d") == 0);
    CHECK_ERROR((long)syscall(SYS_getcwd, again, 3), ERANGE);
    make("f");
    CHECK_ERROR(chdir("f"), ENOTDIR);
    CHECK_ERROR(chdir("none"), ENOENT);
    CHECK_ERROR(fchdir(77), EBADF);
    CHECK_ERROR(fchdir(open("f", O_RDONLY)), ENOTDIR);
    const int dir = open("..", O_RDONLY | O_DIRECTORY);
    CHECK(fchdir(dir) == 0 && access("d/f", F_OK) == 0);
    // In a directory that is gone, nothing is found and nothing can be made.
    CHECK(chdir("d") == 0 && unlink("f") == 0 && rmdir("../d") == 0);
    CHECK_ERROR((long)syscall(SYS_getcwd, again, sizeof(again)), ENOENT);
    CHECK_ERROR(mkdir("x", 0755), ENOENT);
    CHECK_ERROR(open("x", O_WRONLY | O_CREAT, 0644), ENOENT);
    CHECK(chdir("..") == 0);
}

ROWS(a_root_of_ones_own, "F12") {
    enter_scratch();
    if (geteuid() != 0) return;
    CHECK(mkdir("jail", 0755) == 0 && mkdir("jail/in", 0755) == 0);
    const pid_t child = IN_CHILD({
        CHECK(chroot("jail") == 0 && chdir("/") == 0);
        CHECK(access("/in", F_OK) == 0 && access("../../../in", F_OK) == 0);
        CHECK_ERROR(access("/dev", F_OK), ENOENT);
    });
    wait_exit(child, 0);
    CHECK(access("jail/in", F_OK) == 0);
    CHECK(access("/dev", F_OK) == 0);
}

ROWS(directories_are_read, "-") {
    enter_scratch();
    enum { kFiles = 300 };
    char name[20];
    for (int i = 0; i < kFiles; ++i) {
        snprintf(name, sizeof(name), "file%d", i);
        make(name);
    }
    bool met[kFiles] = {false};
    int dots = 0;
    DIR* dir = opendir(".");
    CHECK(dir != NULL);
    struct dirent* entry;
    while ((entry = readdir(dir)) != NULL) {
        int n;
        if (entry->d_name[0] == '.') {
            CHECK(entry->d_type == DT_DIR);
            ++dots;
        } else {
            CHECK(sscanf(entry->d_name, "file%d", &n) == 1 && !met[n] && entry->d_type == DT_REG);
            met[n] = true;
            // Names may go while the directory is read.
            CHECK(unlink(entry->d_name) == 0);
        }
    }
    CHECK(dots == 2);
    for (int i = 0; i < kFiles; ++i) CHECK(met[i]);
    closedir(dir);
    char small[10];
    const int fd = open(".", O_RDONLY);
    CHECK_ERROR((long)syscall(SYS_getdents64, fd, small, sizeof(small)), EINVAL);
    CHECK_ERROR((long)syscall(SYS_getdents64, open("/dev/null", O_RDONLY), small, 10), ENOTDIR);
    CHECK_ERROR((long)syscall(SYS_getdents64, 77, small, 10), EBADF);
    // The older form: the type is the last byte of each record.
    make("only");
    struct old_entry {
        unsigned long ino, next;
        unsigned short length;
        char name[];
    };
    static char records[1024] __attribute__((aligned(8)));
    CHECK(lseek(fd, 0, SEEK_SET) == 0);
    const long bytes = syscall(SYS_getdents, fd, records, sizeof(records));
    int entries = 0;
    for (long at = 0; at < bytes; ++entries) {
        const struct old_entry* old = (const void*)(records + at);
        struct stat file;
        CHECK(old->length % 8 == 0 && lstat(old->name, &file) == 0);
        CHECK(records[at + old->length - 1] == (S_ISDIR(file.st_mode) ? DT_DIR : DT_REG));
        if (strcmp(old->name, "..") != 0) CHECK(old->ino == file.st_ino);
        at += old->length;
    }
    CHECK(entries == 3 && syscall(SYS_getdents, fd, records, sizeof(records)) == 0);
}

ROWS(umask_takes_bits_away, "C3") {
    enter_scratch();
    struct stat stat;
    CHECK(umask(0077) == 022 && umask(0027) == 0077);
    make("f");
    CHECK(lstat("f", &stat) == 0 && (stat.st_mode & 0777) == 0640);
    CHECK(mkfifo("p", 0666) == 0 && lstat("p", &stat) == 0 && stat.st_mode == (S_IFIFO | 0640));
    CHECK_ERROR(mknod("p", S_IFREG | 0600, 0), EEXIST);
    CHECK_ERROR(mknod("d", S_IFDIR | 0600, 0), EPERM);
}
