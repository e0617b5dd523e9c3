// clone() and vfork().
#include "rows.h"

#include <pthread.h>
#include <sys/stat.h>

enum { kStack = 64 * 1024 };
static char* new_stack(void) { return map_pages(kStack / PAGE, MAP_PRIVATE) + kStack; }

struct shared_state {
    volatile int value;
    volatile int done;
    int fd;
    pid_t seen_pid;
    pid_t seen_parent;
    void* mapping;
};

static int set_value(void* state) {
    ((struct shared_state*)state)->value = 42;
    return 5;
}

ROWS(vfork_waits_for_exit, "V1,V2") {
    volatile int value = 0;
    const pid_t pid = vfork();
    if (pid == 0) {
        value = 42;
        _exit(3);
    }
    CHECK(pid > 0 && value == 42);
    wait_exit(pid, 3);
}

ROWS(vfork_waits_for_exec, "V2,V3") {
    int data[2];
    CHECK(pipe2(data, O_CLOEXEC) == 0);
    volatile int value = 0;
    char* page = map_pages(1, MAP_PRIVATE);
    page[0] = 'p';
    const pid_t pid = vfork();
    if (pid == 0) {
        value = 1;
        char* argv[] = {"busybox", "sh", "-c", "exit 9", NULL};
        execv("/bin/busybox", argv);
        _exit(127);
    }
    CHECK(value == 1 && page[0] == 'p');
    // execve closed the child's copies of the pipe: with ours, there is no writer.
    CHECK(close(data[1]) == 0);
    char byte;
    CHECK(read(data[0], &byte, 1) == 0);
    wait_exit(pid, 9);
}

ROWS(vfork_ends_with_a_fatal_signal, "V4") {
    const pid_t pid = vfork();
    if (pid == 0) {
        kill(getpid(), SIGKILL);
        _exit(1);
    }
    const int status = wait_status(pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGKILL);
}

static volatile sig_atomic_t usr1_count;
static void count_usr1(int sig) {
    (void)sig;
    ++usr1_count;
}

ROWS(signals_wait_for_the_end_of_vfork, "V4") {
    CHECK(signal(SIGUSR1, count_usr1) != SIG_ERR);
    const pid_t parent = getpid();
    volatile int seen = -1;
    const pid_t pid = vfork();
    if (pid == 0) {
        kill(parent, SIGUSR1);
        for (int i = 0; i < 20; ++i) sched_yield();
        seen = usr1_count;
        _exit(0);
    }
    CHECK(seen == 0 && usr1_count == 1);
    wait_exit(pid, 0);
}

ROWS(exit_signal, "C1") {
    CHECK(signal(SIGUSR1, count_usr1) != SIG_ERR);
    struct shared_state state = {0};
    pid_t pid = clone(set_value, new_stack(), SIGUSR1, &state);
    CHECK(pid > 0);
    int status = 0;
    CHECK_ERROR(waitpid(pid, &status, 0), ECHILD);
    CHECK(waitpid(pid, &status, __WCLONE) == pid && WEXITSTATUS(status) == 5);
    CHECK(usr1_count == 1);
    pid = clone(set_value, new_stack(), 0, &state);
    CHECK(waitpid(pid, &status, __WALL) == pid && WEXITSTATUS(status) == 5);
    CHECK(usr1_count == 1 && state.value == 0);
}

static int map_for_parent(void* argument) {
    struct shared_state* state = argument;
    state->mapping = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    *(char*)state->mapping = 'm';
    state->value = 1;
    return 0;
}

ROWS(one_address_space, "C2") {
    struct shared_state state = {0};
    const pid_t pid = clone(map_for_parent, new_stack(), CLONE_VM | SIGCHLD, &state);
    CHECK(pid > 0);
    wait_exit(pid, 0);
    CHECK(state.value == 1 && *(char*)state.mapping == 'm');
    CHECK(munmap(state.mapping, PAGE) == 0);
}

static int change_place(void* unused) {
    (void)unused;
    umask(011);
    return chdir("/tmp");
}

ROWS(one_fs, "C3") {
    CHECK(chdir("/") == 0);
    umask(022);
    char where[64];
    wait_exit(clone(change_place, new_stack(), SIGCHLD, NULL), 0);
    CHECK(getcwd(where, sizeof(where)) != NULL && strcmp(where, "/") == 0 && umask(022) == 022);
    wait_exit(clone(change_place, new_stack(), CLONE_FS | SIGCHLD, NULL), 0);
    CHECK(getcwd(where, sizeof(where)) != NULL && strcmp(where, "/tmp") == 0 && umask(022) == 011);
}

