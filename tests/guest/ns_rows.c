// Namespaces of processes, host names and mounts; and who takes over orphans.
#include "rows.h"

#include <sys/mount.h>
#include <sys/prctl.h>
#include <sys/stat.h>

static long raw_clone(unsigned long flags) {
    fflush(stdout);
    return syscall(SYS_clone, flags, 0, NULL, NULL, 0);
}
// A child with these flags; it ends with 0 when it gets through `body`.
#define IN_CLONE(flags, ...)                               \
    ({                                                     \
        const long in_clone_ = raw_clone((flags) | SIGCHLD); \
        if (in_clone_ == 0) {                              \
            __VA_ARGS__;                                   \
            _exit(0);                                      \
        }                                                  \
        CHECK(in_clone_ > 0);                              \
        (pid_t)in_clone_;                                  \
    })

static void wait_for(int fd) {
    char byte = 0;
    CHECK(read(fd, &byte, 1) == 1);
}
static void tell(int fd) { CHECK(write(fd, "t", 1) == 1); }

ROWS(pids_of_their_own, "C18") {
    int told[2];
    CHECK(pipe(told) == 0);
    const pid_t init = IN_CLONE(CLONE_NEWPID, {
        CHECK(getpid() == 1 && getppid() == 0 && (pid_t)syscall(SYS_gettid) == 1);
        const pid_t child = IN_CHILD({ CHECK(getpid() == 2 && getppid() == 1); });
        CHECK(child == 2);
        wait_exit(child, 0);
        // Group and session are outside: they have no number here.
        CHECK(getpgrp() == 0 && getsid(0) == 0);
        CHECK(setsid() == 1 && getsid(0) == 1 && getpgrp() == 1);
        tell(told[1]);
        pause();
    });
    wait_for(told[0]);
    CHECK(init > 1 && kill(init, 0) == 0);
    CHECK(kill(init, SIGKILL) == 0);
    CHECK(WIFSIGNALED(wait_status(init)));
}

ROWS(the_end_of_init_ends_all, "C18,F14") {
    int alive[2];
    CHECK(pipe(alive) == 0);
    const pid_t init = IN_CLONE(CLONE_NEWPID, {
        close(alive[0]);
        for (int i = 0; i < 5; ++i) {
            if (fork() == 0) {
                if (fork() == 0) {
                    signal(SIGTERM, SIG_IGN);
                    for (;;) pause();
                }
                for (;;) pause();
            }
        }
        // Zombies, too.
        if (fork() == 0) _exit(3);
        usleep(10000);
        _exit(7);
    });
    close(alive[1]);
    wait_exit(init, 7);
    // All of them are gone when init is: nobody holds the pipe any more.
    char byte;
    CHECK(fcntl(alive[0], F_SETFL, O_NONBLOCK) == 0);
    CHECK(read(alive[0], &byte, 1) == 0);
}

ROWS(orphans_go_to_the_namespaces_init, "C18,F14") {
    const pid_t init = IN_CLONE(CLONE_NEWPID, {
        int told[2];
        CHECK(pipe(told) == 0);
        const pid_t middle = IN_CHILD({
            const pid_t orphan = checked_fork();
            if (orphan == 0) {
                wait_for(told[0]);
                _exit(getppid() == 1 ? 9 : 8);
            }
        });
        wait_exit(middle, 0);
        tell(told[1]);
        int status = 0;
        CHECK(wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 9);
    });
    wait_exit(init, 0);
}

