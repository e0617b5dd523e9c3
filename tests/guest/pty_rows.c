// Pseudo-terminals (man 7 pty, man 2 ioctl_tty): both ends, their names, hanging up, packet mode.
#include "tty_rows.h"

static long proc_number(const char* name) {
    char text[32] = "";
    const int fd = open(name, O_RDONLY);
    CHECK(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
    close(fd);
    return strtol(text, NULL, 10);
}

static void only_master(int* master, char* name) {
    *master = open("/dev/ptmx", O_RDWR | O_NOCTTY);
    CHECK(*master >= 0);
    unsigned number = 99;
    CHECK(ioctl(*master, TIOCGPTN, &number) == 0);
    sprintf(name, "/dev/pts/%u", number);
}

ROWS(a_pair_has_a_name, "F12") {
    int master;
    char name[32];
    only_master(&master, name);
    struct stat node;
    CHECK(stat(name, &node) == 0 && S_ISCHR(node.st_mode) && node.st_uid == geteuid());
    CHECK(node.st_rdev >> 8 == 136 && (int)(node.st_rdev & 0xff) == atoi(name + 9));
    CHECK((int)node.st_ino == atoi(name + 9) + 3);
    int locked = -1;
    CHECK(ioctl(master, TIOCGPTLCK, &locked) == 0 && locked == 1);
    CHECK_ERROR(open(name, O_RDWR | O_NOCTTY), EIO);
    CHECK_ERROR(ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY), EIO);
    locked = 0;
    CHECK(ioctl(master, TIOCSPTLCK, &locked) == 0);
    const int slave = open(name, O_RDWR | O_NOCTTY);
    CHECK(slave >= 0 && isatty(slave) && isatty(master));
    char text[64];
    CHECK(ttyname_r(slave, text, sizeof(text)) == 0 && strcmp(text, name) == 0);
    CHECK_ERROR(lseek(master, 0, SEEK_SET), ESPIPE);
    CHECK_ERROR(ioctl(slave, TIOCGPTN, &locked), ENOTTY);
    const int peer = ioctl(master, TIOCGPTPEER, O_RDWR | O_NOCTTY | O_CLOEXEC);
    CHECK(peer >= 0 && fcntl(peer, F_GETFD) == FD_CLOEXEC);
    struct stat again;
    CHECK(fstat(peer, &again) == 0 && again.st_ino == node.st_ino && again.st_dev == node.st_dev);
    // The number is free again once all of it is closed, and the name goes at once.
    close(slave), close(peer), close(master);
    CHECK_ERROR(stat(name, &node), ENOENT);
    only_master(&master, text);
    CHECK(strcmp(text, name) == 0);
    int second;
    only_master(&second, text);
    CHECK(strcmp(text, name) != 0);
    CHECK(proc_number("/proc/sys/kernel/pty/nr") >= 2);
    CHECK(proc_number("/proc/sys/kernel/pty/max") >= proc_number("/proc/sys/kernel/pty/nr"));
}

ROWS(what_one_end_writes_the_other_reads, "F12") {
    struct pty pty = open_pty();
    char text[64];
    CHECK(write(pty.slave, "to\tyou\n", 7) == 7 && reads(pty.master, "to\tyou\r\n"));
    // Typing: echo, editing, and a line at a time.
    CHECK(write(pty.master, "abx\177c\nmore", 10) == 10 && reads(pty.slave, "abc\n"));
    CHECK(reads(pty.master, "abx\b \bc\r\nmore"));
    CHECK(write(pty.master, "\004", 1) == 1 && reads(pty.slave, "more"));
    CHECK(write(pty.master, "\004", 1) == 1 && read(pty.slave, text, 9) == 0);
    // Settings are the slave's, from whichever end.
    struct termios mode;
    CHECK(tcgetattr(pty.master, &mode) == 0 && (mode.c_lflag & ICANON) != 0 && cfgetospeed(&mode) == B38400);
    cfmakeraw(&mode);
    CHECK(tcsetattr(pty.master, TCSANOW, &mode) == 0);
    CHECK(tcgetattr(pty.slave, &mode) == 0 && (mode.c_lflag & (ICANON | ECHO)) == 0);
    CHECK(write(pty.master, "\003\004\r", 3) == 3 && reads(pty.slave, "\003\004\r"));
    CHECK(write(pty.slave, "\n\n", 2) == 2 && reads(pty.master, "\n\n"));
    // What is thrown away is not read.
    CHECK(write(pty.master, "gone", 4) == 4 && has_input(pty.slave) && tcflush(pty.slave, TCIFLUSH) == 0);
    CHECK(write(pty.slave, "gone", 4) == 4 && has_input(pty.master) && tcflush(pty.master, TCIFLUSH) == 0);
    fcntl(pty.master, F_SETFL, O_RDWR | O_NONBLOCK), fcntl(pty.slave, F_SETFL, O_RDWR | O_NONBLOCK);
    CHECK_ERROR(read(pty.slave, text, 9), EAGAIN);
    CHECK_ERROR(read(pty.master, text, 9), EAGAIN);
    CHECK(write(pty.master, "gone", 4) == 4 && has_input(pty.slave));
    CHECK(tcsetattr(pty.slave, TCSAFLUSH, &mode) == 0);
    CHECK_ERROR(read(pty.slave, text, 9), EAGAIN);
}

