// Resource limits and what else is set with prctl: inherited by fork, and enforced.
#include "rows.h"

#include <sys/prctl.h>

static void limit(int which, rlim_t value) {
    struct rlimit now;
    CHECK(getrlimit(which, &now) == 0);
    now.rlim_cur = value;
    CHECK(setrlimit(which, &now) == 0);
}

ROWS(limits_are_inherited, "F12") {
    limit(RLIMIT_NOFILE, 77);
    limit(RLIMIT_FSIZE, 123456);
    wait_exit(IN_CHILD({
                  struct rlimit now;
                  CHECK(getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur == 77);
                  CHECK(getrlimit(RLIMIT_FSIZE, &now) == 0 && now.rlim_cur == 123456);
                  limit(RLIMIT_NOFILE, 55);
              }),
              0);
    struct rlimit now;
    CHECK(getrlimit(RLIMIT_NOFILE, &now) == 0 && now.rlim_cur == 77);
}

static volatile sig_atomic_t xfsz_seen;
static void on_xfsz(int number) {
    (void)number;
    ++xfsz_seen;
}
ROWS(file_size, "F12") {
    char name[] = "/tmp/fsize-XXXXXX";
    const int fd = mkstemp(name);
    CHECK(fd >= 0 && unlink(name) == 0);
    limit(RLIMIT_FSIZE, 10);
    signal(SIGXFSZ, on_xfsz);
    CHECK(write(fd, "12345678", 8) == 8);
    CHECK(write(fd, "12345678", 8) == 2 && xfsz_seen == 0);  // what there is room for
    CHECK_ERROR(write(fd, "1", 1), EFBIG);
    CHECK(xfsz_seen == 1);
    CHECK_ERROR(ftruncate(fd, 11), EFBIG);
    CHECK(xfsz_seen == 2);
    CHECK(ftruncate(fd, 10) == 0 && ftruncate(fd, 3) == 0);
    CHECK_ERROR(pwrite(fd, "1", 1, 10), EFBIG);
    CHECK(pwrite(fd, "12", 2, 9) == 1);
    // Not files: no limit.
    int ends[2];
    CHECK(pipe(ends) == 0 && write(ends[1], "12345678901234567890", 20) == 20);
    // It kills by default.
    const int status = wait_status(IN_CHILD({
        signal(SIGXFSZ, SIG_DFL);
        (void)!pwrite(fd, "1", 1, 10);
    }));
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGXFSZ);
}

ROWS(data, "F12") {
    const size_t bytes = 64 << 20;
    char* readable = mmap(NULL, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    CHECK(readable != MAP_FAILED);
    limit(RLIMIT_DATA, 32 << 20);
    CHECK(mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == ENOMEM);
    CHECK_ERROR(mprotect(readable, bytes, PROT_READ | PROT_WRITE), ENOMEM);
    CHECK(mprotect(readable, 1 << 20, PROT_READ | PROT_WRITE) == 0);
    // Shared memory, and what nobody may write, is no data.
    CHECK(mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
    CHECK(mmap(NULL, bytes, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) != MAP_FAILED);
}

ROWS(limits_of_others, "F12") {
    int go[2];
    CHECK(pipe(go) == 0);
    const pid_t pid = IN_CHILD({
        char byte;
        CHECK(read(go[0], &byte, 1) == 1);
        struct rlimit now;
        CHECK(getrlimit(RLIMIT_CORE, &now) == 0 && now.rlim_cur == 0 && now.rlim_max == 5);
    });
    const struct rlimit fresh = {0, 5};
    CHECK(prlimit(pid, RLIMIT_CORE, &fresh, NULL) == 0);
    wait_exit(IN_CHILD({
                  CHECK(setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0);
                  struct rlimit old;
                  CHECK_ERROR(prlimit(pid, RLIMIT_CORE, NULL, &old), EPERM);
                  CHECK_ERROR(prlimit(1 << 22, RLIMIT_CORE, NULL, &old), ESRCH);
                  // One's own: not above the hard limit.
                  CHECK(prlimit(0, RLIMIT_CORE, &fresh, &old) == 0);
                  const struct rlimit more = {0, 6};
                  CHECK_ERROR(prlimit(0, RLIMIT_CORE, &more, NULL), EPERM);
                  const struct rlimit crossed = {4, 3};
                  CHECK_ERROR(prlimit(0, RLIMIT_CORE, &crossed, NULL), EINVAL);
              }),
              0);
    CHECK(write(go[1], "g", 1) == 1);
    wait_exit(pid, 0);
}

// A program that gives up root beyond the limit is stopped when it executes something.
ROWS(processes_at_execve, "P7") {
    const uid_t user = 4242;
    int go[2], there[2];
    CHECK(pipe(go) == 0 && pipe(there) == 0);
    char byte = 0;
    const pid_t first = IN_CHILD({
        CHECK(setuid(user) == 0);
        CHECK(write(there[1], "t", 1) == 1);
        CHECK(read(go[0], &byte, 1) == 1);
    });
    CHECK(read(there[0], &byte, 1) == 1);
    wait_exit(IN_CHILD({
                  limit(RLIMIT_NPROC, 1);
                  CHECK(setuid(user) == 0);
                  CHECK_ERROR(execl("/bin/busybox", "busybox", "true", (char*)NULL), EAGAIN);
                  limit(RLIMIT_NPROC, 2);
                  execl("/bin/busybox", "busybox", "true", (char*)NULL);
                  execl("/bin/true", "true", (char*)NULL);
              }),
              0);
    CHECK(write(go[1], "g", 1) == 1);
    wait_exit(first, 0);
}

static volatile sig_atomic_t death_code = -99;
static volatile pid_t death_pid;
static void on_death(int number, siginfo_t* info, void* context) {
    (void)number;
    (void)context;
    death_code = info->si_code;
    death_pid = info->si_pid;
}
ROWS(the_parents_death, "P13,F14") {
    CHECK(prctl(PR_SET_CHILD_SUBREAPER, 1) == 0);
    int result[2];
    CHECK(pipe(result) == 0);
    const pid_t parent = IN_CHILD({
        const pid_t self = getpid();
        int ready[2];
        char byte;
        CHECK(pipe(ready) == 0);
        if (checked_fork() == 0) {
            struct sigaction action = {.sa_flags = SA_SIGINFO};
            action.sa_sigaction = on_death;
            CHECK(sigaction(SIGUSR1, &action, NULL) == 0 && prctl(PR_SET_PDEATHSIG, SIGUSR1) == 0);
            CHECK(write(ready[1], "r", 1) == 1);
            while (death_code == -99) usleep(1000);
            const bool fine = death_code == SI_USER && death_pid == self;
            CHECK(write(result[1], fine ? "y" : "n", 1) == 1);
            _exit(0);
        }
        CHECK(read(ready[0], &byte, 1) == 1);
    });
    wait_exit(parent, 0);
    char answer = 0;
    CHECK(read(result[0], &answer, 1) == 1 && answer == 'y');
    CHECK(wait(NULL) > 0);
}

ROWS(no_new_privileges, "P9") {
    CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 0);
    CHECK_ERROR(prctl(PR_SET_NO_NEW_PRIVS, 0, 0, 0, 0), EINVAL);
    CHECK_ERROR(prctl(PR_SET_NO_NEW_PRIVS, 1, 1, 0, 0), EINVAL);
    CHECK(prctl(PR_SET_NO_NEW_PRIVS, 1, 0, 0, 0) == 0);
    wait_exit(IN_CHILD({ CHECK(prctl(PR_GET_NO_NEW_PRIVS, 0, 0, 0, 0) == 1); }), 0);
}
