// Files of /proc/<pid> about identity, timers and wishes.
#include "rows.h"

#include <time.h>

static ssize_t read_file(const char* name, char* to, size_t bytes) {
    const int fd = open(name, O_RDONLY);
    CHECK(fd >= 0);
    ssize_t all = 0, n;
    while ((n = read(fd, to + all, bytes - 1 - (size_t)all)) > 0) all += n;
    CHECK(n == 0 && close(fd) == 0);
    to[all] = '\0';
    return all;
}
static bool file_is(const char* name, const char* wanted) {
    char text[4096];
    read_file(name, text, sizeof(text));
    return strcmp(text, wanted) == 0;
}
static int write_file(const char* name, const char* text) {
    const int fd = open(name, O_WRONLY);
    CHECK(fd >= 0);
    const ssize_t n = write(fd, text, strlen(text));
    const int error = errno;
    close(fd);
    errno = error;
    return n == (ssize_t)strlen(text) ? 0 : -1;
}

ROWS(every_id_is_itself, "S6,F12") {
    CHECK(file_is("/proc/self/uid_map", "         0          0 4294967295\n"));
    CHECK(file_is("/proc/self/gid_map", "         0          0 4294967295\n"));
    CHECK(file_is("/proc/self/projid_map", "         0          0 4294967295\n"));
    CHECK_ERROR(write_file("/proc/self/uid_map", "0 0 1\n"), EPERM);
    CHECK(file_is("/proc/self/setgroups", "allow\n"));
    CHECK(write_file("/proc/self/setgroups", "allow\n") == 0);
    CHECK_ERROR(write_file("/proc/self/setgroups", "deny"), EPERM);
    CHECK_ERROR(write_file("/proc/self/setgroups", "maybe"), EINVAL);
    char text[4096];
    CHECK(read_file("/proc/self/cgroup", text, sizeof(text)) > 0 && strstr(text, "0::/") != NULL);
}

ROWS(timers_are_listed, "S6,F7") {
    CHECK(file_is("/proc/self/timers", ""));
    int first = -1, second = -1;
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1};
    event.sigev_value.sival_int = 0x77;
    CHECK(syscall(SYS_timer_create, CLOCK_MONOTONIC, &event, &first) == 0);
    event.sigev_notify = SIGEV_NONE;
    CHECK(syscall(SYS_timer_create, CLOCK_REALTIME, &event, &second) == 0);
    char text[4096], wanted[256];
    read_file("/proc/self/timers", text, sizeof(text));
    snprintf(wanted, sizeof(wanted), "ID: %d\nsignal: %d/", first, SIGUSR1);
    const char* of_first = strstr(text, wanted);
    snprintf(wanted, sizeof(wanted), "77\nnotify: signal/pid.%d\nClockID: 1\n", getpid());
    CHECK(of_first != NULL && strstr(of_first, wanted) != NULL);
    snprintf(wanted, sizeof(wanted), "notify: none/pid.%d\nClockID: 0\n", getpid());
    CHECK(strstr(text, wanted) != NULL && strstr(text, wanted) < of_first);
    wait_exit(IN_CHILD(CHECK(file_is("/proc/self/timers", ""))), 0);
}

ROWS(what_a_core_would_hold_is_inherited, "S6,F12") {
    CHECK(write_file("/proc/self/coredump_filter", "0x7\n") == 0);
    wait_exit(IN_CHILD(CHECK(file_is("/proc/self/coredump_filter", "00000007\n"))), 0);
    CHECK(write_file("/proc/self/coredump_filter", "0xffff") == 0);
    CHECK(file_is("/proc/self/coredump_filter", "000001ff\n"));
    CHECK_ERROR(write_file("/proc/self/coredump_filter", "all"), EINVAL);
}

ROWS(mounts_have_statistics, "S6,C10") {
    char text[8192];
    read_file("/proc/self/mountstats", text, sizeof(text));
    CHECK(strstr(text, "device proc mounted on /proc with fstype proc\n") != NULL);
}

GUEST_ROWS(a_login_is_inherited, "S6,F12") {
    CHECK(file_is("/proc/self/loginuid", "4294967295") && file_is("/proc/self/sessionid", "4294967295"));
    CHECK(write_file("/proc/self/loginuid", "1000") == 0 && file_is("/proc/self/loginuid", "1000"));
    char session[32], name[64];
    read_file("/proc/self/sessionid", session, sizeof(session));
    CHECK(strcmp(session, "4294967295") != 0);
    const pid_t child = IN_CHILD({
        CHECK(file_is("/proc/self/loginuid", "1000") && file_is("/proc/self/sessionid", session));
        CHECK(setuid(1000) == 0);
        pause();
    });
    snprintf(name, sizeof(name), "/proc/%d/loginuid", child);
    CHECK_ERROR(write_file(name, "5"), EPERM);
    CHECK(kill(child, SIGKILL) == 0);
    wait_status(child);
}
