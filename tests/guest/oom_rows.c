// The OOM killer: whom it would rather kill, and what is left when it has. Nobody wants a host to run out of memory: there
// the settings alone are looked at.
#include "proc_text.h"

static int write_number(const char* name, long number) {
    char path[64], text[32];
    snprintf(path, sizeof(path), "/proc/self/%s", name);
    const int length = snprintf(text, sizeof(text), "%ld\n", number);
    const int fd = open(path, O_WRONLY);
    CHECK(fd >= 0);
    const ssize_t done = write(fd, text, (size_t)length);
    const int error = errno;
    close(fd);
    errno = error;
    return done == length ? 0 : -1;
}
static long read_number(const char* name) { return strtol(proc_read("/proc/self/%s", name), NULL, 10); }

ROWS(adjustments, "S6,F12") {
    CHECK_ERROR(write_number("oom_score_adj", 1001), EINVAL);
    CHECK_ERROR(write_number("oom_score_adj", -1001), EINVAL);
    CHECK(write_number("oom_score_adj", 300) == 0 && read_number("oom_score_adj") == 300);
    wait_exit(IN_CHILD({
                  CHECK(read_number("oom_score_adj") == 300);
                  CHECK(setresuid(1000, 1000, 1000) == 0);
                  // Its files are root's still: it became another user since.
              }),
              0);
    CHECK(write_number("oom_score_adj", 0) == 0);
}

ROWS(the_older_file, "S6") {
    if (access("/proc/self/oom_adj", F_OK) != 0) {
        CHECK(!on_guest());
        return;
    }
    CHECK(write_number("oom_adj", 8) == 0 && read_number("oom_score_adj") == 470 && read_number("oom_adj") == 7);
    CHECK(write_number("oom_adj", 15) == 0 && read_number("oom_score_adj") == 1000 && read_number("oom_adj") == 15);
    CHECK_ERROR(write_number("oom_adj", 16), EINVAL);
    CHECK_ERROR(write_number("oom_adj", -18), EINVAL);
    if (write_number("oom_adj", -17) == 0) CHECK(read_number("oom_score_adj") == -1000 && read_number("oom_adj") == -17);
    else CHECK(errno == EACCES && !on_guest());
}

ROWS(scores, "S6") {
    CHECK(write_number("oom_score_adj", 0) == 0);
    const long plain = read_number("oom_score");
    CHECK(plain >= 666 && plain < 1334);
    CHECK(write_number("oom_score_adj", 1000) == 0);
    const long most = read_number("oom_score");
    // A thousandth of memory is whole pages.
    CHECK(most >= plain + 640 && most >= 1320);
    if (write_number("oom_score_adj", -1000) == 0) CHECK(read_number("oom_score") == 0);
    // Nobody kills init.
    CHECK(strtol(proc_read("/proc/1/oom_score"), NULL, 10) == 0);
}

// Writes to one page after another, much more than there are.
static void eat_all_memory(void) {
    const size_t bytes = (size_t)2 * 1024 * 1024 * 1024;
    char* memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(memory != MAP_FAILED);
    for (size_t at = 0; at < bytes; at += PAGE) memory[at] = 1;
}

static pid_t sleeper(int adj, int ends[2]) {
    CHECK(pipe(ends) == 0);
    const pid_t pid = IN_CHILD({
        char byte;
        close(ends[1]);
        CHECK(write_number("oom_score_adj", adj) == 0);
        CHECK(read(ends[0], &byte, 1) == 0);
    });
    close(ends[0]);
    await_state(pid, 'S');
    return pid;
}
static void expect_killed(pid_t pid) {
    const int status = wait_status(pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

GUEST_ROWS(the_largest_is_killed, "W10,S6") {
    int small[2];
    const pid_t bystander = sleeper(0, small);
    for (int round = 0; round < 2; ++round) {
        if (round == 1) count_kernel();
        expect_killed(IN_CHILD({ eat_all_memory(); }));
    }
    expect_counts("a process that ate all memory");
    CHECK(kill(bystander, 0) == 0);
    close(small[1]);
    wait_exit(bystander, 0);
}

GUEST_ROWS(kills_are_counted, "S6") {
    const char* line = strstr(proc_read("/proc/vmstat"), "\noom_kill ");
    CHECK(line != NULL);
    const long before = strtol(line + 10, NULL, 10);
    expect_killed(IN_CHILD({ eat_all_memory(); }));
    CHECK(strtol(strstr(proc_read("/proc/vmstat"), "\noom_kill ") + 10, NULL, 10) == before + 1);
}

// First whoever offers itself, then whoever took the memory; never who may not be killed.
GUEST_ROWS(adjustments_decide, "S6") {
    int willing[2], unwilling[2];
    const pid_t first = sleeper(1000, willing);
    const pid_t never = sleeper(-1000, unwilling);
    const pid_t hog = IN_CHILD({ eat_all_memory(); });
    int status = 0;
    const pid_t one = wait(&status);
    CHECK(one == first && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    const pid_t two = wait(&status);
    CHECK(two == hog && WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
    close(unwilling[1]);
    wait_exit(never, 0);
    close(willing[1]);
}

// Memory that is wanted at once is memory that is wanted.
GUEST_ROWS(bringing_pages_in, "S6,F4") {
    for (int way = 0; way < 3; ++way) {
        expect_killed(IN_CHILD({
            const size_t bytes = (size_t)1 << 30;
            const int flags = MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE | (way == 0 ? MAP_POPULATE : 0);
            char* memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, flags, -1, 0);
            CHECK(memory != MAP_FAILED);
            if (way == 1) mlock(memory, bytes);
            if (way == 2) madvise(memory, bytes, 23 /* POPULATE_WRITE */);
        }));
    }
}

// The kernel's own writes to a program's memory, and threads, and who shares the memory.
GUEST_ROWS(all_who_share_the_memory_go, "S6,C2") {
    const pid_t hog = IN_CHILD({
        const pid_t sharer = (pid_t)syscall(SYS_clone, CLONE_VM | SIGCHLD, (char*)map_pages(4, MAP_PRIVATE) + 4 * PAGE, NULL, NULL, 0);
        if (sharer == 0) {
            for (;;) pause();
        }
        const int zero = open("/dev/zero", O_RDONLY);
        const size_t bytes = (size_t)1 << 30;
        char* memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
        CHECK(zero >= 0 && memory != MAP_FAILED);
        (void)!read(zero, memory, bytes);
    });
    expect_killed(hog);
    // The sharer came to init.
    CHECK(free_ram() > 16 << 20);
}
