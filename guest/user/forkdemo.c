/* forkdemo: what a child of fork has of its own and what it has in common with its parent (man 2 fork). */
#include "program.h"

#include <signal.h>
#include <sys/wait.h>

static int in_data = 1;
static int in_bss;

static int end_of(pid_t child) {
    int status;
    if (waitpid(child, &status, 0) != child) fail("waitpid");
    return status;
}

static void show_memory(void) {
    int on_stack = 1;
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) {
        in_data = in_bss = on_stack = 7;
        _exit(in_data + in_bss + on_stack);
    }
    int status = end_of(child);
    check(WIFEXITED(status) && WEXITSTATUS(status) == 21, "the child's memory did not keep its writes");
    check(in_data == 1 && in_bss == 0 && on_stack == 1, "the child's writes reached the parent");
    say("memory: the child wrote data, bss and stack; the parent's are as they were");
}

static void show_ids(void) {
    int fds[2];
    if (pipe(fds) != 0) fail("pipe");
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) {
        pid_t ids[2] = {getpid(), getppid()};
        _exit(write(fds[1], ids, sizeof(ids)) == sizeof(ids) ? 0 : 1);
    }
    pid_t ids[2];
    if (read(fds[0], ids, sizeof(ids)) != sizeof(ids)) fail("read");
    end_of(child);
    check(ids[0] == child && ids[1] == getpid(), "getpid and getppid in the child");
    say("ids: fork returned the child's pid, and the child's parent is the caller");
    close(fds[0]);
    close(fds[1]);
}

static void show_files(void) {
    char name[] = "/tmp/forkdemo.XXXXXX";
    int fd = mkstemp(name);
    if (fd < 0) fail("mkstemp");
    if (write(fd, "0123456789", 10) != 10 || lseek(fd, 0, SEEK_SET) != 0) fail("write");
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) {
        char bytes[4];
        _exit(read(fd, bytes, 4) == 4 ? 0 : 1);
    }
    check(end_of(child) == 0, "the child could not read");
    check(lseek(fd, 0, SEEK_CUR) == 4, "the parent's offset did not move with the child's read");
    say("files: the child read 4 bytes, and the parent's offset is 4: one description, two descriptors");
    close(fd);
    unlink(name);
}

static void show_endings(void) {
    pid_t exits = fork();
    if (exits == 0) _exit(42);
    check(WEXITSTATUS(end_of(exits)) == 42, "exit status 42");
    pid_t dies = fork();
    if (dies == 0) {
        for (;;) pause();
    }
    if (kill(dies, SIGTERM) != 0) fail("kill");
    int status = end_of(dies);
    check(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM, "death by SIGTERM");
    say("endings: wait tells exit status 42 and death by signal %d apart", SIGTERM);
}

int main(int argc, char** argv) {
    help(argc, argv, "usage: forkdemo\n\nShows what parent and child of fork share, and what not.\n");
    no_arguments(argc, argv);
    show_memory();
    show_ids();
    show_files();
    show_endings();
    return 0;
}
