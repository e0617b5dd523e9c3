// Terminals and sessions (man 4 tty, man 2 ioctl_tty): whose terminal it is, who may use it, who is told.
#include "tty_rows.h"

static volatile sig_atomic_t seen[65];
static void note(int sig) { ++seen[sig]; }
static void note_signal(int sig) {
    struct sigaction action = {.sa_handler = note};
    CHECK(sigaction(sig, &action, NULL) == 0);
}

// Runs body as the leader of a new session; it has to exit with 0.
#define IN_SESSION(...) \
    wait_exit(IN_CHILD({ CHECK(setsid() == getpid()); __VA_ARGS__; }), 0)

ROWS(opening_gives_a_leader_his_terminal, "F12") {
    struct pty pty = open_pty();
    IN_SESSION({
        CHECK_ERROR(open("/dev/tty", O_RDWR), ENXIO);
        CHECK(open(pty.name, O_WRONLY) >= 0);  // who cannot read it does not get it
        CHECK_ERROR(open("/dev/tty", O_RDWR), ENXIO);
        CHECK(open(pty.name, O_RDWR | O_NOCTTY) >= 0);
        CHECK_ERROR(tcgetpgrp(pty.slave), ENOTTY);
        CHECK(ioctl(pty.master, TIOCGSID, &(int){0}) == -1 && errno == ENOTTY);
        CHECK(open(pty.name, O_RDWR) >= 0);
        const int terminal = open("/dev/tty", O_RDWR);
        CHECK(terminal >= 0 && tcgetsid(terminal) == getpid() && tcgetpgrp(pty.slave) == getpid());
        struct stat tty, slave;
        CHECK(fstat(terminal, &tty) == 0 && tty.st_rdev == 0x500);
        CHECK(fstat(pty.slave, &slave) == 0);
        // The master may ask, and is asked about the slave.
        int group = 0, session = 0;
        CHECK(ioctl(pty.master, TIOCGPGRP, &group) == 0 && group == getpid());
        CHECK(ioctl(pty.master, TIOCGSID, &session) == 0 && session == getpid());
        CHECK(write(terminal, "mine", 4) == 4 && reads(pty.master, "mine"));
        wait_exit(IN_CHILD({
                      CHECK(open("/dev/tty", O_RDWR) >= 0);
                      CHECK(setsid() > 0);
                      CHECK_ERROR(open("/dev/tty", O_RDWR), ENXIO);
                      // It has a session already: only the privileged can take it away.
                      CHECK_ERROR(ioctl(pty.slave, TIOCSCTTY, 0), EPERM);
                  }),
                  0);
    });
}

ROWS(giving_the_terminal_up, "F12") {
    struct pty pty = open_pty();
    IN_SESSION({
        CHECK_ERROR(ioctl(pty.slave, TIOCNOTTY), ENOTTY);
        CHECK(ioctl(pty.slave, TIOCSCTTY, 0) == 0 && ioctl(pty.slave, TIOCSCTTY, 0) == 0);
        wait_exit(IN_CHILD({
                      CHECK(ioctl(pty.slave, TIOCNOTTY) == 0);
                      CHECK_ERROR(open("/dev/tty", O_RDWR), ENXIO);
                  }),
                  0);
        CHECK(open("/dev/tty", O_RDWR) >= 0);
        note_signal(SIGHUP), note_signal(SIGCONT);
        CHECK(ioctl(pty.slave, TIOCNOTTY) == 0);
        CHECK(seen[SIGHUP] == 1 && seen[SIGCONT] == 1);
        CHECK_ERROR(open("/dev/tty", O_RDWR), ENXIO);
        CHECK_ERROR(tcgetpgrp(pty.slave), ENOTTY);
        CHECK(write(pty.slave, "open", 4) == 4 && reads(pty.master, "open"));
        CHECK(ioctl(pty.slave, TIOCSCTTY, 0) == 0);
    });
}

