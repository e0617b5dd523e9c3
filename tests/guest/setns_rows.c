// setns: going into namespaces that there are already.
#include "rows.h"

#include <sys/stat.h>

#ifndef SYS_pidfd_open
#define SYS_pidfd_open 434
#endif

static int open_ns(pid_t pid, const char* name) {
    char path[64];
    snprintf(path, sizeof(path), "/proc/%d/ns/%s", pid, name);
    const int fd = open(path, O_RDONLY | O_CLOEXEC);
    CHECK(fd >= 0);
    return fd;
}
static bool same_ns(pid_t a, pid_t b, const char* name) {
    struct stat first, second;
    const int fds[2] = {open_ns(a, name), open_ns(b, name)};
    CHECK(fstat(fds[0], &first) == 0 && fstat(fds[1], &second) == 0);
    close(fds[0]);
    close(fds[1]);
    return first.st_ino == second.st_ino && first.st_dev == second.st_dev;
}

// A child in new namespaces of those kinds, which does `prepare` there and then waits to be killed.
static pid_t start_apart(int flags, void (*prepare)(void)) {
    int ready[2];
    CHECK(pipe(ready) == 0);
    const pid_t pid = IN_CHILD({
        CHECK(unshare(flags) == 0);
        prepare();
        CHECK(write(ready[1], "x", 1) == 1);
        for (;;) pause();
    });
    char byte;
    CHECK(read(ready[0], &byte, 1) == 1);
    close(ready[0]);
    close(ready[1]);
    return pid;
}
static void end(pid_t pid) {
    CHECK(kill(pid, SIGKILL) == 0);
    CHECK(WIFSIGNALED(wait_status(pid)));
}

static void set_name(void) { CHECK(sethostname("elsewhere", 9) == 0); }
static void check_name(const char* wanted) {
    struct utsname name;
    CHECK(uname(&name) == 0 && (strcmp(name.nodename, "elsewhere") == 0) == (wanted != NULL));
}

ROWS(uts, "C18") {
    const pid_t pid = start_apart(CLONE_NEWUTS, set_name);
    const int home = open_ns(getpid(), "uts"), fd = open_ns(pid, "uts");
    check_name(NULL);
    CHECK_ERROR(setns(fd, CLONE_NEWIPC), EINVAL);
    CHECK(setns(fd, CLONE_NEWUTS) == 0);
    check_name("elsewhere");
    CHECK(same_ns(getpid(), pid, "uts"));
    CHECK(setns(home, 0) == 0);
    check_name(NULL);
    CHECK(setns(fd, 0) == 0);
    check_name("elsewhere");
    // A namespace is there as long as somebody has it open.
    CHECK(setns(home, 0) == 0);
    end(pid);
    CHECK(setns(fd, 0) == 0);
    check_name("elsewhere");
}

static void hide_tmp(void) {
    CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0 || on_guest());
    CHECK(mount("apart", "/tmp", "tmpfs", 0, NULL) == 0);
    const int fd = open("/tmp/only-here", O_CREAT | O_WRONLY, 0644);
    CHECK(fd >= 0);
    close(fd);
}
ROWS(mounts, "C10,C18") {
    mkdir("/tmp", 01777);
    const pid_t pid = start_apart(CLONE_NEWNS, hide_tmp);
    CHECK(access("/tmp/only-here", F_OK) != 0);
    CHECK(chdir("/tmp") == 0);
    const int home = open_ns(getpid(), "mnt"), fd = open_ns(pid, "mnt");
    // Not while another task has the same root and directory.
    const pid_t child = IN_CHILD({
        CHECK(setns(fd, CLONE_NEWNS) == 0);
        CHECK(access("/tmp/only-here", F_OK) == 0);
        char where[64];
        CHECK(getcwd(where, sizeof(where)) != NULL && strcmp(where, "/") == 0);
        CHECK(setns(home, 0) == 0);
        CHECK(access("/tmp/only-here", F_OK) != 0);
    });
    wait_exit(child, 0);
    CHECK(access("/tmp/only-here", F_OK) != 0);
    end(pid);
}
static char stack[65536];
static int enter_with_shared_fs(void* fd) {
    errno = 0;
    return setns((int)(intptr_t)fd, CLONE_NEWNS) == -1 && errno == EINVAL ? 0 : 1;
}
ROWS(not_with_a_shared_directory, "C3,C10") {
    const int fd = open_ns(getpid(), "mnt");
    const pid_t pid =
        clone(enter_with_shared_fs, stack + sizeof(stack), CLONE_FS | SIGCHLD, (void*)(intptr_t)fd);
    CHECK(pid > 0);
    wait_exit(pid, 0);
}

