// /proc/<pid>: what task_struct holds, compared with what the system calls tell (section 6, and the rows of other
// sections that can be seen there).
#include "proc_text.h"

#include <ctype.h>
#include <dirent.h>
#include <limits.h>
#include <pthread.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>

// Waits until the child is in that state (R S D T Z).
static void await_state(pid_t pid, char state) {
    for (int i = 0; i < 2000; ++i) {
        char* text = proc_read("/proc/%d/stat", pid);
        CHECK(text != NULL);
        if (*stat_field(text, 3) == state) return;
        usleep(1000);
    }
    CHECK(!"the state came");
}

// A child that sleeps in read(2) until its pipe is closed.
static pid_t sleeping_child(int pipe_fds[2]) {
    CHECK(pipe(pipe_fds) == 0);
    const pid_t pid = IN_CHILD({
        close(pipe_fds[1]);
        char byte;
        while (read(pipe_fds[0], &byte, 1) > 0) {}
    });
    close(pipe_fds[0]);
    await_state(pid, 'S');
    return pid;
}
static void let_go(pid_t pid, int pipe_fds[2]) {
    close(pipe_fds[1]);
    wait_exit(pid, 0);
}

ROWS(stat_has_52_fields, "S6,F3") {
    char* text = proc_read("/proc/self/stat");
    CHECK(text != NULL && strtol(text, NULL, 10) == getpid());
    CHECK(stat_number(text, 4) == getppid());
    CHECK(stat_number(text, 5) == getpgrp() && stat_number(text, 6) == getsid(0));
    CHECK(*stat_field(text, 3) == 'R');
    CHECK(stat_number(text, 20) == 1);
    CHECK(stat_number(text, 18) == 20 + stat_number(text, 19));
    CHECK(stat_number(text, 23) > 0 && stat_number(text, 24) >= 0);
    CHECK(stat_number(text, 38) == SIGCHLD);
    // Code, data, stack: where things of theirs are.
    CHECK((unsigned long)stat_number(text, 26) <= (unsigned long)&stat_has_52_fields);
    CHECK((unsigned long)stat_number(text, 27) > (unsigned long)&stat_has_52_fields);
    CHECK((unsigned long)stat_number(text, 28) > (unsigned long)&text);
    int fields = 2;
    for (char* at = strrchr(text, ')'); (at = strchr(at + 1, ' ')) != NULL;) ++fields;
    CHECK(fields == 52 && text[strlen(text) - 1] == '\n');
}

ROWS(status_says_what_the_calls_say, "S6,F12") {
    (void)umask(027);
    CHECK(prctl(PR_SET_NAME, "a\\b\nc") == 0);
    char* text = proc_read("/proc/self/status");
    CHECK(text != NULL && strncmp(text, "Name:\ta\\\\b\\nc\nUmask:\t0027\nState:\tR (running)\n", 43) == 0);
    CHECK(proc_number(text, "Tgid") == getpid() && proc_number(text, "Pid") == getpid());
    CHECK(proc_number(text, "PPid") == getppid() && proc_number(text, "TracerPid") == 0);
    uid_t ids[4];
    CHECK(sscanf(proc_field(text, "Uid"), "%u %u %u %u", &ids[0], &ids[1], &ids[2], &ids[3]) == 4);
    CHECK(ids[0] == getuid() && ids[1] == geteuid() && ids[3] == geteuid());
    CHECK(sscanf(proc_field(text, "Gid"), "%u %u", &ids[0], &ids[1]) == 2 && ids[0] == getgid());
    CHECK(proc_number(text, "Threads") == 1 && proc_number(text, "FDSize") >= 3);
    CHECK(proc_number(text, "NSpid") == getpid() && proc_number(text, "NStgid") == getpid());
    CHECK(proc_number(text, "VmSize") >= proc_number(text, "VmRSS") && proc_number(text, "VmPeak") >= proc_number(text, "VmSize"));
    CHECK(proc_number(text, "VmHWM") >= proc_number(text, "VmRSS") && proc_number(text, "VmLck") == 0);
    CHECK(proc_number(text, "RssAnon") + proc_number(text, "RssFile") + proc_number(text, "RssShmem") ==
          proc_number(text, "VmRSS"));
    CHECK(proc_number(text, "voluntary_ctxt_switches") >= 0 && proc_number(text, "nonvoluntary_ctxt_switches") >= 0);
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_SIGPENDING, &limit) == 0);
    CHECK(strtoul(strchr(proc_field(text, "SigQ"), '/') + 1, NULL, 10) == limit.rlim_cur);
}

