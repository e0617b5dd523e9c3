// mount(2), umount2(2), statfs(2): what can be mounted, with which options and flags, and what they forbid.
#include "rows.h"
#include "proc_text.h"

#include <sys/stat.h>
#include <sys/statvfs.h>
#include <sys/vfs.h>
#include <utime.h>

// A mount namespace of the test's own, which passes nothing on, and a directory in it.
static const char* private_mounts(void) {
    CHECK(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    return scratch_directory();
}

static char* in(const char* directory, const char* name) {
    static char paths[8][512];
    static int next;
    char* path = paths[next++ % 8];
    snprintf(path, sizeof(paths[0]), "%s/%s", directory, name);
    return path;
}

static void make_file(const char* path, const char* text) {
    const int fd = open(path, O_CREAT | O_WRONLY | O_TRUNC, 0644);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}

// The line of /proc/self/mounts about that place.
static const char* mount_line(const char* where) {
    static char line[512];
    char wanted[256];
    snprintf(wanted, sizeof(wanted), " %s ", where);
    const char* found = NULL;
    const char* text = proc_read("/proc/self/mounts");
    for (const char* at = text; (at = strstr(at, wanted)) != NULL; ++at) found = at;
    CHECK(found != NULL);
    while (found > text && found[-1] != '\n') --found;
    snprintf(line, sizeof(line), "%.*s", (int)strcspn(found, "\n"), found);
    return line;
}

ROWS(tmpfs_has_options, "C10") {
    const char* where = private_mounts();
    CHECK(mount("mine", where, "tmpfs", 0, "size=64k,nr_inodes=8,mode=750,uid=7,gid=8") == 0);
    struct stat root;
    CHECK(stat(where, &root) == 0 && root.st_mode == (S_IFDIR | 0750) && root.st_uid == 7 && root.st_gid == 8);
    struct statfs fs;
    CHECK(statfs(where, &fs) == 0 && fs.f_type == 0x01021994 && fs.f_bsize == PAGE && fs.f_namelen == 255);
    CHECK(fs.f_blocks == 16 && fs.f_bfree == 16 && fs.f_files == 8 && fs.f_ffree == 7);
    const char* line = mount_line(where);
    CHECK(strncmp(line, "mine ", 5) == 0 && strstr(line, " tmpfs rw,relatime,size=64k,nr_inodes=8,mode=750,uid=7,gid=8") != NULL);
    // Full in both ways.
    char page[PAGE] = "";
    const int fd = open(in(where, "a"), O_CREAT | O_WRONLY, 0600);
    for (int i = 0; i < 16; ++i) CHECK(write(fd, page, PAGE) == PAGE);
    CHECK_ERROR(write(fd, page, PAGE), ENOSPC);
    CHECK(statfs(where, &fs) == 0 && fs.f_bfree == 0 && fs.f_ffree == 6);
    char name[16];
    for (int i = 0; i < 6; ++i) {
        snprintf(name, sizeof(name), "f%d", i);
        make_file(in(where, name), "");
    }
    CHECK_ERROR(open(in(where, "more"), O_CREAT | O_WRONLY, 0600), ENOSPC);
    CHECK_ERROR(mkdir(in(where, "more"), 0700), ENOSPC);
    CHECK(unlink(in(where, "f0")) == 0 && mkdir(in(where, "more"), 0700) == 0);
    // Less than there is cannot be asked for; more can.
    CHECK_ERROR(mount(NULL, where, NULL, MS_REMOUNT, "size=4k"), EINVAL);
    CHECK(mount(NULL, where, NULL, MS_REMOUNT, "size=128k") == 0);
    CHECK(statfs(where, &fs) == 0 && fs.f_blocks == 32 && write(fd, page, PAGE) == PAGE);
    CHECK_ERROR(mount("mine", where, "tmpfs", 0, "size=lots"), EINVAL);
    CHECK_ERROR(mount("mine", where, "tmpfs", 0, "colour=red"), EINVAL);
}

ROWS(arguments_of_mount, "C10") {
    const char* where = private_mounts();
    CHECK_ERROR(mount("x", where, "nosuchfs", 0, NULL), ENODEV);
    CHECK_ERROR(mount("x", in(where, "no"), "tmpfs", 0, NULL), ENOENT);
    make_file(in(where, "file"), "");
    CHECK_ERROR(mount("x", in(where, "file"), "tmpfs", 0, NULL), ENOTDIR);
    CHECK_ERROR(mount(NULL, where, NULL, MS_REMOUNT, NULL), EINVAL);
    CHECK_ERROR(mount("x", where, (char*)8, 0, NULL), EFAULT);
    CHECK_ERROR(umount(where), EINVAL);
    CHECK_ERROR(umount2(where, 64), EINVAL);
    CHECK_ERROR(umount2(where, 4 | MNT_DETACH), EINVAL);
    // The magic number of old times is not taken for flags.
    CHECK(mount("x", where, "tmpfs", 0xC0ED0000 | MS_NODEV, NULL) == 0 && strstr(mount_line(where), "rw,nodev,") != NULL);
    wait_exit(IN_CHILD({
                  CHECK(setuid(1000) == 0);
                  CHECK_ERROR(mount("x", where, "tmpfs", 0, NULL), EPERM);
                  CHECK_ERROR(umount(where), EPERM);
              }),
              0);
    CHECK(umount(where) == 0);
}

// What a read-only place refuses.
static void nothing_can_be_changed(const char* place) {
    char where[256];
    snprintf(where, sizeof(where), "%s", place);
    CHECK_ERROR(open(in(where, "f"), O_RDWR), EROFS);
    CHECK_ERROR(open(in(where, "f"), O_RDONLY | O_TRUNC), EROFS);
    CHECK_ERROR(open(in(where, "new"), O_CREAT | O_RDWR, 0600), EROFS);
    const int fd = open(in(where, "f"), O_RDONLY | O_CREAT, 0600);
    CHECK(fd >= 0);
    CHECK_ERROR(fchmod(fd, 0600), EROFS);
    CHECK_ERROR(fchown(fd, 1, 1), EROFS);
    CHECK_ERROR(futimens(fd, NULL), EROFS);
    CHECK_ERROR(mkdir(in(where, "new"), 0700), EROFS);
    CHECK_ERROR(mkdir(in(where, "d"), 0700), EEXIST);
    CHECK_ERROR(rmdir(in(where, "d")), EROFS);
    CHECK_ERROR(unlink(in(where, "f")), EROFS);
    CHECK_ERROR(mknod(in(where, "new"), S_IFIFO | 0600, 0), EROFS);
    CHECK_ERROR(symlink("f", in(where, "new")), EROFS);
    CHECK_ERROR(link(in(where, "f"), in(where, "new")), EROFS);
    CHECK_ERROR(rename(in(where, "f"), in(where, "new")), EROFS);
    CHECK_ERROR(chmod(in(where, "f"), 0600), EROFS);
    CHECK_ERROR(chown(in(where, "f"), 1, 1), EROFS);
    CHECK_ERROR(truncate(in(where, "f"), 0), EROFS);
    CHECK_ERROR(utime(in(where, "f"), NULL), EROFS);
    CHECK_ERROR(access(in(where, "f"), W_OK), EROFS);
    CHECK_ERROR(access(in(where, "d"), W_OK), EROFS);
    CHECK(access(in(where, "f"), R_OK) == 0);
    // Devices and pipes are not part of it.
    const int null = open(in(where, "null"), O_WRONLY);
    CHECK(null >= 0 && write(null, "x", 1) == 1 && access(in(where, "null"), W_OK) == 0);
    CHECK(open(in(where, "fifo"), O_RDWR) >= 0);
    struct statfs fs;
    CHECK(statfs(where, &fs) == 0 && (fs.f_flags & ST_RDONLY) != 0);
    CHECK(fstatfs(fd, &fs) == 0 && (fs.f_flags & ST_RDONLY) != 0);
}

static void fill(const char* where) {
    make_file(in(where, "f"), "text");
    CHECK(mkdir(in(where, "d"), 0755) == 0 && mknod(in(where, "null"), S_IFCHR | 0666, 0x103) == 0);
    CHECK(mkfifo(in(where, "fifo"), 0600) == 0);
}

ROWS(a_read_only_file_system, "C10") {
    const char* where = private_mounts();
    CHECK(mount("x", where, "tmpfs", MS_RDONLY, NULL) == 0);
    CHECK_ERROR(mkdir(in(where, "d"), 0755), EROFS);
    CHECK(mount(NULL, where, NULL, MS_REMOUNT, NULL) == 0);
    fill(where);
    // Not while somebody has a file open for writing.
    const int writer = open(in(where, "f"), O_WRONLY);
    CHECK_ERROR(mount(NULL, where, NULL, MS_REMOUNT | MS_RDONLY, NULL), EBUSY);
    close(writer);
    CHECK(mount(NULL, where, NULL, MS_REMOUNT | MS_RDONLY, NULL) == 0);
    CHECK(strstr(mount_line(where), " tmpfs ro,") != NULL);
    nothing_can_be_changed(where);
}

ROWS(a_read_only_view, "C10") {
    const char* where = private_mounts();
    CHECK(mkdir(in(where, "a"), 0755) == 0 && mkdir(in(where, "b"), 0755) == 0);
    fill(in(where, "a"));
    CHECK(mount(in(where, "a"), in(where, "b"), NULL, MS_BIND | MS_RDONLY, NULL) == 0);
    // Flags come with a second call.
    make_file(in(where, "b/first"), "");
    CHECK(mount(NULL, in(where, "b"), NULL, MS_REMOUNT | MS_BIND | MS_RDONLY, NULL) == 0);
    nothing_can_be_changed(in(where, "b"));
    make_file(in(where, "a/other"), "seen");
    CHECK(access(in(where, "b/other"), R_OK) == 0 && access(in(where, "a/other"), W_OK) == 0);
    CHECK(umount2(in(where, "b"), MNT_DETACH) == 0);
}

ROWS(noexec_nosuid_nodev, "C10") {
    const char* where = private_mounts();
    CHECK(mount("x", where, "tmpfs", 0, "mode=755") == 0);
    const int fd = open(in(where, "prog"), O_CREAT | O_RDWR, 0755);
    const int self = open("/proc/self/exe", O_RDONLY);
    static char buffer[65536];
    for (ssize_t n; (n = read(self, buffer, sizeof(buffer))) > 0;) CHECK(write(fd, buffer, (size_t)n) == n);
    close(fd), close(self);
    CHECK(mknod(in(where, "null"), S_IFCHR | 0666, 0x103) == 0 && open(in(where, "null"), O_WRONLY) >= 0);
    CHECK(mount(NULL, where, NULL, MS_REMOUNT | MS_NOEXEC | MS_NOSUID | MS_NODEV, NULL) == 0);
    CHECK_ERROR(execl(in(where, "prog"), "prog", NULL), EACCES);
    CHECK_ERROR(access(in(where, "prog"), X_OK), EACCES);
    const int program = open(in(where, "prog"), O_RDONLY);
    CHECK_ERROR((long)mmap(NULL, PAGE, PROT_READ | PROT_EXEC, MAP_PRIVATE, program, 0), EPERM);
    void* mapped = mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, program, 0);
    CHECK(mapped != MAP_FAILED);
    CHECK_ERROR(mprotect(mapped, PAGE, PROT_READ | PROT_EXEC), EACCES);
    CHECK_ERROR(open(in(where, "null"), O_WRONLY), EACCES);
    struct statfs fs;
    CHECK(statfs(where, &fs) == 0);
    CHECK((fs.f_flags & (ST_NOEXEC | ST_NOSUID | ST_NODEV | ST_RDONLY)) == (ST_NOEXEC | ST_NOSUID | ST_NODEV));
    CHECK(strstr(mount_line(where), " rw,nosuid,nodev,noexec,relatime") != NULL);
}