ROWS(keys_signal_the_foreground, "F12") {
    struct pty pty = open_pty();
    IN_SESSION({
        CHECK(ioctl(pty.slave, TIOCSCTTY, 0) == 0);
        sigset_t keys;
        sigemptyset(&keys), sigaddset(&keys, SIGINT), sigaddset(&keys, SIGQUIT), sigaddset(&keys, SIGTSTP);
        sigaddset(&keys, SIGWINCH);
        CHECK(sigprocmask(SIG_BLOCK, &keys, NULL) == 0);
        const struct timespec soon = {20, 0};
        // A key that signals throws away what is still on its way to the master: each echo is read before the next key.
        CHECK(write(pty.master, "\003", 1) == 1 && sigtimedwait(&keys, NULL, &soon) == SIGINT);
        CHECK(reads(pty.master, "^C"));
        CHECK(write(pty.master, "\034", 1) == 1 && sigtimedwait(&keys, NULL, &soon) == SIGQUIT);
        CHECK(reads(pty.master, "^\\"));
        CHECK(write(pty.master, "\032", 1) == 1 && sigtimedwait(&keys, NULL, &soon) == SIGTSTP);
        CHECK(reads(pty.master, "^Z"));
        CHECK(ioctl(pty.master, TIOCSIG, SIGINT) == 0 && sigtimedwait(&keys, NULL, &soon) == SIGINT);
        CHECK_ERROR(ioctl(pty.master, TIOCSIG, SIGUSR1), EINVAL);
        // The size, from either end; only a change is told.
        struct winsize size = {30, 100, 0, 0};
        CHECK(ioctl(pty.master, TIOCSWINSZ, &size) == 0 && sigtimedwait(&keys, NULL, &soon) == SIGWINCH);
        CHECK(ioctl(pty.master, TIOCSWINSZ, &size) == 0);
        const struct timespec now = {0, 0};
        CHECK_ERROR(sigtimedwait(&keys, NULL, &now), EAGAIN);
        memset(&size, 0, sizeof(size));
        CHECK(ioctl(pty.slave, TIOCGWINSZ, &size) == 0 && size.ws_row == 30 && size.ws_col == 100);
        size.ws_row = 31;
        CHECK(ioctl(pty.slave, TIOCSWINSZ, &size) == 0 && sigtimedwait(&keys, NULL, &soon) == SIGWINCH);
        // A group that is not in the foreground hears nothing.
        const pid_t other = IN_CHILD({
            CHECK(setpgid(0, 0) == 0);
            note_signal(SIGINT);
            sigprocmask(SIG_UNBLOCK, &keys, NULL);
            raise(SIGSTOP);
            CHECK(seen[SIGINT] == 0);
        });
        int status;
        CHECK(waitpid(other, &status, WUNTRACED) == other && WIFSTOPPED(status));
        CHECK(write(pty.master, "\003", 1) == 1 && sigtimedwait(&keys, NULL, &soon) == SIGINT);
        kill(other, SIGCONT);
        wait_exit(other, 0);
    });
}

ROWS(the_background_is_stopped, "F12") {
    struct pty pty = open_pty();
    IN_SESSION({
        CHECK(ioctl(pty.slave, TIOCSCTTY, 0) == 0);
        const pid_t reader = IN_CHILD({
            CHECK(setpgid(0, 0) == 0);
            CHECK(reads(pty.slave, "line\n"));
        });
        CHECK(write(pty.master, "line\n", 5) == 5);
        int status;
        CHECK(waitpid(reader, &status, WUNTRACED) == reader && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTIN);
        CHECK(tcsetpgrp(pty.slave, reader) == 0 && tcgetpgrp(pty.slave) == reader);
        kill(reader, SIGCONT);
        wait_exit(reader, 0);
        // Now we are in the background.
        signal(SIGTTOU, SIG_IGN);
        CHECK_ERROR(tcsetpgrp(pty.slave, getpgrp() + 100000), ESRCH);
        CHECK(tcsetpgrp(pty.slave, getpgrp()) == 0);
        signal(SIGTTOU, SIG_DFL);
        struct termios mode;
        CHECK(tcgetattr(pty.slave, &mode) == 0);
        const pid_t writer = IN_CHILD({
            CHECK(setpgid(0, 0) == 0);
            CHECK(write(pty.slave, "may", 3) == 3);
            mode.c_lflag |= TOSTOP;
            CHECK(tcsetattr(pty.slave, TCSANOW, &mode) == 0);
        });
        CHECK(waitpid(writer, &status, WUNTRACED) == writer && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTOU);
        signal(SIGTTOU, SIG_IGN);
        CHECK(tcsetpgrp(pty.slave, writer) == 0);
        kill(writer, SIGCONT);
        wait_exit(writer, 0);
        // With TOSTOP, writing is stopped as well.
        CHECK(tcsetpgrp(pty.slave, getpgrp()) == 0);
        const pid_t stopped = IN_CHILD({
            signal(SIGTTOU, SIG_DFL);
            CHECK(setpgid(0, 0) == 0 && write(pty.slave, "not", 3) == 3);
        });
        CHECK(waitpid(stopped, &status, WUNTRACED) == stopped && WIFSTOPPED(status) && WSTOPSIG(status) == SIGTTOU);
        kill(stopped, SIGKILL);
        wait_status(stopped);
        CHECK(reads(pty.master, "line\r\nmay"));
    });
}