static void nothing(int sig) { (void)sig; }

ROWS(status_shows_signals, "S6,F5") {
    CHECK(signal(SIGUSR1, nothing) != SIG_ERR && signal(SIGUSR2, SIG_IGN) != SIG_ERR);
    sigset_t set;
    sigemptyset(&set);
    sigaddset(&set, SIGUSR1);
    sigaddset(&set, SIGRTMIN + 1);
    CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
    CHECK(kill(getpid(), SIGUSR1) == 0 && syscall(SYS_tgkill, getpid(), gettid(), SIGRTMIN + 1) == 0);
    char* text = proc_read("/proc/self/status");
    const unsigned long usr1 = 1UL << (SIGUSR1 - 1);
    const unsigned long realtime = 1UL << SIGRTMIN;
    CHECK(proc_hex(text, "ShdPnd") == usr1 && proc_hex(text, "SigPnd") == realtime);
    CHECK((proc_hex(text, "SigBlk") & (usr1 | realtime)) == (usr1 | realtime));
    CHECK(proc_hex(text, "SigIgn") & 1UL << (SIGUSR2 - 1) && proc_hex(text, "SigCgt") & usr1);
    CHECK(proc_number(text, "SigQ") >= 2);
    text = proc_read("/proc/self/stat");
    CHECK((unsigned long)stat_number(text, 32) & usr1 && (unsigned long)stat_number(text, 34) & usr1);
    // A child inherits handlers and mask, and no pending signal.
    wait_exit(IN_CHILD({
                  char* own = proc_read("/proc/self/status");
                  CHECK(proc_hex(own, "ShdPnd") == 0 && proc_hex(own, "SigPnd") == 0);
                  CHECK((proc_hex(own, "SigBlk") & usr1) != 0 && (proc_hex(own, "SigCgt") & usr1) != 0);
              }),
              0);
}

ROWS(letters_of_states, "S6,F14") {
    int fds[2];
    const pid_t pid = sleeping_child(fds);
    CHECK(kill(pid, SIGSTOP) == 0);
    await_state(pid, 'T');
    CHECK(strncmp(proc_field(proc_read("/proc/%d/status", pid), "State"), "T (stopped)", 11) == 0);
    CHECK(kill(pid, SIGCONT) == 0);
    await_state(pid, 'S');
    CHECK(kill(pid, SIGKILL) == 0);
    await_state(pid, 'Z');
    char* text = proc_read("/proc/%d/status", pid);
    CHECK(strncmp(proc_field(text, "State"), "Z (zombie)", 10) == 0 && proc_field(text, "VmSize") == NULL);
    CHECK(proc_number(text, "FDSize") == 0 && proc_field(text, "Umask") == NULL);
    text = proc_read("/proc/%d/maps", pid);
    CHECK(text != NULL && *text == '\0');
    CHECK(*proc_read("/proc/%d/cmdline", pid) == '\0');
    CHECK(strcmp(proc_read("/proc/%d/statm", pid), "0 0 0 0 0 0 0\n") == 0);
    close(fds[1]);
    CHECK(waitpid(pid, NULL, 0) == pid);
}

// A vfork parent is uninterruptible until its child has a program of its own.
ROWS(uninterruptible_is_D, "S6,V2") {
    int fds[2];
    CHECK(pipe(fds) == 0);
    const pid_t parent = IN_CHILD({
        close(fds[1]);
        const pid_t child = vfork();
        if (child == 0) {
            char byte;
            (void)!read(fds[0], &byte, 1);
            _exit(3);
        }
        wait_exit(child, 3);
    });
    close(fds[0]);
    await_state(parent, 'D');
    CHECK(strncmp(proc_field(proc_read("/proc/%d/status", parent), "State"), "D (disk sleep)", 14) == 0);
    close(fds[1]);
    wait_exit(parent, 0);
}