ROWS(a_full_pair_makes_writers_wait, "F12") {
    struct pty pty = open_pty();
    make_raw(pty.slave);
    fcntl(pty.slave, F_SETFL, O_RDWR | O_NONBLOCK);
    static char bytes[32768];
    for (size_t i = 0; i < sizeof(bytes); ++i) bytes[i] = (char)('a' + i % 26);
    const ssize_t room = write(pty.slave, bytes, sizeof(bytes));
    CHECK(room >= 4096 && room < (ssize_t)sizeof(bytes));
    CHECK_ERROR(write(pty.slave, bytes, 4096), EAGAIN);
    CHECK((events_of(pty.slave) & POLLOUT) == 0 && (events_of(pty.master) & POLLIN) != 0);
    fcntl(pty.slave, F_SETFL, O_RDWR);
    // The rest, by a writer that waits; nothing is lost or comes twice.
    const pid_t writer = IN_CHILD({
        close(pty.master);
        CHECK(write(pty.slave, bytes + room, sizeof(bytes) - (size_t)room) == (ssize_t)sizeof(bytes) - room);
    });
    for (size_t got = 0; got < sizeof(bytes);) {
        char part[1000];
        const ssize_t n = read(pty.master, part, sizeof(part));
        CHECK(n > 0 && memcmp(part, bytes + got, (size_t)n) == 0);
        got += (size_t)n;
    }
    wait_exit(writer, 0);
    // The other way, raw: the reader's buffer is full.
    fcntl(pty.master, F_SETFL, O_RDWR | O_NONBLOCK);
    const ssize_t typed = write(pty.master, bytes, sizeof(bytes));
    CHECK(typed >= 4095 && typed < (ssize_t)sizeof(bytes));
    fcntl(pty.master, F_SETFL, O_RDWR);
    const pid_t typist = IN_CHILD({ CHECK(write(pty.master, bytes + typed, 10000) == 10000); });
    for (ssize_t got = 0; got < typed + 10000;) {
        char part[1000];
        const ssize_t n = read(pty.slave, part, sizeof(part));
        CHECK(n > 0 && memcmp(part, bytes + got, (size_t)n) == 0);
        got += n;
    }
    wait_exit(typist, 0);
}

ROWS(closing_the_slave_is_told_to_the_master, "F12") {
    int master;
    char name[32], text[32];
    only_master(&master, name);
    int locked = 0;
    CHECK(ioctl(master, TIOCSPTLCK, &locked) == 0);
    fcntl(master, F_SETFL, O_RDWR | O_NONBLOCK);
    // Before anybody opens it there is nothing wrong; what is typed waits.
    CHECK_ERROR(read(master, text, 9), EAGAIN);
    CHECK(events_of(master) == POLLOUT && write(master, "early\n", 6) == 6);
    int slave = open(name, O_RDWR | O_NOCTTY);
    CHECK(slave >= 0 && reads(slave, "early\n") && reads(master, "early\r\n"));
    CHECK(write(slave, "last", 4) == 4);
    close(slave);
    CHECK((events_of(master) & (POLLIN | POLLHUP)) == (POLLIN | POLLHUP));
    CHECK(reads(master, "last"));
    CHECK_ERROR(read(master, text, 9), EIO);
    CHECK((events_of(master) & (POLLIN | POLLHUP)) == POLLHUP);
    slave = open(name, O_RDWR | O_NOCTTY);
    CHECK(slave >= 0 && events_of(master) == POLLOUT);
    CHECK_ERROR(read(master, text, 9), EAGAIN);
    // A reader that waits learns of it.
    fcntl(master, F_SETFL, O_RDWR);
    const pid_t reader = IN_CHILD({
        close(slave);
        CHECK_ERROR(read(master, text, 9), EIO);
    });
    until_asleep(reader);
    close(slave);
    wait_exit(reader, 0);
}