ROWS(an_orphaned_group_gets_an_error, "F12") {
    struct pty pty = open_pty();
    int report[2];
    CHECK(pipe(report) == 0);
    IN_SESSION({
        CHECK(ioctl(pty.slave, TIOCSCTTY, 0) == 0);
        // Its parent is gone: nobody in the session could continue it.
        wait_exit(IN_CHILD({
                      const pid_t parent = getpid();
                      if (fork() == 0) {
                          CHECK(setpgid(0, 0) == 0);
                          while (getppid() == parent) sched_yield();
                          char byte;
                          const ssize_t n = read(pty.slave, &byte, 1);
                          const char answer = n == -1 && errno == EIO ? 'y' : 'n';
                          CHECK(write(report[1], &answer, 1) == 1);
                          _exit(0);
                      }
                  }),
                  0);
        char answer = '?';
        CHECK(read(report[0], &answer, 1) == 1 && answer == 'y');
    });
}

ROWS(a_hang_up_is_told_to_the_leader, "F12") {
    struct pty pty = open_pty();
    int gate[2];
    CHECK(pipe(gate) == 0);
    const pid_t leader = IN_CHILD({
        CHECK(setsid() == getpid() && ioctl(pty.slave, TIOCSCTTY, 0) == 0);
        close(pty.master);
        sigset_t wanted;
        sigemptyset(&wanted), sigaddset(&wanted, SIGHUP);
        CHECK(sigprocmask(SIG_BLOCK, &wanted, NULL) == 0);
        note_signal(SIGCONT);
        // Another group in the foreground is told when the leader ends.
        int started[2];
        CHECK(pipe(started) == 0);
        const pid_t foreground = IN_CHILD({
            CHECK(setpgid(0, 0) == 0 && write(started[1], "s", 1) == 1);
            const struct timespec soon = {20, 0};
            siginfo_t info;
            CHECK(sigtimedwait(&wanted, &info, &soon) == SIGHUP);
            CHECK(write(gate[1], "f", 1) == 1);
        });
        char byte;
        CHECK(read(started[0], &byte, 1) == 1);
        signal(SIGTTOU, SIG_IGN);
        CHECK(tcsetpgrp(pty.slave, foreground) == 0);
        CHECK(write(gate[1], "r", 1) == 1);
        siginfo_t info;
        const struct timespec soon = {20, 0};
        CHECK(sigtimedwait(&wanted, &info, &soon) == SIGHUP && seen[SIGCONT] == 1);
        CHECK_ERROR(open("/dev/tty", O_RDWR), ENXIO);
    });
    char byte = 0;
    CHECK(read(gate[0], &byte, 1) == 1 && byte == 'r');
    close(pty.master);
    wait_exit(leader, 0);
    CHECK(read(gate[0], &byte, 1) == 1 && byte == 'f');
}

ROWS(the_end_of_the_leader_is_told_to_the_foreground, "F12") {
    struct pty pty = open_pty();
    int gate[2];
    CHECK(pipe(gate) == 0);
    IN_SESSION({
        CHECK(ioctl(pty.slave, TIOCSCTTY, 0) == 0);
        sigset_t wanted;
        sigemptyset(&wanted), sigaddset(&wanted, SIGHUP);
        CHECK(sigprocmask(SIG_BLOCK, &wanted, NULL) == 0);
        if (fork() == 0) {
            const struct timespec soon = {20, 0};
            siginfo_t info;
            CHECK(sigtimedwait(&wanted, &info, &soon) == SIGHUP);
            // The session has lost its terminal; a pseudo-terminal can be used all the same.
            while (ioctl(pty.slave, TIOCGPGRP, &(int){0}) == 0) sched_yield();
            CHECK_ERROR(open("/dev/tty", O_RDWR), ENXIO);
            CHECK(write(pty.slave, "end", 3) == 3);
            _exit(0);
        }
    });
    CHECK(reads(pty.master, "end"));
}

