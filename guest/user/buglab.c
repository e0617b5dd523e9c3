/* buglab: does what shows a mistake of the kernel's memory management, one kind of use a run: under bug=NAME
 * the host's checks find the mistake, on a right kernel nothing (tools/buglab). What the program sees itself
 * is not judged: a wrong kernel may show it anything. */
#include "program.h"

#include <fcntl.h>
#include <sys/mman.h>
#include <sys/mount.h>
#include <sys/uio.h>
#include <sys/wait.h>

#define PAGES 8L

static void write_all(volatile char* memory, char value) {
    for (long page = 0; page < PAGES; ++page) memory[page * PAGE_SIZE] = value;
}

static char* private_pages(void) {
    char* memory = mmap(NULL, PAGES * PAGE_SIZE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) fail("mmap");
    write_all(memory, 1);
    return memory;
}

static void wait_for(pid_t child) {
    int status;
    if (child < 0) fail("fork");
    if (waitpid(child, &status, 0) < 0) fail("waitpid");
}

/* The parent writes right after the call, the child later. */
static void do_fork(void) {
    char* memory = private_pages();
    pid_t child = fork();
    write_all(memory, child == 0 ? 2 : 3);
    if (child == 0) _exit(0);
    wait_for(child);
}

/* The child writes while the parent waits, so that it is not the last owner. */
static void do_share(void) {
    char* memory = private_pages();
    pid_t child = fork();
    if (child == 0) {
        write_all(memory, 2);
        _exit(0);
    }
    wait_for(child);
}

/* The kernel breaks the sharing of a page that this process has just read: no fault comes to its address. */
static void do_write_unseen(void) {
    volatile char* memory = private_pages();
    pid_t child = fork();
    if (child == 0) {
        char byte = memory[0];
        struct iovec from = {&byte, 1}, to = {(void*)memory, 1};
        byte = 5;
        if (process_vm_writev(getpid(), &from, 1, &to, 1, 0) != 1) fail("process_vm_writev");
        _exit(memory[0] == 5 ? 0 : 3);
    }
    wait_for(child);
}

/* A whole last-level table of private memory and nothing else, so that a kernel may share it. */
static void do_table(void) {
    const size_t table = (size_t)512 * PAGE_SIZE;
    char* memory = mmap(NULL, 3 * table, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (memory == MAP_FAILED) fail("mmap");
    memory += table - ((size_t)memory & (table - 1));
    write_all(memory, 1);
    pid_t child = fork();
    if (child == 0) {
        write_all(memory, 2);
        _exit(0);
    }
    wait_for(child);
}

static void do_protect(void) {
    volatile char* memory = private_pages();
    if (mprotect((void*)memory, PAGES * PAGE_SIZE, PROT_READ | PROT_EXEC) != 0) fail("mprotect");
    char byte = memory[0];
    if (mprotect((void*)memory, PAGES * PAGE_SIZE, PROT_READ) != 0) fail("mprotect");
    byte = (char)(byte + memory[0]);
    check(byte == 2, "the pages changed");
}

static void do_unmap(void) {
    char* memory = private_pages();
    if (munmap(memory, PAGES * PAGE_SIZE) != 0) fail("munmap");
    (void)getpid();
}

/* The pages go, their table stays: it has others. */
static void do_discard(void) {
    char* memory = private_pages();
    if (madvise(memory, (PAGES - 1) * PAGE_SIZE, MADV_DONTNEED) != 0) fail("madvise");
    (void)getpid();
}

static void do_clear_refs(void) {
    if (mount("proc", "/proc", "proc", 0, NULL) != 0 && errno != EBUSY) fail("mount");
    volatile char* memory = private_pages();
    int file = open("/proc/self/clear_refs", O_WRONLY);
    if (file < 0 || write(file, "1", 1) != 1) fail("clear_refs");
    memory[0] = 2;
    (void)getpid();
}

static void do_exec(void) {
    pid_t child = fork();
    if (child == 0) {
        execl("/bin/buglab", "buglab", "nothing", (char*)NULL);
        _exit(1);
    }
    wait_for(child);
}

static void do_nothing(void) {}

static const struct {
    const char* name;
    void (*run)(void);
} kUses[] = {
    {"fork", do_fork},       {"share", do_share},     {"write-unseen", do_write_unseen}, {"table", do_table},
    {"protect", do_protect}, {"unmap", do_unmap},     {"clear-refs", do_clear_refs},     {"exec", do_exec},
    {"discard", do_discard}, {"nothing", do_nothing},
};
#define USES (sizeof(kUses) / sizeof(kUses[0]))

int main(int argc, char** argv) {
    help(argc, argv,
         "usage: buglab USE...\n\n"
         "Uses memory in one way or several: fork, share, write-unseen, table, protect, unmap, discard,\n"
         "clear-refs, exec, nothing; all: everything.\n");
    for (int i = 1; i < argc; ++i) {
        int known = 0;
        for (size_t use = 0; use < USES; ++use) {
            if (strcmp(argv[i], kUses[use].name) != 0 && strcmp(argv[i], "all") != 0) continue;
            kUses[use].run();
            known = 1;
        }
        if (!known) {
            say("`%s` is no use of memory that is known here", argv[i]);
            return 2;
        }
    }
    return 0;
}