static int open_one_close_other(void* argument) {
    struct shared_state* state = argument;
    close(state->fd);
    return open("/dev/null", O_RDONLY) == state->fd ? fcntl(state->fd, F_SETFD, FD_CLOEXEC) : 1;
}

ROWS(one_table_of_descriptors, "C4") {
    struct shared_state state = {0};
    CHECK((state.fd = open("/dev/zero", O_RDONLY)) >= 0);
    char byte = 1;
    wait_exit(clone(open_one_close_other, new_stack(), CLONE_VM | SIGCHLD, &state), 0);
    CHECK(read(state.fd, &byte, 1) == 1 && fcntl(state.fd, F_GETFD) == 0);
    wait_exit(clone(open_one_close_other, new_stack(), CLONE_VM | CLONE_FILES | SIGCHLD, &state), 0);
    CHECK(read(state.fd, &byte, 1) == 0 && fcntl(state.fd, F_GETFD) == FD_CLOEXEC);
}

static int ignore_usr2(void* unused) {
    (void)unused;
    sigset_t all;
    sigfillset(&all);
    sigprocmask(SIG_SETMASK, &all, NULL);
    return signal(SIGUSR2, SIG_IGN) == SIG_ERR;
}

ROWS(one_table_of_handlers, "C5") {
    struct sigaction action;
    sigset_t mask;
    wait_exit(clone(ignore_usr2, new_stack(), CLONE_VM | SIGCHLD, NULL), 0);
    CHECK(sigaction(SIGUSR2, NULL, &action) == 0 && action.sa_handler == SIG_DFL);
    wait_exit(clone(ignore_usr2, new_stack(), CLONE_VM | CLONE_SIGHAND | SIGCHLD, NULL), 0);
    CHECK(sigaction(SIGUSR2, NULL, &action) == 0 && action.sa_handler == SIG_IGN);
    CHECK(sigprocmask(SIG_BLOCK, NULL, &mask) == 0 && !sigismember(&mask, SIGUSR1));
}

static int note_parent(void* argument) {
    struct shared_state* state = argument;
    state->seen_parent = getppid();
    return 0;
}

ROWS(sibling, "C8") {
    struct shared_state* state = (struct shared_state*)map_pages(1, MAP_SHARED);
    const pid_t me = getpid();
    const pid_t child = IN_CHILD({
        const pid_t sibling = clone(note_parent, new_stack(), CLONE_PARENT | SIGCHLD, state);
        CHECK(sibling > 0);
        state->seen_pid = sibling;
        CHECK_ERROR(waitpid(sibling, NULL, __WALL), ECHILD);
    });
    wait_exit(child, 0);
    wait_exit(state->seen_pid, 0);
    CHECK(state->seen_parent == me);
}

static void* thread_ids(void* argument) {
    struct shared_state* state = argument;
    state->seen_pid = getpid();
    state->value = (int)syscall(SYS_gettid);
    return NULL;
}

ROWS(threads_share_a_process, "C9,C12,C13,C14") {
    struct shared_state state = {0};
    for (int i = 0; i < 50; ++i) {
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, thread_ids, &state) == 0);
        CHECK(pthread_join(thread, NULL) == 0);
        CHECK(state.seen_pid == getpid() && state.value != getpid());
    }
    CHECK_ERROR(waitpid(-1, NULL, __WALL), ECHILD);
}

static void* exit_group_now(void* unused) {
    (void)unused;
    exit(33);
}
static void* wait_for_ever(void* unused) {
    (void)unused;
    for (;;) pause();
    return NULL;
}

ROWS(exit_group_ends_all, "C9") {
    const pid_t pid = IN_CHILD({
        pthread_t threads[4];
        for (int i = 0; i < 3; ++i) CHECK(pthread_create(&threads[i], NULL, wait_for_ever, NULL) == 0);
        CHECK(pthread_create(&threads[3], NULL, exit_group_now, NULL) == 0);
        for (;;) pause();
    });
    wait_exit(pid, 33);
}