ROWS(access_times, "C10") {
    const char* where = private_mounts();
    CHECK(mount("x", where, "tmpfs", 0, NULL) == 0);
    make_file(in(where, "f"), "text");
    const int fd = open(in(where, "f"), O_RDONLY);
    char byte;
    struct stat file;
    // relatime: once after a change, or when the time is not that of today.
    const struct timespec old[2] = {{1000, 0}, {2000, 0}};
    CHECK(futimens(fd, old) == 0 && read(fd, &byte, 1) == 1);
    CHECK(fstat(fd, &file) == 0 && file.st_atim.tv_sec > 2000 && file.st_mtim.tv_sec == 2000);
    CHECK(mount(NULL, where, NULL, MS_REMOUNT | MS_NOATIME, NULL) == 0);
    CHECK(strstr(mount_line(where), ",noatime") != NULL && strstr(mount_line(where), "relatime") == NULL);
    CHECK(futimens(fd, old) == 0 && read(fd, &byte, 1) == 1);
    CHECK(fstat(fd, &file) == 0 && file.st_atim.tv_sec == 1000);
    // Nothing said of times: nothing changed about them.
    CHECK(mount(NULL, where, NULL, MS_REMOUNT, NULL) == 0 && strstr(mount_line(where), ",noatime") != NULL);
    CHECK(mount(NULL, where, NULL, MS_REMOUNT | MS_STRICTATIME, NULL) == 0);
    CHECK(read(fd, &byte, 1) == 1 && fstat(fd, &file) == 0 && file.st_atim.tv_sec > 2000);
}