ROWS(system_call_of_a_sleeper, "S6") {
    // Whoever asks for itself is in read.
    CHECK(strtol(proc_read("/proc/self/syscall"), NULL, 10) == SYS_read);
    const pid_t busy = IN_CHILD(for (;;) sched_yield());
    CHECK(strcmp(proc_read("/proc/%d/syscall", busy), "running\n") == 0 || !on_guest());
    CHECK(strcmp(proc_read("/proc/%d/wchan", busy), "0") == 0 && kill(busy, SIGKILL) == 0);
    CHECK(wait_status(busy) == SIGKILL);
    int fds[2];
    const pid_t pid = sleeping_child(fds);
    long number, first, second, third;
    unsigned long sp, pc;
    char* text = proc_read("/proc/%d/syscall", pid);
    CHECK(sscanf(text, "%ld %lx %lx %lx %*x %*x %*x %lx %lx\n", &number, &first, &second, &third, &sp, &pc) == 6);
    CHECK(number == SYS_read && third == 1);
    CHECK((unsigned long)second > sp && (unsigned long)second < sp + (1 << 20));
    CHECK(pc > 0x1000 && strcmp(proc_read("/proc/%d/wchan", pid), "0") != 0);
    CHECK(strcmp(proc_read("/proc/self/wchan"), "0") == 0);
    let_go(pid, fds);
}

ROWS(names_and_arguments, "S6,F1") {
    char* text = proc_read("/proc/self/comm");
    CHECK(strcmp(text, "proc_rows\n") == 0);
    const int fd = open("/proc/self/comm", O_WRONLY);
    CHECK(fd >= 0 && write(fd, "a name that is too long", 23) == 23 && close(fd) == 0);
    CHECK(strcmp(proc_read("/proc/self/comm"), "a name that is \n") == 0);
    char name[16];
    CHECK(prctl(PR_GET_NAME, name) == 0 && strcmp(name, "a name that is ") == 0);
    // Of another process it can be read alone.
    const int other = open("/proc/1/comm", O_WRONLY);
    if (other >= 0) CHECK_ERROR(write(other, "x", 1), EINVAL);
    // An environment and arguments of one's own.
    int fds[2];
    CHECK(pipe(fds) == 0);
    const pid_t pid = IN_CHILD({
        CHECK(dup2(fds[0], 0) == 0 && close(fds[1]) == 0);
        execve("/proc/self/exe", (char*[]){"one", "two three", "", NULL}, (char*[]){"PROC_ROWS_CHILD=1", "B=2", NULL});
    });
    close(fds[0]);
    for (int i = 0; i < 2000 && memcmp(proc_read("/proc/%d/cmdline", pid), "one\0two three\0\0", 15) != 0; ++i) usleep(1000);
    await_state(pid, 'S');
    CHECK(memcmp(proc_read("/proc/%d/cmdline", pid), "one\0two three\0\0", 16) == 0);
    CHECK(memcmp(proc_read("/proc/%d/environ", pid), "PROC_ROWS_CHILD=1\0B=2\0", 23) == 0);
    close(fds[1]);
    wait_exit(pid, 0);
}

// What the child of names_and_arguments does: waits for the end of its input.
__attribute__((constructor)) static void be_that_child(void) {
    if (getenv("PROC_ROWS_CHILD") == NULL) return;
    char byte;
    while (read(0, &byte, 1) > 0) {}
    _exit(0);
}

static void check_link(const char* link, const char* wanted) {
    char text[PATH_MAX];
    const ssize_t length = readlink(link, text, sizeof(text) - 1);
    CHECK(length > 0);
    text[length] = '\0';
    if (strcmp(text, wanted) != 0) printf("  %s -> %s, not %s\n", link, text, wanted);
    CHECK(strcmp(text, wanted) == 0);
}