ROWS(init_ignores_signals_from_inside, "C18") {
    int told[2];
    CHECK(pipe(told) == 0);
    const pid_t init = IN_CLONE(CLONE_NEWPID, {
        CHECK(kill(1, SIGKILL) == 0 && kill(1, SIGTERM) == 0);
        wait_exit(IN_CHILD({ CHECK(kill(1, SIGKILL) == 0); }), 0);
        tell(told[1]);
        for (;;) pause();
    });
    wait_for(told[0]);
    int status;
    CHECK(waitpid(init, &status, WNOHANG) == 0);
    // SIGTERM has no handler, and init is spared even from outside; SIGKILL is another matter.
    CHECK(kill(init, SIGTERM) == 0);
    usleep(5000);
    CHECK(waitpid(init, &status, WNOHANG) == 0);
    CHECK(kill(init, SIGKILL) == 0);
    status = wait_status(init);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

ROWS(namespaces_in_namespaces, "C18") {
    const pid_t outer = IN_CLONE(CLONE_NEWPID, {
        const pid_t inner = IN_CLONE(CLONE_NEWPID, {
            CHECK(getpid() == 1);
            if (fork() == 0) {
                for (;;) pause();
            }
            _exit(4);
        });
        CHECK(inner == 2);
        wait_exit(inner, 4);
        // Its killed child has gone with it.
        CHECK_ERROR(kill(3, 0), ESRCH);
    });
    wait_exit(outer, 0);
}

// A clone that is to be refused: there is no stack for a child to run on.
static long no_clone(unsigned long flags) {
    return syscall(SYS_clone, flags | ((flags & CLONE_THREAD) != 0 ? 0 : SIGCHLD), opaque(0x1000), 0, 0, 0);
}

ROWS(unshare_for_children, "C18,P5") {
    wait_exit(IN_CHILD({
                  const pid_t self = getpid();
                  CHECK(unshare(CLONE_NEWPID) == 0);
                  CHECK(getpid() == self);
                  // P5: no thread, and no shared handlers, across the border.
                  CHECK_ERROR(no_clone(CLONE_VM | CLONE_SIGHAND | CLONE_THREAD), EINVAL);
                  if (on_guest()) CHECK_ERROR(no_clone(CLONE_VM | CLONE_SIGHAND), EINVAL);
                  CHECK_ERROR(unshare(CLONE_NEWPID), EINVAL);
                  const pid_t init = IN_CHILD({ CHECK(getpid() == 1); });
                  CHECK(init > 1);
                  wait_exit(init, 0);
                  // Its init has ended, and nobody can be born there.
                  errno = 0;
                  CHECK(fork() == -1 && errno == ENOMEM);
              }),
              0);
}

ROWS(handlers_are_not_shared_across_namespaces, "P5") {
    CHECK_ERROR(no_clone(CLONE_NEWPID | CLONE_VM | CLONE_SIGHAND | CLONE_THREAD), EINVAL);
    CHECK_ERROR(no_clone(CLONE_NEWUSER | CLONE_VM | CLONE_SIGHAND | CLONE_THREAD), EINVAL);
    // Since 4.3 Linux refuses threads alone; the rows have the rule from before.
    if (!on_guest()) return;
    CHECK_ERROR(no_clone(CLONE_NEWPID | CLONE_VM | CLONE_SIGHAND), EINVAL);
    CHECK_ERROR(no_clone(CLONE_NEWUSER | CLONE_VM | CLONE_SIGHAND), EINVAL);
}

ROWS(host_names, "C18") {
    char before[65], now[65];
    CHECK(gethostname(before, sizeof(before)) == 0);
    wait_exit(IN_CLONE(CLONE_NEWUTS, {
                  CHECK(sethostname("elsewhere", 9) == 0);
                  CHECK(gethostname(now, sizeof(now)) == 0 && strcmp(now, "elsewhere") == 0);
              }),
              0);
    CHECK(gethostname(now, sizeof(now)) == 0 && strcmp(now, before) == 0);
    wait_exit(IN_CHILD({
                  CHECK(unshare(CLONE_NEWUTS) == 0 && sethostname("nowhere", 7) == 0);
              }),
              0);
    CHECK(gethostname(now, sizeof(now)) == 0 && strcmp(now, before) == 0);
}

ROWS(mounts, "C10") {
    const char* dir = scratch_directory();
    wait_exit(IN_CLONE(CLONE_NEWNS, {
                  // Where mounts are shared by default that must be ended first.
                  mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL);
                  char inside[64];
                  snprintf(inside, sizeof(inside), "%s/file", dir);
                  CHECK(mount("tmpfs", dir, "tmpfs", 0, NULL) == 0);
                  CHECK(close(open(inside, O_CREAT | O_WRONLY, 0600)) == 0);
                  CHECK(access(inside, F_OK) == 0);
              }),
              0);
    char inside[64];
    snprintf(inside, sizeof(inside), "%s/file", dir);
    CHECK_ERROR(access(inside, F_OK), ENOENT);
    CHECK(rmdir(dir) == 0);
}