ROWS(signal_kills_all_threads, "C9") {
    const pid_t pid = IN_CHILD({
        pthread_t thread;
        for (int i = 0; i < 3; ++i) CHECK(pthread_create(&thread, NULL, wait_for_ever, NULL) == 0);
        for (;;) pause();
    });
    for (int i = 0; i < 10; ++i) sched_yield();
    CHECK(kill(pid, SIGTERM) == 0);
    const int status = wait_status(pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGTERM);
}

// The leader ends first; the process ends with its last thread.
static void* outlive_leader(void* unused) {
    (void)unused;
    for (int i = 0; i < 50; ++i) sched_yield();
    _exit(21);
}

ROWS(leader_goes_first, "C9") {
    const pid_t pid = IN_CHILD({
        pthread_t thread;
        CHECK(pthread_create(&thread, NULL, outlive_leader, NULL) == 0);
        syscall(SYS_exit, 0);
    });
    wait_exit(pid, 21);
}

static void* exec_from_thread(void* unused) {
    (void)unused;
    char* argv[] = {"busybox", "sh", "-c", "exit $(( $$ == $WANTED ? 17 : 1 ))", NULL};
    execv("/bin/busybox", argv);
    return NULL;
}

ROWS(exec_leaves_one_thread, "C9") {
    const pid_t pid = IN_CHILD({
        char text[32];
        snprintf(text, sizeof(text), "%d", getpid());
        CHECK(setenv("WANTED", text, 1) == 0);
        pthread_t thread;
        for (int i = 0; i < 3; ++i) CHECK(pthread_create(&thread, NULL, wait_for_ever, NULL) == 0);
        CHECK(pthread_create(&thread, NULL, exec_from_thread, NULL) == 0);
        for (;;) pause();
    });
    wait_exit(pid, 17);
}

ROWS(thread_ids_are_stored, "C13,W7") {
    pid_t* ids = (pid_t*)map_pages(1, MAP_PRIVATE);
    ids[0] = ids[1] = -1;
    const long pid = syscall(SYS_clone, CLONE_PARENT_SETTID | CLONE_CHILD_SETTID | SIGCHLD, NULL, &ids[0], &ids[1], 0);
    CHECK(pid >= 0);
    if (pid == 0) {
        CHECK(ids[1] == getpid());
        _exit(0);
    }
    CHECK(ids[0] == pid && ids[1] == -1);
    wait_exit((pid_t)pid, 0);
}

ROWS(cleared_and_woken_at_exit, "C14") {
    static int tid = 1;
    struct shared_state state = {0};
    const pid_t pid = clone(set_value, new_stack(), CLONE_VM | CLONE_CHILD_CLEARTID | SIGCHLD, &state, NULL, NULL, &tid);
    CHECK(pid > 0);
    while (*(volatile int*)&tid != 0) syscall(SYS_futex, &tid, FUTEX_WAIT, 1, NULL, NULL, 0);
    CHECK(state.value == 42);
    wait_exit(pid, 5);
}

ROWS(meaningless_flags, "P2,P3") {
    CHECK_ERROR(syscall(SYS_clone, CLONE_NEWNS | CLONE_FS | SIGCHLD, 0, 0, 0, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_clone, CLONE_NEWUSER | CLONE_FS | SIGCHLD, 0, 0, 0, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_clone, CLONE_THREAD | CLONE_VM | SIGCHLD, 0, 0, 0, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_clone, CLONE_SIGHAND | SIGCHLD, 0, 0, 0, 0), EINVAL);
    // Later kernels ask for this of threads alone.
    if (on_guest()) CHECK_ERROR(syscall(SYS_clone, CLONE_SIGHAND | CLONE_VM | CLONE_NEWPID | SIGCHLD, 0, 0, 0, 0), EINVAL);
}

static int has_no_alternate_stack(void* unused) {
    (void)unused;
    stack_t stack;
    return sigaltstack(NULL, &stack) != 0 || (stack.ss_flags & SS_DISABLE) == 0;
}

ROWS(alternate_stack_is_reset_in_shared_memory, "P12") {
    stack_t stack = {.ss_sp = map_pages(4, MAP_PRIVATE), .ss_size = 4 * PAGE};
    CHECK(sigaltstack(&stack, NULL) == 0);
    wait_exit(clone(has_no_alternate_stack, new_stack(), CLONE_VM | SIGCHLD, NULL), 0);
    wait_exit(clone(has_no_alternate_stack, new_stack(), SIGCHLD, NULL), 1);
}