ROWS(a_terminal_needs_no_descriptor, "F12") {
    struct pty pty = open_pty();
    int report[2];
    CHECK(pipe(report) == 0);
    const pid_t leader = IN_CHILD({
        CHECK(setsid() == getpid() && ioctl(pty.slave, TIOCSCTTY, 0) == 0);
        close(pty.slave);
        char byte;
        CHECK(read(report[0], &byte, 1) == 1);
        const int terminal = open("/dev/tty", O_RDWR);
        CHECK(terminal >= 0 && write(terminal, "again", 5) == 5);
    });
    close(pty.slave);
    CHECK(write(report[1], "c", 1) == 1);
    wait_exit(leader, 0);
    CHECK(reads(pty.master, "again"));
}

ROWS(characters_can_be_simulated, "F12") {
    struct pty pty = open_pty();
    make_raw(pty.slave);
    CHECK(ioctl(pty.slave, TIOCSTI, "z") == 0 && reads(pty.slave, "z"));
    wait_exit(IN_CHILD({
                  CHECK(setuid(1000) == 0);
                  CHECK_ERROR(ioctl(pty.slave, TIOCSTI, "z"), EPERM);
              }),
              0);
}

ROWS(an_exclusive_terminal, "F12") {
    struct pty pty = open_pty();
    CHECK(chmod(pty.name, 0666) == 0 && ioctl(pty.slave, TIOCEXCL) == 0);
    int on = 0;
    CHECK(ioctl(pty.slave, TIOCGEXCL, &on) == 0 && on == 1);
    CHECK(open(pty.name, O_RDWR | O_NOCTTY) >= 0);
    wait_exit(IN_CHILD({
                  CHECK(setuid(1000) == 0);
                  CHECK_ERROR(open(pty.name, O_RDWR | O_NOCTTY), EBUSY);
                  CHECK(ioctl(pty.slave, TIOCNXCL) == 0 && open(pty.name, O_RDWR | O_NOCTTY) >= 0);
              }),
              0);
}

ROWS(small_requests, "F12") {
    struct pty pty = open_pty();
    int value = -1;
    CHECK(ioctl(pty.slave, TIOCGETD, &value) == 0 && value == 0 && ioctl(pty.slave, TIOCSETD, &value) == 0);
    CHECK(ioctl(pty.slave, TIOCOUTQ, &value) == 0 && value == 0);
    CHECK(tcdrain(pty.slave) == 0 && tcsendbreak(pty.slave, 0) == 0 && ioctl(pty.slave, TIOCSBRK) == 0);
    CHECK_ERROR(ioctl(pty.slave, TIOCMGET, &value), ENOTTY);
    CHECK_ERROR(ioctl(pty.slave, 0x5555, &value), ENOTTY);
    CHECK_ERROR(tcflush(pty.slave, 3), EINVAL);
    CHECK_ERROR(ioctl(pty.slave, TIOCGWINSZ, NULL), EFAULT);
    CHECK(write(pty.master, "five\n", 5) == 5 && has_input(pty.slave));
    CHECK(ioctl(pty.slave, FIONREAD, &value) == 0 && value == 5);
}

ROWS(vhangup_ends_a_terminal, "F12") {
    struct pty pty = open_pty();
    IN_SESSION({
        CHECK(ioctl(pty.slave, TIOCSCTTY, 0) == 0);
        signal(SIGHUP, SIG_IGN);
        CHECK(vhangup() == 0);
        char byte;
        CHECK(read(pty.slave, &byte, 1) == 0);
        CHECK_ERROR(write(pty.slave, "a", 1), EIO);
        CHECK_ERROR(open("/dev/tty", O_RDWR), ENXIO);
        // It can be opened anew.
        const int again = open(pty.name, O_RDWR);
        CHECK(again >= 0 && write(again, "new", 3) == 3 && reads(pty.master, "new"));
        CHECK(tcgetpgrp(again) == getpid());
        CHECK(setuid(1000) == 0);
        CHECK_ERROR(vhangup(), EPERM);
    });
}
