/* resize: a serial line does not say how large the terminal at its other end is. Asks the terminal, and tells
 * the tty. */
#include "program.h"

#include <poll.h>
#include <sys/ioctl.h>
#include <termios.h>

/* The cursor goes as far down and right as it can, says where that is, and goes back (ECMA-48: CUP and DSR 6;
 * DECSC and DECRC). */
static const char question[] = "\0337\033[999;999H\033[6n\0338";
enum { patience_ms = 1000 };

/* Reads "ESC [ rows ; columns R"; 0 if nothing of that kind comes. */
static int read_answer(int terminal, unsigned* rows, unsigned* columns) {
    char text[32];
    size_t length = 0;
    struct pollfd input = {.fd = terminal, .events = POLLIN};
    while (length + 1 < sizeof(text) && poll(&input, 1, patience_ms) == 1 &&
           read(terminal, text + length, 1) == 1) {
        if (length == 0 && text[0] != '\033') continue; /* typed ahead */
        if (text[length++] == 'R') break;
    }
    text[length] = '\0';
    return sscanf(text, "\033[%u;%uR", rows, columns) == 2;
}

int main(int argc, char** argv) {
    help(argc, argv,
         "usage: resize\n\n"
         "Asks the terminal for its size and tells the kernel, for vi, less and top. Status 1 if it does not "
         "answer.\n");
    no_arguments(argc, argv);
    struct termios saved;
    if (tcgetattr(0, &saved) != 0) fail("standard input");
    struct termios raw = saved;
    raw.c_lflag &= ~(tcflag_t)(ICANON | ECHO);
    if (tcsetattr(0, TCSANOW, &raw) != 0) fail("tcsetattr");
    unsigned rows = 0, columns = 0;
    int answered = write(1, question, sizeof(question) - 1) == (ssize_t)sizeof(question) - 1 &&
                   read_answer(0, &rows, &columns);
    tcsetattr(0, TCSANOW, &saved);
    if (!answered) {
        say("resize: the terminal does not say how large it is");
        return 1;
    }
    struct winsize size = {.ws_row = (unsigned short)rows, .ws_col = (unsigned short)columns};
    if (ioctl(0, TIOCSWINSZ, &size) != 0) fail("TIOCSWINSZ");
    say("%u rows, %u columns", rows, columns);
    return 0;
}
