/* vforkdemo: the child of vfork borrows its parent's memory, and the parent waits (man 2 vfork). */
#include "program.h"

#include <sys/wait.h>

static volatile int written_by_child;

static void reap(pid_t child, int expected) {
    int status;
    if (waitpid(child, &status, 0) != child) fail("waitpid");
    check(WIFEXITED(status) && WEXITSTATUS(status) == expected, "the child's exit status");
}

int main(int argc, char** argv) {
    help(argc, argv,
         "usage: vforkdemo\n\nShows that the parent of a vfork waits for execve or _exit, and sees the "
         "child's writes.\n");
    no_arguments(argc, argv);

    pid_t child = vfork();
    if (child < 0) fail("vfork");
    if (child == 0) {
        written_by_child = 1;
        _exit(3);
    }
    /* No wait was needed: vfork returned here only after the child had ended. */
    check(written_by_child == 1, "the parent ran before the child's _exit, or has memory of its own");
    reap(child, 3);
    say("_exit: the parent continued after the child, and sees what the child wrote");

    child = vfork();
    if (child < 0) fail("vfork");
    if (child == 0) {
        written_by_child = 2;
        execl("/bin/busybox", "busybox", "true", (char*)NULL);
        _exit(127);
    }
    check(written_by_child == 2, "the parent ran before the child's execve");
    reap(child, 0);
    say("execve: the child got memory of its own, and the parent continued");
    return 0;
}
