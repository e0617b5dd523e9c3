// /proc/<pid>/stat, status and their like: what task_struct holds, compared with what the system calls tell (section 6,
// and the rows of other sections that can be seen there).
#include "proc_text.h"

#include <sys/prctl.h>
#include <sys/stat.h>

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