ROWS(binding_a_tree, "C10") {
    const char* where = private_mounts();
    CHECK(mkdir(in(where, "a"), 0755) == 0 && mkdir(in(where, "one"), 0755) == 0 && mkdir(in(where, "all"), 0755) == 0);
    CHECK(mount("x", in(where, "a"), "tmpfs", 0, NULL) == 0 && mkdir(in(where, "a/sub"), 0755) == 0);
    CHECK(mount("x", in(where, "a/sub"), "tmpfs", 0, NULL) == 0 && mkdir(in(where, "a/sub/deep"), 0755) == 0);
    CHECK(mount("x", in(where, "a/sub/deep"), "tmpfs", 0, NULL) == 0);
    make_file(in(where, "a/sub/deep/f"), "text");
    CHECK(mount(in(where, "a"), in(where, "one"), NULL, MS_BIND, NULL) == 0);
    CHECK_ERROR(access(in(where, "one/sub/deep"), F_OK), ENOENT);
    CHECK(mount(in(where, "a"), in(where, "all"), NULL, MS_BIND | MS_REC, NULL) == 0);
    CHECK(access(in(where, "all/sub/deep/f"), F_OK) == 0);
    // Into itself: it does not go on for ever.
    CHECK(mkdir(in(where, "a/self"), 0755) == 0);
    CHECK(mount(in(where, "a"), in(where, "a/self"), NULL, MS_BIND | MS_REC, NULL) == 0);
    CHECK(access(in(where, "a/self/sub/deep/f"), F_OK) == 0 && rmdir(in(where, "a/self/self")) == -1);
    CHECK_ERROR(umount(in(where, "all")), EBUSY);
    CHECK(umount2(in(where, "all"), MNT_DETACH) == 0 && rmdir(in(where, "all")) == 0);
    CHECK(access(in(where, "a/sub/deep/f"), F_OK) == 0);
    // A file over a file.
    make_file(in(where, "f"), "below"), make_file(in(where, "g"), "above");
    CHECK(mount(in(where, "g"), in(where, "f"), NULL, MS_BIND, NULL) == 0);
    char text[6] = "";
    const int fd = open(in(where, "f"), O_RDONLY);
    CHECK(read(fd, text, 5) == 5 && strcmp(text, "above") == 0);
    CHECK_ERROR(unlink(in(where, "f")), EBUSY);
    CHECK_ERROR(mount(in(where, "g"), in(where, "a"), NULL, MS_BIND, NULL), ENOTDIR);
}