ROWS(links_to_places, "S6,F12,C3") {
    char directory[] = "/tmp/proc_rowsXXXXXX";
    CHECK(mkdtemp(directory) != NULL && chdir(directory) == 0);
    check_link("/proc/self/cwd", directory);
    check_link("/proc/self/root", "/");
    struct stat own, there;
    CHECK(stat("/proc/self/cwd", &there) == 0 && stat(".", &own) == 0);
    CHECK(own.st_ino == there.st_ino && own.st_dev == there.st_dev);
    CHECK(lstat("/proc/self/cwd", &there) == 0 && S_ISLNK(there.st_mode));
    CHECK(rmdir(directory) == 0);
    char gone[64];
    snprintf(gone, sizeof(gone), "%s (deleted)", directory);
    check_link("/proc/self/cwd", gone);
    char exe[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    CHECK(length > 0);
    exe[length] = '\0';
    CHECK(strcmp(strrchr(exe, '/'), "/proc_rows") == 0);
    CHECK(stat("/proc/self/exe", &there) == 0 && stat(exe, &own) == 0 && own.st_ino == there.st_ino);
    char number[32];
    snprintf(number, sizeof(number), "%d", getpid());
    check_link("/proc/self", number);
    snprintf(number, sizeof(number), "%d/task/%d", getpid(), gettid());
    check_link("/proc/thread-self", number);
    CHECK_ERROR(readlink("/proc/self/stat", exe, sizeof(exe)), EINVAL);
}

ROWS(descriptors, "S6,F10,C4") {
    char name[] = "/tmp/proc_rowsXXXXXX";
    const int fd = mkstemp(name);
    CHECK(fd >= 0 && write(fd, "contents", 8) == 8);
    char link[64];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    check_link(link, name);
    struct stat status;
    CHECK(lstat(link, &status) == 0 && (status.st_mode & 07777) == 0700 && status.st_size == 64);
    // The link leads to the file itself: to another description of it, with an offset of its own.
    const int again = open(link, O_RDONLY | O_CLOEXEC);
    char bytes[9] = "";
    CHECK(again >= 0 && read(again, bytes, 8) == 8 && strcmp(bytes, "contents") == 0);
    CHECK(unlink(name) == 0);
    char gone[64];
    snprintf(gone, sizeof(gone), "%s (deleted)", name);
    check_link(link, gone);
    CHECK(open(link, O_RDWR) >= 0);
    snprintf(link, sizeof(link), "/proc/self/fdinfo/%d", again);
    char* text = proc_read_at(link);
    CHECK(text != NULL && proc_number(text, "pos") == 8);
    CHECK(strtol(proc_field(text, "flags"), NULL, 8) == (O_RDONLY | O_CLOEXEC | 0100000));
    CHECK(fstat(fd, &status) == 0);
    CHECK(proc_number(text, "mnt_id") > 0 && (!on_guest() || proc_number(text, "ino") == (long)status.st_ino));
    int ends[2];
    CHECK(pipe(ends) == 0 && fstat(ends[0], &status) == 0);
    snprintf(link, sizeof(link), "/proc/self/fd/%d", ends[0]);
    snprintf(gone, sizeof(gone), "pipe:[%lu]", (unsigned long)status.st_ino);
    check_link(link, gone);
    // A pipe can be opened once more as well.
    snprintf(link, sizeof(link), "/proc/self/fd/%d", ends[1]);
    const int writer = open(link, O_WRONLY);
    CHECK(writer >= 0 && write(writer, "x", 1) == 1 && read(ends[0], bytes, 8) == 1 && bytes[0] == 'x');
    CHECK(close(ends[1]) == 0);
    CHECK_ERROR(readlink(link, gone, sizeof(gone)), ENOENT);
    CHECK_ERROR(open("/proc/self/fd/999", O_RDONLY), ENOENT);
    CHECK_ERROR(open("/proc/self/fd/00", O_RDONLY), ENOENT);
}

ROWS(descriptors_are_listed, "S6,F10") {
    for (int i = 0; i < 100; ++i) CHECK(dup2(0, 200 + 3 * i) >= 0);
    DIR* dir = opendir("/proc/self/fd");
    CHECK(dir != NULL);
    int seen = 0;
    for (struct dirent* entry; (entry = readdir(dir)) != NULL;) {
        if (!isdigit(entry->d_name[0])) continue;
        CHECK(entry->d_type == DT_LNK);
        const int fd = atoi(entry->d_name);
        CHECK(fcntl(fd, F_GETFD) >= 0);
        if (fd >= 200) ++seen;
    }
    CHECK(seen == 100 && closedir(dir) == 0);
}

ROWS(fdinfo_of_special_files, "S6,C17") {
    const int event = (int)syscall(SYS_eventfd2, 7, 0);
    char* text = proc_read("/proc/self/fdinfo/%d", event);
    CHECK(event >= 0 && text != NULL && proc_hex(text, "eventfd-count") == 7 && proc_number(text, "pos") == 0);
    const pid_t pid = IN_CHILD();
    const int process = (int)syscall(434, pid, 0);  // pidfd_open
    CHECK(process >= 0 && proc_number(proc_read("/proc/self/fdinfo/%d", process), "Pid") == pid);
    char link[64];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", event);
    check_link(link, "anon_inode:[eventfd]");
    wait_exit(pid, 0);
    CHECK(proc_number(proc_read("/proc/self/fdinfo/%d", process), "Pid") == -1);
}

static int gate[2];
static void* wait_at_gate(void* out) {
    *(pid_t*)out = gettid();
    char byte;
    (void)!read(gate[0], &byte, 1);
    return NULL;
}

ROWS(threads_are_listed, "S6,C9") {
    enum { kThreads = 5 };
    CHECK(pipe(gate) == 0);
    pthread_t threads[kThreads];
    pid_t tids[kThreads] = {0};
    for (int i = 0; i < kThreads; ++i) CHECK(pthread_create(&threads[i], NULL, wait_at_gate, &tids[i]) == 0);
    for (int i = 0; i < kThreads; ++i) {
        for (int tries = 0; tries < 2000 && ((volatile pid_t*)tids)[i] == 0; ++tries) usleep(1000);
    }
    CHECK(proc_number(proc_read("/proc/self/status"), "Threads") == kThreads + 1);
    CHECK(stat_number(proc_read("/proc/self/stat"), 20) == kThreads + 1);
    DIR* dir = opendir("/proc/self/task");
    CHECK(dir != NULL);
    int seen = 0;
    for (struct dirent* entry; (entry = readdir(dir)) != NULL;) {
        if (!isdigit(entry->d_name[0])) continue;
        char* text = proc_read("/proc/self/task/%s/status", entry->d_name);
        CHECK(text != NULL && proc_number(text, "Pid") == atoi(entry->d_name) && proc_number(text, "Tgid") == getpid());
        ++seen;
    }
    CHECK(seen == kThreads + 1);
    // A thread is found in /proc by its number, but not listed; and is no thread of others.
    char* text = proc_read("/proc/%d/stat", tids[0]);
    CHECK(text != NULL && strtol(text, NULL, 10) == tids[0] && stat_number(text, 4) == getppid());
    CHECK(proc_read("/proc/1/task/%d/stat", tids[0]) == NULL && errno == ENOENT);
    // Its name is its own.
    const int fd = open("/proc/thread-self/comm", O_WRONLY);
    CHECK(fd >= 0 && write(fd, "main", 4) == 4);
    CHECK(strcmp(proc_read("/proc/self/task/%d/comm", tids[1]), "proc_rows\n") == 0);
    dir = opendir("/proc");
    for (struct dirent* entry; (entry = readdir(dir)) != NULL;) CHECK(atoi(entry->d_name) != tids[2]);
    for (int i = 0; i < kThreads; ++i) CHECK(write(gate[1], "x", 1) == 1);
    for (int i = 0; i < kThreads; ++i) CHECK(pthread_join(threads[i], NULL) == 0);
    for (int tries = 0; tries < 2000 && proc_number(proc_read("/proc/self/status"), "Threads") != 1; ++tries) usleep(1000);
    CHECK(proc_read("/proc/self/task/%d/stat", tids[0]) == NULL && errno == ENOENT);
}

ROWS(goes_when_it_is_reaped, "S6,F14") {
    int fds[2];
    const pid_t pid = sleeping_child(fds);
    char name[64];
    snprintf(name, sizeof(name), "/proc/%d", pid);
    const int dir = open(name, O_RDONLY | O_DIRECTORY);
    const int stat_fd = openat(dir, "stat", O_RDONLY);
    const int maps_fd = openat(dir, "maps", O_RDONLY);
    const int pagemap_fd = openat(dir, "pagemap", O_RDONLY);
    const int fd_fd = openat(dir, "fd", O_RDONLY | O_DIRECTORY);
    CHECK(dir >= 0 && stat_fd >= 0 && maps_fd >= 0 && fd_fd >= 0 && pagemap_fd >= 0);
    char text[4096];
    CHECK(read(stat_fd, text, 1) == 1);
    let_go(pid, fds);
    CHECK_ERROR(pread(stat_fd, text, sizeof(text), 0), ESRCH);
    CHECK_ERROR(read(maps_fd, text, sizeof(text)), ESRCH);
    CHECK(read(pagemap_fd, text, 8) == 0);
    CHECK_ERROR(openat(dir, "stat", O_RDONLY), ESRCH);
    CHECK_ERROR(openat(fd_fd, "0", O_RDONLY), ENOENT);
    CHECK_ERROR(syscall(SYS_getdents64, dir, text, sizeof(text)), ENOENT);
    CHECK_ERROR(syscall(SYS_getdents64, fd_fd, text, sizeof(text)), ENOENT);
    CHECK_ERROR(access(name, F_OK), ENOENT);
}

ROWS(only_processes_are_listed, "S6,F3") {
    int fds[2];
    const pid_t pid = sleeping_child(fds);
    DIR* dir = opendir("/proc");
    CHECK(dir != NULL);
    bool self = false, child = false, meminfo = false, init = false;
    int before = 0;
    for (struct dirent* entry; (entry = readdir(dir)) != NULL;) {
        if (isdigit(entry->d_name[0])) {
            const int number = atoi(entry->d_name);
            CHECK(entry->d_type == DT_DIR && number > before);
            before = number;
            self = self || number == getpid();
            child = child || number == pid;
            init = init || number == 1;
        }
        meminfo = meminfo || strcmp(entry->d_name, "meminfo") == 0;
    }
    CHECK(self && child && meminfo && init);
    char number[16];
    snprintf(number, sizeof(number), "%d ", pid);
    char* children = proc_read("/proc/thread-self/children");
    CHECK(children == NULL || strcmp(children, number) == 0);
    struct stat status;
    CHECK(stat("/proc", &status) == 0 && S_ISDIR(status.st_mode) && (status.st_mode & 07777) == 0555);
    CHECK_ERROR(mkdir("/proc/new", 0700), ENOENT);
    CHECK_ERROR(open("/proc/new", O_CREAT | O_WRONLY, 0600), ENOENT);
    CHECK_ERROR(stat("/proc/01", &status), ENOENT);
    CHECK_ERROR(stat("/proc/0", &status), ENOENT);
    CHECK_ERROR(unlink("/proc/self/stat"), EPERM);
    let_go(pid, fds);
}

ROWS(owners_and_rights, "S6") {
    if (getuid() != 0) return;
    int fds[2];
    const pid_t pid = sleeping_child(fds);
    CHECK(chmod("/proc/self/stat", 0600) == -1 && errno == EPERM);
    wait_exit(IN_CHILD({
                  CHECK(setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0);
                  CHECK(proc_read("/proc/%d/stat", pid) != NULL && proc_read("/proc/%d/status", pid) != NULL);
                  CHECK(proc_read("/proc/%d/maps", pid) == NULL && errno == EACCES);
                  CHECK(proc_read("/proc/%d/environ", pid) == NULL && errno == EACCES);
                  CHECK(proc_read("/proc/%d/io", pid) == NULL && errno == EACCES);
                  char link[64];
                  char text[64];
                  snprintf(link, sizeof(link), "/proc/%d/fd/0", pid);
                  CHECK_ERROR(readlink(link, text, sizeof(text)), EACCES);
                  CHECK(proc_read("/proc/%d/fdinfo/0", pid) == NULL && errno == EACCES);
                  snprintf(link, sizeof(link), "/proc/%d/cwd", pid);
                  CHECK_ERROR(readlink(link, text, sizeof(text)), EACCES);
                  CHECK_ERROR(chdir(link), EACCES);
                  CHECK(strcmp(proc_read("/proc/%d/wchan", pid), "0") == 0);
                  // Addresses are not for everybody.
                  CHECK(stat_number(proc_read("/proc/%d/stat", pid), 28) == 0);
                  CHECK(stat_number(proc_read("/proc/%d/stat", pid), 26) == 1);
              }),
              0);
    let_go(pid, fds);
}

// Two tasks are in one namespace if the links name the same file.
ROWS(namespaces_are_files, "S6,C10,C18") {
    static const char* const kKinds[] = {"ipc", "mnt", "pid", "uts"};
    struct stat mine, theirs;
    char link[64], text[64];
    for (unsigned i = 0; i < 4; ++i) {
        snprintf(link, sizeof(link), "/proc/self/ns/%s", kKinds[i]);
        CHECK(stat(link, &mine) == 0 && S_ISREG(mine.st_mode));
        snprintf(text, sizeof(text), "%s:[%lu]", kKinds[i], (unsigned long)mine.st_ino);
        check_link(link, text);
        wait_exit(IN_CHILD({
                      CHECK(stat(link, &theirs) == 0 && theirs.st_ino == mine.st_ino && theirs.st_dev == mine.st_dev);
                      if (getuid() != 0 || i == 2 || i == 0) _exit(0);
                      const unsigned long flag = i == 1 ? CLONE_NEWNS : CLONE_NEWUTS;
                      const pid_t apart = (pid_t)syscall(SYS_clone, flag | SIGCHLD, 0, 0, 0, 0);
                      if (apart == 0) _exit(stat(link, &theirs) == 0 && theirs.st_ino != mine.st_ino ? 0 : 1);
                      CHECK(apart > 0);
                      wait_exit(apart, 0);
                  }),
                  0);
    }
    CHECK(open("/proc/self/ns/uts", O_RDONLY) >= 0);
    CHECK_ERROR(open("/proc/self/ns/none", O_RDONLY), ENOENT);
}

// A mount shows the tasks of the namespace that it was made in, by their numbers there.
ROWS(a_mount_shows_one_pid_namespace, "S6,C18") {
    if (getuid() != 0) return;
    char directory[] = "/tmp/proc_rowsXXXXXX";
    CHECK(mkdtemp(directory) != NULL);
    const pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0);
    CHECK(pid >= 0);
    if (pid == 0) {
        const pid_t outside = (pid_t)strtol(proc_read("/proc/self/stat"), NULL, 10);
        CHECK(getpid() == 1 && outside > 1);
        char* text = proc_read("/proc/self/status");
        int inner[2];
        CHECK(sscanf(proc_field(text, "NSpid"), "%d\t%d\n", &inner[0], &inner[1]) == 2 && inner[0] == outside && inner[1] == 1);
        CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
        CHECK(mount("proc", directory, "proc", 0, NULL) == 0);
        text = proc_read("%s/self/status", directory);
        CHECK(text != NULL && proc_number(text, "Pid") == 1 && proc_number(text, "PPid") == 0);
        CHECK(sscanf(proc_field(text, "NSpid"), "%d\t%d\n", &inner[0], &inner[1]) == 1 && inner[0] == 1);
        const pid_t child = IN_CHILD(pause());
        CHECK(child == 2 && proc_number(proc_read("%s/2/status", directory), "PPid") == 1);
        DIR* dir = opendir(directory);
        CHECK(dir != NULL);
        int seen = 0;
        for (struct dirent* entry; (entry = readdir(dir)) != NULL;) seen += isdigit(entry->d_name[0]) ? 1 : 0;
        CHECK(seen == 2 && proc_read("%s/%d/stat", directory, outside) == NULL);
        CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
        _exit(0);
    }
    wait_exit(pid, 0);
    CHECK(rmdir(directory) == 0);
}

