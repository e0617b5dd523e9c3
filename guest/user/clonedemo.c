/* clonedemo: what the flags of clone share between caller and child, each with and without the flag (man 2
 * clone). */
#include "program.h"

#include <fcntl.h>
#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/stat.h>
#include <sys/wait.h>

enum { STACK_BYTES = 16 * 4096 };

static volatile int memory;
static volatile int child_tid;
static int fd_to_close;

static int write_memory(void* unused) {
    (void)unused;
    memory = 1;
    return 0;
}

static int close_descriptor(void* unused) {
    (void)unused;
    close(fd_to_close);
    return 0;
}

static int change_umask(void* unused) {
    (void)unused;
    umask(0123);
    return 0;
}

static int ignore_signal(void* unused) {
    (void)unused;
    signal(SIGUSR1, SIG_IGN);
    return 0;
}

static int nothing(void* unused) {
    (void)unused;
    return 0;
}

static void run(int (*function)(void*), int flags) {
    char* stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED) fail("mmap of a stack");
    int parent_tid = 0;
    pid_t child = clone(function, stack + STACK_BYTES, flags | CLONE_PARENT_SETTID | SIGCHLD, NULL,
                        &parent_tid, NULL, (void*)&child_tid);
    if (child < 0) fail("clone");
    check(parent_tid == child, "CLONE_PARENT_SETTID did not store the child's id");
    int status;
    if (waitpid(child, &status, 0) != child) fail("waitpid");
    check(WIFEXITED(status) && WEXITSTATUS(status) == 0, "the child did not end well");
    munmap(stack, STACK_BYTES);
}

static void show(const char* flag, int shared_with, int shared_without) {
    check(shared_with, "the flag did not share");
    check(!shared_without, "it is shared without the flag");
    say("%-13s shared with the flag, separate without it", flag);
}

static void show_memory(void) {
    memory = 0;
    run(write_memory, CLONE_VM);
    int with = memory;
    memory = 0;
    run(write_memory, 0);
    show("CLONE_VM", with, memory);
}

static int closed_by_child(int flags) {
    fd_to_close = open("/dev/null", O_RDONLY);
    if (fd_to_close < 0) fail("open /dev/null");
    run(close_descriptor, flags);
    int closed = fcntl(fd_to_close, F_GETFD) < 0;
    if (!closed) close(fd_to_close);
    return closed;
}

static int umask_changed_by_child(int flags) {
    umask(022);
    run(change_umask, flags);
    return umask(022) == 0123;
}

static int handler_changed_by_child(int flags) {
    signal(SIGUSR1, SIG_DFL);
    run(ignore_signal, flags);
    return signal(SIGUSR1, SIG_DFL) == SIG_IGN;
}

static void show_child_tid(void) {
    child_tid = -1;
    run(nothing, CLONE_VM | CLONE_CHILD_SETTID);
    check(child_tid > 0, "CLONE_CHILD_SETTID did not store the child's id");
    run(nothing, CLONE_VM | CLONE_CHILD_CLEARTID);
    check(child_tid == 0, "CLONE_CHILD_CLEARTID did not clear the id at exit");
    say("%-13s the child's id is stored before it runs, and cleared when it ends", "CHILD_*TID");
}

int main(int argc, char** argv) {
    help(argc, argv,
         "usage: clonedemo\n\nShows what CLONE_VM, CLONE_FILES, CLONE_FS and CLONE_SIGHAND share, and the "
         "TID flags.\n");
    no_arguments(argc, argv);
    show_memory();
    show("CLONE_FILES", closed_by_child(CLONE_FILES), closed_by_child(0));
    show("CLONE_FS", umask_changed_by_child(CLONE_FS), umask_changed_by_child(0));
    show("CLONE_SIGHAND", handler_changed_by_child(CLONE_VM | CLONE_SIGHAND),
         handler_changed_by_child(CLONE_VM));
    show_child_tid();
    return 0;
}