ROWS(moving_a_mount, "C10") {
    const char* where = private_mounts();
    CHECK(mkdir(in(where, "from"), 0755) == 0 && mkdir(in(where, "to"), 0755) == 0);
    CHECK(mount("x", in(where, "from"), "tmpfs", 0, NULL) == 0 && mkdir(in(where, "from/sub"), 0755) == 0);
    CHECK(mount("y", in(where, "from/sub"), "tmpfs", 0, NULL) == 0 && mkdir(in(where, "from/sub/d"), 0755) == 0);
    CHECK_ERROR(mount(in(where, "from"), in(where, "from/sub/d"), NULL, MS_MOVE, NULL), ELOOP);
    CHECK_ERROR(mount(in(where, "from/sub/d"), in(where, "to"), NULL, MS_MOVE, NULL), EINVAL);
    // Over a mount that is younger than it.
    CHECK(mount("z", in(where, "to"), "tmpfs", 0, NULL) == 0 && mkdir(in(where, "to/here"), 0755) == 0);
    CHECK(mount(in(where, "from"), in(where, "to/here"), NULL, MS_MOVE, NULL) == 0);
    CHECK(access(in(where, "to/here/sub/d"), F_OK) == 0 && rmdir(in(where, "from")) == 0);
    wait_exit(IN_CHILD({
                  CHECK(unshare(CLONE_NEWNS) == 0 && access(in(where, "to/here/sub/d"), F_OK) == 0);
                  CHECK(umount2(in(where, "to"), MNT_DETACH) == 0 && rmdir(in(where, "to")) == 0);
              }),
              0);
    CHECK_ERROR(access(in(where, "to"), F_OK), ENOENT);
}