ROWS(the_others_are_refused_without_right, "C18") {
    wait_exit(IN_CHILD({
                  CHECK(setgid(1000) == 0 && setuid(1000) == 0);
                  CHECK_ERROR(raw_clone(CLONE_NEWPID | SIGCHLD), EPERM);
                  CHECK_ERROR(raw_clone(CLONE_NEWUTS | SIGCHLD), EPERM);
                  CHECK_ERROR(raw_clone(CLONE_NEWNS | SIGCHLD), EPERM);
                  CHECK_ERROR(unshare(CLONE_NEWPID), EPERM);
              }),
              0);
}

GUEST_ROWS(the_others_are_not_there, "C18") {
    CHECK_ERROR(raw_clone(CLONE_NEWIPC | SIGCHLD), EINVAL);
    CHECK_ERROR(raw_clone(CLONE_NEWNET | SIGCHLD), EINVAL);
    CHECK_ERROR(raw_clone(CLONE_NEWUSER | SIGCHLD), EINVAL);
    CHECK_ERROR(unshare(0x02000000 /* CLONE_NEWCGROUP */), EINVAL);
}

ROWS(unshare_files_and_directories, "C3,C4") {
    wait_exit(IN_CHILD({
                  CHECK(unshare(CLONE_FS | CLONE_FILES | CLONE_SYSVSEM) == 0);
                  CHECK(unshare(0) == 0);
                  CHECK_ERROR(unshare(0x1), EINVAL);
              }),
              0);
    int told[2], back[2];
    CHECK(pipe(told) == 0 && pipe(back) == 0);
    char here[256], now[256];
    CHECK(getcwd(here, sizeof(here)) != NULL);
    const pid_t pid = IN_CLONE(CLONE_FS | CLONE_FILES, {
        CHECK(unshare(CLONE_FS | CLONE_FILES) == 0);
        CHECK(chdir("/dev") == 0);
        const int fd = open("/dev/null", O_RDONLY);
        CHECK(fd >= 0 && write(told[1], &fd, sizeof(fd)) == sizeof(fd));
        wait_for(back[0]);
    });
    int fd = -1;
    CHECK(read(told[0], &fd, sizeof(fd)) == sizeof(fd));
    CHECK_ERROR(fcntl(fd, F_GETFD), EBADF);
    CHECK(getcwd(now, sizeof(now)) != NULL && strcmp(here, now) == 0);
    tell(back[1]);
    wait_exit(pid, 0);
}

ROWS(a_subreaper_gets_the_orphans, "F14") {
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    int value = 0;
    CHECK(prctl(PR_GET_CHILD_SUBREAPER, &value) == 0 && value == 1);
    int told[2];
    CHECK(pipe(told) == 0);
    const pid_t self = getpid();
    const pid_t middle = IN_CHILD({
        CHECK(prctl(PR_GET_CHILD_SUBREAPER, &value) == 0 && value == 0);  // not inherited
        const pid_t lower = IN_CHILD({
            if (checked_fork() == 0) {
                wait_for(told[0]);
                _exit(getppid() == self ? 9 : 8);
            }
        });
        wait_exit(lower, 0);
    });
    wait_exit(middle, 0);
    tell(told[1]);
    int status = 0;
    CHECK(wait(&status) > 0 && WIFEXITED(status) && WEXITSTATUS(status) == 9);
}