ROWS(closing_the_master_hangs_up, "F12") {
    struct pty pty = open_pty();
    const pid_t reader = IN_CHILD({
        char byte;
        close(pty.master);
        CHECK_ERROR(read(pty.slave, &byte, 1), EIO);
        CHECK(read(pty.slave, &byte, 1) == 0);
    });
    until_asleep(reader);
    CHECK(write(pty.master, "unfinished", 10) == 10);
    close(pty.master);
    wait_exit(reader, 0);
    char text[64], link[64];
    CHECK(read(pty.slave, text, 9) == 0);
    CHECK_ERROR(write(pty.slave, "a", 1), EIO);
    CHECK(events_of(pty.slave) == (POLLIN | POLLOUT | POLLERR | POLLHUP));
    struct termios mode;
    CHECK_ERROR(tcgetattr(pty.slave, &mode), EIO);
    CHECK_ERROR(tcsetpgrp(pty.slave, getpgrp()), ENOTTY);
    CHECK_ERROR(open(pty.name, O_RDWR | O_NOCTTY), ENOENT);
    snprintf(link, sizeof(link), "/proc/self/fd/%d", pty.slave);
    const ssize_t length = readlink(link, text, sizeof(text) - 1);
    CHECK(length > 0);
    text[length] = '\0';
    CHECK(strncmp(text, pty.name, strlen(pty.name)) == 0 && strstr(text, " (deleted)") != NULL);
    // A path to the descriptor does not bring it back.
    CHECK_ERROR(open(link, O_RDWR | O_NOCTTY), EIO);
}

ROWS(packet_mode_tells_what_happens, "F12") {
    struct pty pty = open_pty();
    fcntl(pty.master, F_SETFL, O_RDWR | O_NONBLOCK);
    int on = 1;
    CHECK(ioctl(pty.master, TIOCPKT, &on) == 0);
    on = 0;
    CHECK(ioctl(pty.master, TIOCGPKT, &on) == 0 && on == 1);
    char text[16];
    CHECK_ERROR(read(pty.master, text, 9), EAGAIN);
    CHECK(write(pty.slave, "hey", 3) == 3);
    CHECK(read(pty.master, text, 2) == 2 && text[0] == TIOCPKT_DATA && text[1] == 'h');
    CHECK(read(pty.master, text, 9) == 3 && text[0] == TIOCPKT_DATA && text[2] == 'y');
    struct {
        int action, status;
    } steps[] = {{TCIFLUSH, TIOCPKT_FLUSHREAD}, {TCOFLUSH, TIOCPKT_FLUSHWRITE},
                 {TCIOFLUSH, TIOCPKT_FLUSHREAD | TIOCPKT_FLUSHWRITE}};
    for (int i = 0; i < 3; ++i) {
        CHECK(tcflush(pty.slave, steps[i].action) == 0);
        CHECK((events_of(pty.master) & (POLLIN | POLLPRI)) == (POLLIN | POLLPRI));
        CHECK(read(pty.master, text, 9) == 1 && text[0] == steps[i].status);
        CHECK((events_of(pty.master) & (POLLIN | POLLPRI)) == 0);
    }
    CHECK(tcflow(pty.slave, TCOOFF) == 0 && read(pty.master, text, 9) == 1 && text[0] == TIOCPKT_STOP);
    CHECK(tcflow(pty.slave, TCOON) == 0 && read(pty.master, text, 9) == 1 && text[0] == TIOCPKT_START);
    struct termios mode;
    CHECK(tcgetattr(pty.slave, &mode) == 0);
    mode.c_iflag &= ~(tcflag_t)IXON;
    CHECK(tcsetattr(pty.slave, TCSANOW, &mode) == 0);
    CHECK(read(pty.master, text, 9) == 1 && text[0] == TIOCPKT_NOSTOP);
    mode.c_iflag |= IXON;
    CHECK(tcsetattr(pty.slave, TCSANOW, &mode) == 0);
    CHECK(read(pty.master, text, 9) == 1 && text[0] == TIOCPKT_DOSTOP);
    on = 0;
    CHECK(ioctl(pty.master, TIOCPKT, &on) == 0);
    CHECK(write(pty.slave, "x", 1) == 1 && read(pty.master, text, 9) == 1 && text[0] == 'x');
}