ROWS(unmounting_when_idle, "C10") {
    const char* where = private_mounts();
    CHECK(mount("x", where, "tmpfs", 0, NULL) == 0);
    CHECK_ERROR(umount2(where, 4), EAGAIN);  // MNT_EXPIRE
    make_file(in(where, "f"), "");
    CHECK_ERROR(umount2(where, 4), EAGAIN);
    const int fd = open(in(where, "f"), O_RDONLY);
    CHECK_ERROR(umount2(where, 4), EBUSY);
    close(fd);
    CHECK_ERROR(umount2(where, 4), EAGAIN);
    CHECK(umount2(where, 4) == 0);
    CHECK_ERROR(access(in(where, "f"), F_OK), ENOENT);
    // A link is followed, or not.
    CHECK(mkdir(in(where, "d"), 0755) == 0 && symlink("d", in(where, "link")) == 0);
    CHECK(mount("x", in(where, "link"), "tmpfs", 0, NULL) == 0);
    CHECK_ERROR(umount2(in(where, "link"), UMOUNT_NOFOLLOW), EINVAL);
    CHECK(umount2(in(where, "link"), 0) == 0);
}

ROWS(each_file_system_says_what_it_is, "C10") {
    const char* where = private_mounts();
    const struct {
        const char* type;
        unsigned long magic;
    } types[] = {{"tmpfs", 0x01021994}, {"ramfs", 0x858458f6}, {"proc", 0x9fa0}, {"devpts", 0x1cd1}, {"mqueue", 0x19800202}};
    for (size_t i = 0; i < sizeof(types) / sizeof(types[0]); ++i) {
        CHECK(mount("x", where, types[i].type, 0, NULL) == 0);
        struct statfs fs;
        CHECK(statfs(where, &fs) == 0 && fs.f_type == types[i].magic && fs.f_namelen == 255 && (fs.f_flags & 0x20) != 0);
        CHECK(umount(where) == 0);
    }
    int ends[2];
    struct statfs fs;
    CHECK(pipe(ends) == 0 && fstatfs(ends[0], &fs) == 0 && fs.f_type == 0x50495045);
}

GUEST_ROWS(mounts_leave_nothing_behind, "W10") {
    const char* where = scratch_directory();
    for (int round = 0; round < 2; ++round) {
        if (round == 1) count_kernel();
        wait_exit(IN_CHILD({
                      CHECK(unshare(CLONE_NEWNS) == 0 && mount("x", where, "tmpfs", 0, "size=1m") == 0);
                      make_file(in(where, "f"), "text");
                      CHECK(mkdir(in(where, "d"), 0755) == 0 && mkdir(in(where, "e"), 0755) == 0);
                      CHECK(mount("y", in(where, "d"), "tmpfs", 0, NULL) == 0);
                      CHECK(mount(where, in(where, "e"), NULL, MS_BIND | MS_REC, NULL) == 0);
                      CHECK(umount2(where, MNT_DETACH) == 0);
                  }),
                  0);
    }
    expect_counts("mounts in a namespace of their own");
}
