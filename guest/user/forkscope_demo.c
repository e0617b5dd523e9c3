/* forkscope-demo: what fork, vfork and clone do to memory, step by step, for whoever watches the page tables.
 * Each step says what is to be expected and checks what can be checked from inside. */
#include "program.h"

#include <sched.h>
#include <signal.h>
#include <sys/mman.h>
#include <sys/wait.h>

enum { PAGES = 64, CHILD_WRITES = 5, PARENT_WRITES = 3 };

/* Pages that the child writes begin at 0, those of the parent at PARENT_FIRST: nobody writes the other's. */
enum { PARENT_FIRST = 16 };

static int brief;

#define explain(...)                  \
    do {                              \
        if (!brief) say(__VA_ARGS__); \
    } while (0)

static volatile char* page_at(char* region, int page) { return region + page * PAGE_SIZE; }

static void write_pages(char* region, int first, int count, char value) {
    for (int page = first; page < first + count; ++page) *page_at(region, page) = value;
}

static int pages_hold(char* region, int first, int count, char value) {
    for (int page = first; page < first + count; ++page) {
        if (*page_at(region, page) != value) return 0;
    }
    return 1;
}

/* Two processes take turns: one byte through a pipe hands the turn over. */
struct turn {
    int ends[2];
};

static void turn_make(struct turn* turn) {
    if (pipe(turn->ends) != 0) fail("pipe");
}
static void turn_give(struct turn* turn) {
    if (write(turn->ends[1], "", 1) != 1) fail("write to a pipe");
}
static void turn_wait(struct turn* turn) {
    char byte;
    if (read(turn->ends[0], &byte, 1) != 1) fail("read from a pipe");
}
/* Each side keeps its own end, so that a process that dies early ends the other's wait. */
static void turn_giver(struct turn* turn) { close(turn->ends[0]); }
static void turn_taker(struct turn* turn) { close(turn->ends[1]); }

static void wait_for(pid_t child, const char* who) {
    int status;
    if (waitpid(child, &status, 0) != child) fail("waitpid");
    check(WIFEXITED(status) && WEXITSTATUS(status) == 0, who);
}

static void fork_child(char* region, struct turn* to_parent, struct turn* to_child) {
    turn_giver(to_parent);
    turn_taker(to_child);
    check(pages_hold(region, 0, PAGES, 'p'), "the child sees other contents than its parent had");
    write_pages(region, 0, CHILD_WRITES, 'c');
    turn_give(to_parent);
    turn_wait(to_child);
    check(pages_hold(region, PARENT_FIRST, PARENT_WRITES, 'p'), "the parent's writes reached the child");
    check(pages_hold(region, 0, CHILD_WRITES, 'c'), "the child lost its own writes");
    _exit(0);
}

static void demonstrate_fork(void) {
    say("fork: %d dirty pages; the child writes %d, the parent %d others", PAGES, CHILD_WRITES,
        PARENT_WRITES);
    char* region = mmap(NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (region == MAP_FAILED) fail("mmap");
    write_pages(region, 0, PAGES, 'p');
    explain("  the pages lie at %p; fork copies none of them: it makes their entries read-only on both sides",
            (void*)region);

    struct turn to_parent, to_child;
    turn_make(&to_parent);
    turn_make(&to_child);
    pid_t child = fork();
    if (child < 0) fail("fork");
    if (child == 0) fork_child(region, &to_parent, &to_child);

    turn_taker(&to_parent);
    turn_giver(&to_child);
    turn_wait(&to_parent);
    explain("  the child wrote pages 0..%d: %d faults, %d copies for the child", CHILD_WRITES - 1,
            CHILD_WRITES, CHILD_WRITES);
    write_pages(region, PARENT_FIRST, PARENT_WRITES, 'P');
    explain(
        "  the parent wrote pages %d..%d, which the child still shares: %d faults, %d copies for the parent",
        PARENT_FIRST, PARENT_FIRST + PARENT_WRITES - 1, PARENT_WRITES, PARENT_WRITES);
    say("  expect %d + %d first writes: %d copies", CHILD_WRITES, PARENT_WRITES,
        CHILD_WRITES + PARENT_WRITES);
    turn_give(&to_child);
    wait_for(child, "the child found its memory changed");
    check(pages_hold(region, 0, CHILD_WRITES, 'p'), "the child's writes reached the parent");

    write_pages(region, 0, CHILD_WRITES, 'q');
    say("  the child is gone; the parent writes the %d that it had written: expect %d reuses, no copy",
        CHILD_WRITES, CHILD_WRITES);
    close(to_parent.ends[0]);
    close(to_child.ends[1]);
    if (munmap(region, PAGES * PAGE_SIZE) != 0) fail("munmap");
}

static volatile int seen_by_parent;

static void demonstrate_vfork(void) {
    say("vfork and execve: the child borrows the parent's memory until it runs busybox");
    pid_t child = vfork();
    if (child < 0) fail("vfork");
    if (child == 0) {
        seen_by_parent = 1;
        execl("/bin/busybox", "busybox", "echo", "  hello from busybox, by vfork and execve", (char*)NULL);
        _exit(127);
    }
    check(seen_by_parent == 1, "the parent does not see what the vfork child wrote");
    wait_for(child, "busybox did not end well");
    explain("  no page-table entry was copied for it: both ran on the same tables, and the parent waited");
}

enum { STACK_BYTES = 16 * 4096 };
static volatile int counter;

static int clone_child(void* argument) {
    counter += *(int*)argument;
    return 0;
}

static void demonstrate_clone(void) {
    say("clone(CLONE_VM): two tasks on one set of page tables");
    char* stack = mmap(NULL, STACK_BYTES, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (stack == MAP_FAILED) fail("mmap of a stack");
    int amount = 41;
    counter = 1;
    int flags = CLONE_VM | CLONE_FS | CLONE_FILES | CLONE_SIGHAND | SIGCHLD;
    pid_t child = clone(clone_child, stack + STACK_BYTES, flags, &amount);
    if (child < 0) fail("clone");
    wait_for(child, "the cloned task did not end well");
    check(counter == 42, "the parent does not see what the cloned task wrote");
    explain("  the new task added 41 to the parent's 1: %d, written in place, nothing copied", counter);
    if (munmap(stack, STACK_BYTES) != 0) fail("munmap of a stack");
}

int main(int argc, char** argv) {
    help(argc, argv,
         "usage: forkscope-demo [-q]\n\n"
         "Forks with 64 dirty pages of which the child writes 5 and the parent 3 others, runs busybox by "
         "vfork and\n"
         "execve, and shares memory by clone. Says what to expect in the page tables. Status 0: all was as "
         "it should\n"
         "be.\n\n"
         "  -q    brief\n");
    for (int i = 1; i < argc; ++i) {
        if (strcmp(argv[i], "-q") != 0) {
            say("forkscope-demo: unknown argument `%s`", argv[i]);
            return 2;
        }
        brief = 1;
    }
    explain("This is forkscope-demo, pid %d. It forks in three ways, and says what that does to page tables.",
            getpid());
    demonstrate_fork();
    demonstrate_vfork();
    demonstrate_clone();
    say("done");
    return 0;
}