ROWS(stopped_output_waits, "F12") {
    struct pty pty = open_pty();
    fcntl(pty.slave, F_SETFL, O_RDWR | O_NONBLOCK);
    CHECK(write(pty.master, "\023", 1) == 1);  // ^S
    while ((events_of(pty.slave) & POLLOUT) != 0) sched_yield();
    CHECK_ERROR(write(pty.slave, "a", 1), EAGAIN);
    fcntl(pty.slave, F_SETFL, O_RDWR);
    const pid_t writer = IN_CHILD({ CHECK(write(pty.slave, "later", 5) == 5); });
    until_asleep(writer);
    CHECK(write(pty.master, "\021", 1) == 1);  // ^Q
    CHECK(reads(pty.master, "later"));
    wait_exit(writer, 0);
}

ROWS(each_devpts_has_its_own_numbers, "F12") {
    CHECK(unshare(CLONE_NEWNS) == 0 && mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
    const char* where = scratch_directory();
    CHECK(mount("devpts", where, "devpts", MS_NOSUID, "mode=620,gid=5,ptmxmode=666") == 0);
    int first;
    char name[128], text[64];
    only_master(&first, name);
    struct stat node;
    snprintf(name, sizeof(name), "%s/ptmx", where);
    CHECK(stat(name, &node) == 0 && node.st_mode == (S_IFCHR | 0666) && node.st_rdev == 0x502 && node.st_ino == 2);
    const int master = open(name, O_RDWR | O_NOCTTY);
    unsigned number = 99;
    CHECK(master >= 0 && ioctl(master, TIOCGPTN, &number) == 0 && number == 0);
    snprintf(name, sizeof(name), "%s/0", where);
    CHECK(stat(name, &node) == 0 && node.st_mode == (S_IFCHR | 0620) && node.st_gid == 5);
    int locked = 0;
    CHECK(ioctl(master, TIOCSPTLCK, &locked) == 0);
    const int slave = open(name, O_RDWR | O_NOCTTY);
    CHECK(slave >= 0 && write(slave, "here", 4) == 4 && reads(master, "here"));
    // Nothing can be made or removed there by hand.
    CHECK_ERROR(unlink(name), EPERM);
    snprintf(name, sizeof(name), "%s/made", where);
    CHECK_ERROR(mkdir(name, 0755), EPERM);
    CHECK_ERROR(open(name, O_CREAT | O_RDWR, 0600), EACCES);
    struct statfs fs;
    CHECK(statfs(where, &fs) == 0 && fs.f_type == 0x1cd1);
    CHECK_ERROR(mount("devpts", "/dev/pts", "devpts", 0, "nosuch=1"), EINVAL);
    // Both ends go on when the file system is gone.
    CHECK_ERROR(umount(where), EBUSY);
    CHECK(umount2(where, MNT_DETACH) == 0);
    CHECK(write(slave, "still", 5) == 5 && reads(master, "still"));
    close(master);
    CHECK(read(slave, text, 9) == 0);
}

GUEST_ROWS(pairs_leave_nothing_behind, "W10") {
    for (int round = 0; round < 2; ++round) {
        if (round == 1) count_kernel();
        struct pty pty = open_pty();
        wait_exit(IN_CHILD({
                      CHECK(setsid() > 0 && ioctl(pty.slave, TIOCSCTTY, 0) == 0);
                      signal(SIGHUP, SIG_IGN);
                      close(pty.master);
                      CHECK(write(pty.slave, "x", 1) == 1);
                  }),
                  0);
        close(pty.master);
        close(pty.slave);
    }
    expect_counts("a session on a pair");
}