// It is for the children: the caller keeps its pid. Upwards there is no way.
static void nothing(void) {}
ROWS(pids, "C18,P5") {
    const pid_t outside = getpid();
    int ready[2];
    CHECK(pipe(ready) == 0);
    const pid_t maker = IN_CHILD({
        CHECK(unshare(CLONE_NEWPID) == 0);
        const pid_t init = IN_CHILD({
            for (;;) pause();
        });
        CHECK(write(ready[1], &init, sizeof(init)) == sizeof(init));
        wait_status(init);
    });
    pid_t init;
    CHECK(read(ready[0], &init, sizeof(init)) == sizeof(init));
    const int home = open_ns(outside, "pid"), fd = open_ns(init, "pid");
    const pid_t pid = IN_CHILD({
        const pid_t own = getpid();
        CHECK(setns(fd, CLONE_NEWPID) == 0);
        CHECK(getpid() == own);
        const pid_t inside = IN_CHILD({
            CHECK(getpid() == 2);
            CHECK(getppid() == 0);
            CHECK_ERROR(setns(home, 0), EINVAL);
        });
        wait_exit(inside, 0);
        // Threads would be in two namespaces.
        CHECK_ERROR(syscall(SYS_clone, CLONE_VM | CLONE_SIGHAND | CLONE_THREAD, 0, 0, 0, 0), EINVAL);
        CHECK(setns(home, CLONE_NEWPID) == 0);
        wait_exit(IN_CHILD({ CHECK(getppid() == own); }), 0);
    });
    wait_exit(pid, 0);
    CHECK(kill(init, SIGKILL) == 0);
    wait_exit(maker, 0);
}

ROWS(by_pidfd, "C17,C18") {
    const pid_t pid = start_apart(CLONE_NEWUTS | CLONE_NEWNS, set_name);
    const int fd = (int)syscall(SYS_pidfd_open, pid, 0);
    CHECK(fd >= 0);
    CHECK_ERROR(setns(fd, 0), EINVAL);
    CHECK_ERROR(setns(fd, CLONE_VM), EINVAL);
    CHECK(setns(fd, CLONE_NEWUTS | CLONE_NEWNS | CLONE_NEWIPC) == 0);
    check_name("elsewhere");
    CHECK(same_ns(getpid(), pid, "mnt") && same_ns(getpid(), pid, "uts"));
    end(pid);
    CHECK_ERROR(setns(fd, CLONE_NEWUTS), ESRCH);
}

ROWS(who_may, "C18") {
    int fds[2];
    CHECK(pipe(fds) == 0);
    CHECK_ERROR(setns(fds[0], 0), EINVAL);
    CHECK_ERROR(setns(-1, 0), EBADF);
    const int fd = open_ns(getpid(), "uts");
    CHECK(setresuid(1000, 1000, 1000) == 0);
    CHECK_ERROR(setns(fd, 0), EPERM);
}

// Again and again, without anything left behind.
ROWS(comes_and_goes, "W10") {
    if (!on_guest()) return;  // others count more than this program
    for (int round = 0; round < 2; ++round) {
        if (round == 1) count_kernel();
        for (int i = 0; i < 20; ++i) {
            const pid_t pid = start_apart(CLONE_NEWUTS | CLONE_NEWNS, nothing);
            const int fd = (int)syscall(SYS_pidfd_open, pid, 0);
            const pid_t visitor = IN_CHILD({ CHECK(setns(fd, CLONE_NEWUTS | CLONE_NEWNS) == 0); });
            wait_exit(visitor, 0);
            end(pid);
            close(fd);
        }
    }
    expect_counts("setns");
}
