/* forkbomb: a bomb with a limit. Processes fork in a tree until LIMIT were made, and all are collected. */
#include "program.h"

#include <sys/wait.h>

/* Makes a tree of `budget` processes below the caller, two children each; how many were really made. */
static long explode(long budget);

static long start_subtree(long budget, int* counts) {
    pid_t child = fork();
    if (child < 0) return 0;
    if (child == 0) {
        long made = 1 + explode(budget - 1);
        _exit(write(counts[1], &made, sizeof(made)) == (ssize_t)sizeof(made) ? 0 : 1);
    }
    return 1;
}

static long explode(long budget) {
    if (budget < 1) return 0;
    int counts[2];
    if (pipe(counts) != 0) return 0;
    long left = budget / 2;
    long started = start_subtree(budget - left, counts);
    if (left > 0) started += start_subtree(left, counts);
    long total = 0;
    for (; started > 0; --started) {
        int status;
        if (wait(&status) < 0) fail("wait");
        check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "a process of the tree failed");
        long made;
        if (read(counts[0], &made, sizeof(made)) != (ssize_t)sizeof(made)) fail("read");
        total += made;
    }
    close(counts[0]);
    close(counts[1]);
    return total;
}

int main(int argc, char** argv) {
    help(argc, argv,
         "usage: forkbomb [LIMIT]\n\n"
         "Forks a tree of LIMIT processes (64), each of which waits for those below it. Where the system "
         "refuses\n"
         "to make more, it says how many there were.\n");
    long limit = argc > 1 ? number(argv[1], 30000) : 64;
    long made = explode(limit);
    say("forkbomb: %ld of %ld processes were made and collected", made, limit);
    return 0;
}
