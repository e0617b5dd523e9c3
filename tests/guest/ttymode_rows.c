// The settings of a terminal in all their forms, and what less usual ones do to characters (man 3 termios, man 2
// ioctl_tty).
#include "tty_rows.h"

// <asm/termbits.h> has other structures of the same names.
struct new_termios {
    unsigned flags[4];
    unsigned char line, cc[19];
    unsigned ispeed, ospeed;
};
struct old_termio {
    unsigned short flags[4];
    unsigned char line, cc[8];
};
enum { kTcGetA = 0x5405, kTcSetA, kTcSetAW, kTcSetAF, kGetSoftCar = 0x5419, kSetSoftCar };
#define kTcGets2 0x802C542A
#define kTcSets2 0x402C542B
#define kTcSetsF2 0x402C542D
enum { kCBaud = 010017, kBOther = 010000, kB115200 = 010002, kOLcUc = 02, kIUclc = 01000 };

ROWS(settings_with_speeds, "F12") {
    struct pty pty = open_pty();
    struct termios usual;
    struct new_termios mode;
    CHECK(tcgetattr(pty.slave, &usual) == 0 && ioctl(pty.slave, kTcGets2, &mode) == 0);
    CHECK(mode.flags[0] == usual.c_iflag && mode.flags[1] == usual.c_oflag && mode.flags[2] == usual.c_cflag &&
          mode.flags[3] == usual.c_lflag && memcmp(mode.cc, usual.c_cc, sizeof(mode.cc)) == 0);
    CHECK(mode.ispeed == 38400 && mode.ospeed == 38400);
    mode.flags[2] = (mode.flags[2] & ~(unsigned)kCBaud) | kBOther;
    mode.ispeed = mode.ospeed = 12345;
    mode.flags[3] &= ~(unsigned)ECHO;
    CHECK(ioctl(pty.slave, kTcSets2, &mode) == 0);
    struct new_termios now;
    CHECK(ioctl(pty.slave, kTcGets2, &now) == 0 && memcmp(&now, &mode, sizeof(now)) == 0);
    // Who does not know of speeds keeps them; a code of its own makes another.
    CHECK(tcgetattr(pty.slave, &usual) == 0 && (usual.c_lflag & ECHO) == 0 && tcsetattr(pty.slave, TCSANOW, &usual) == 0);
    CHECK(ioctl(pty.slave, kTcGets2, &now) == 0 && now.ospeed == 12345);
    usual.c_cflag = (usual.c_cflag & ~(unsigned)kCBaud) | kB115200;
    CHECK(ioctl(pty.slave, TCSETS, &usual) == 0);
    CHECK(ioctl(pty.slave, kTcGets2, &now) == 0 && now.ospeed == 115200 && now.ispeed == 115200);
    // The form that flushes does so.
    CHECK(write(pty.master, "lost\n", 5) == 5 && has_input(pty.slave));
    CHECK(ioctl(pty.slave, kTcSetsF2, &mode) == 0);
    int bytes = -1;
    CHECK(ioctl(pty.slave, FIONREAD, &bytes) == 0 && bytes == 0);
    CHECK_ERROR(ioctl(pty.slave, kTcGets2, NULL), EFAULT);
    CHECK_ERROR(ioctl(pty.slave, kTcSets2, NULL), EFAULT);
    const int file = open("/dev/null", O_RDWR);
    CHECK_ERROR(ioctl(file, kTcGets2, &now), ENOTTY);
}

ROWS(settings_of_system_v, "F12") {
    struct pty pty = open_pty();
    struct new_termios before, after;
    struct old_termio mode;
    CHECK(ioctl(pty.slave, kTcGets2, &before) == 0 && ioctl(pty.slave, kTcGetA, &mode) == 0);
    for (int i = 0; i < 4; ++i) CHECK(mode.flags[i] == (before.flags[i] & 0xffff));
    CHECK(memcmp(mode.cc, before.cc, sizeof(mode.cc)) == 0);
    before.flags[3] |= EXTPROC;  // in the upper half
    CHECK(ioctl(pty.slave, kTcSets2, &before) == 0);
    mode.flags[3] = 0;
    mode.cc[VINTR] = 'X';
    for (int request = kTcSetA; request <= kTcSetAF; ++request) CHECK(ioctl(pty.slave, request, &mode) == 0);
    CHECK(ioctl(pty.slave, kTcGets2, &after) == 0 && after.flags[3] == EXTPROC && after.cc[VINTR] == 'X');
    CHECK(after.flags[0] == before.flags[0] && after.cc[VSUSP] == before.cc[VSUSP]);
    int local = -1;
    CHECK(ioctl(pty.slave, kSetSoftCar, &(int){1}) == 0 && ioctl(pty.slave, kGetSoftCar, &local) == 0 && local == 1);
    CHECK(ioctl(pty.slave, kSetSoftCar, &(int){0}) == 0 && ioctl(pty.slave, kGetSoftCar, &local) == 0 && local == 0);
}

static struct termios raw_mode(struct pty pty) {
    struct termios mode;
    CHECK(tcgetattr(pty.slave, &mode) == 0);
    cfmakeraw(&mode);
    return mode;
}

ROWS(output_is_changed_on_its_way, "F12") {
    struct pty pty = open_pty();
    struct termios mode = raw_mode(pty);
    mode.c_oflag = OPOST | XTABS;
    CHECK(tcsetattr(pty.slave, TCSANOW, &mode) == 0);
    CHECK(write(pty.slave, "a\tbc\t\tx\n\ty", 10) == 10 && reads(pty.master, "a       bc              x\n       y"));
    mode.c_oflag = OPOST | kOLcUc;
    CHECK(tcsetattr(pty.slave, TCSANOW, &mode) == 0);
    CHECK(write(pty.slave, "aZ{\tz", 5) == 5 && reads(pty.master, "AZ{\tZ"));
    mode.c_oflag = kOLcUc | XTABS;  // without OPOST nothing is
    CHECK(tcsetattr(pty.slave, TCSANOW, &mode) == 0);
    CHECK(write(pty.slave, "a\t", 2) == 2 && reads(pty.master, "a\t"));
}

ROWS(input_is_changed_on_its_way, "F12") {
    struct pty pty = open_pty();
    struct termios mode = raw_mode(pty);
    mode.c_iflag = PARMRK;
    CHECK(tcsetattr(pty.slave, TCSANOW, &mode) == 0);
    CHECK(write(pty.master, "a\377b", 3) == 3 && reads(pty.slave, "a\377\377b"));
    mode.c_iflag = 0;
    CHECK(tcsetattr(pty.slave, TCSANOW, &mode) == 0);
    CHECK(write(pty.master, "a\377b", 3) == 3 && reads(pty.slave, "a\377b"));
    mode.c_iflag = kIUclc;  // an extension: IEXTEN has to be on
    CHECK(tcsetattr(pty.slave, TCSANOW, &mode) == 0);
    CHECK(write(pty.master, "aZ[", 3) == 3 && reads(pty.slave, "aZ["));
    mode.c_lflag = IEXTEN;
    CHECK(tcsetattr(pty.slave, TCSANOW, &mode) == 0);
    CHECK(write(pty.master, "aZ[", 3) == 3 && reads(pty.slave, "az["));
    mode.c_iflag = kIUclc | ISTRIP;
    CHECK(tcsetattr(pty.slave, TCSANOW, &mode) == 0);
    CHECK(write(pty.master, "\341\301", 2) == 2 && reads(pty.slave, "aa"));
}