// Whose tracer it is shows in status, and in the letter of its stop.
ROWS(a_tracee_is_shown, "S6,C6") {
    const pid_t pid = IN_CHILD({
        CHECK(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
        raise(SIGUSR1);
    });
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
    char* text = proc_read("/proc/%d/status", pid);
    CHECK(strncmp(proc_field(text, "State"), "t (tracing stop)", 16) == 0 && proc_number(text, "TracerPid") == getpid());
    CHECK(*stat_field(proc_read("/proc/%d/stat", pid), 3) == 't');
    CHECK(ptrace(PTRACE_CONT, pid, NULL, NULL) == 0);
    wait_exit(pid, 0);
}

ROWS(scheduling_is_shown, "S6,P9") {
    unsigned long before, waited, turns, after;
    CHECK(sscanf(proc_read("/proc/self/schedstat"), "%lu %lu %lu\n", &before, &waited, &turns) == 3 && turns > 0);
    // A kernel may add up time at its ticks alone.
    for (int tries = 0; tries < 1000; ++tries) {
        for (volatile int i = 0; i < 1000000; ++i) {}
        CHECK(sscanf(proc_read("/proc/self/schedstat"), "%lu %lu %lu\n", &after, &waited, &turns) == 3);
        if (after > before) break;
    }
    CHECK(after > before);
    for (int i = 0; i < 3; ++i) usleep(1000);
    CHECK(proc_number(proc_read("/proc/self/status"), "voluntary_ctxt_switches") >= 3);
    char* text = proc_read("/proc/self/sched");
    if (text == NULL) return;  // a kernel without the scheduler's statistics
    char wanted[64];
    snprintf(wanted, sizeof(wanted), "proc_rows (%d, #threads: 1)\n---", getpid());
    CHECK(strncmp(text, wanted, strlen(wanted)) == 0);
    const char* switches = strstr(text, "\nnr_switches ");
    CHECK(switches != NULL && strtol(strchr(switches, ':') + 1, NULL, 10) >= 3);
    CHECK(strstr(text, "\nprio ") != NULL && strstr(text, "\npolicy ") != NULL);
    // A child begins at 0.
    wait_exit(IN_CHILD({
                  CHECK(sscanf(proc_read("/proc/self/schedstat"), "%lu", &before) == 1 && before < after);
                  CHECK(proc_number(proc_read("/proc/self/status"), "voluntary_ctxt_switches") < 3);
              }),
              0);
}

ROWS(limits_and_io, "S6,F12,P9") {
    struct rlimit limit = {1000, 2000};
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    char* text = proc_read("/proc/self/limits");
    CHECK(text != NULL && strncmp(text, "Limit                     Soft Limit           Hard Limit           Units     \n", 79) == 0);
    const char* line = strstr(text, "Max open files            1000                 2000                 files     \n");
    CHECK(line != NULL);
    CHECK(strstr(text, "Max nice priority") != NULL);
    const int zero = open("/dev/zero", O_RDONLY);
    char bytes[1000];
    text = proc_read("/proc/self/io");
    CHECK(text != NULL);
    const long rchar = proc_number(text, "rchar"), syscr = proc_number(text, "syscr");
    for (int i = 0; i < 10; ++i) CHECK(read(zero, bytes, sizeof(bytes)) == sizeof(bytes));
    text = proc_read("/proc/self/io");
    CHECK(proc_number(text, "rchar") >= rchar + 10000 && proc_number(text, "syscr") >= syscr + 10);
    wait_exit(IN_CHILD({ CHECK(proc_number(proc_read("/proc/self/io"), "rchar") < 10000); }), 0);
}

ROWS(oom_score, "S6") {
    const int fd = open("/proc/self/oom_score_adj", O_RDWR);
    char text[16] = "";
    CHECK(fd >= 0 && write(fd, "500\n", 4) == 4);
    CHECK(pread(fd, text, sizeof(text) - 1, 0) > 0 && strcmp(text, "500\n") == 0);
    CHECK_ERROR(write(fd, "1001", 4), EINVAL);
    CHECK_ERROR(write(fd, "x", 1), EINVAL);
    wait_exit(IN_CHILD({ CHECK(strcmp(proc_read("/proc/self/oom_score_adj"), "500\n") == 0); }), 0);
    CHECK(strtol(proc_read("/proc/self/oom_score"), NULL, 10) >= 0);
}

// Reading in pieces gives the same as reading at once; from the beginning, it is made anew.
ROWS(reading_in_pieces, "S6") {
    char whole[4096] = "", pieces[4096] = "";
    const int fd = open("/proc/self/limits", O_RDONLY);
    CHECK(fd >= 0);
    const ssize_t length = read(fd, whole, sizeof(whole) - 1);
    CHECK(length > 100 && lseek(fd, 0, SEEK_SET) == 0);
    ssize_t got = 0;
    for (ssize_t part; (part = read(fd, pieces + got, 7)) > 0;) got += part;
    CHECK(got == length && strcmp(whole, pieces) == 0);
    CHECK(pread(fd, pieces, 10, 20) == 10 && memcmp(pieces, whole + 20, 10) == 0);
    CHECK_ERROR(lseek(fd, 0, SEEK_END), EINVAL);
    CHECK_ERROR(write(fd, "x", 1), EBADF);
    struct stat status;
    CHECK(fstat(fd, &status) == 0 && status.st_size == 0 && S_ISREG(status.st_mode));
    const int name = open("/proc/self/comm", O_RDWR);
    char text[20] = "";
    CHECK(read(name, text, sizeof(text)) == 10 && prctl(PR_SET_NAME, "other") == 0);
    CHECK(pread(name, text, sizeof(text), 0) == 6 && memcmp(text, "other\n", 6) == 0);
}

GUEST_ROWS(what_linux_does_not_show, "S6,V1") {
    char* text = proc_read("/proc/self/forkscope");
    CHECK(text != NULL && strstr(text, "page_table_root 0x") != NULL && strstr(text, "kernel_stack 0xffff") != NULL);
    CHECK(strstr(text, "rip ") != NULL && strstr(text, "last_result ") != NULL);
    char root[64];
    CHECK(sscanf(strstr(text, "page_table_root "), "page_table_root %63s", root) == 1);
    // A vfork child runs on its parent's tables, a fork child on its own.
    wait_exit(IN_CHILD({ CHECK(strstr(proc_read("/proc/self/forkscope"), root) == NULL); }), 0);
    const pid_t pid = vfork();
    if (pid == 0) _exit(strstr(proc_read("/proc/self/forkscope"), root) != NULL ? 0 : 1);
    wait_exit(pid, 0);
    char* page = map_pages(1, MAP_PRIVATE);
    page[0] = 1;
    text = proc_read("/proc/self/status");
    const long copies = proc_number(text, "cow_copies"), reuses = proc_number(text, "cow_reuses");
    wait_exit(IN_CHILD(page[0] = 2), 0);
    page[0] = 3;
    text = proc_read("/proc/self/status");
    CHECK(proc_number(text, "cow_copies") + proc_number(text, "cow_reuses") > copies + reuses);
}
