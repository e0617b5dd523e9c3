// What is undone at exit (SEM_UNDO).
#include "sem_rows.h"

ROWS(adjustments_are_not_inherited, "F8") {
    const int id = new_set(2);
    const pid_t child = IN_CHILD({
        CHECK(op(id, 0, 5, SEM_UNDO) == 0);
        CHECK(op(id, 1, 1, SEM_UNDO) == 0 && op(id, 1, 2, 0) == 0);
        // The grandchild has none of them, and gives back only its own.
        const pid_t grandchild = IN_CHILD({
            CHECK(op(id, 0, 2, SEM_UNDO) == 0);
            CHECK(value_of(id, 0) == 7);
        });
        wait_exit(grandchild, 0);
        CHECK(value_of(id, 0) == 5);
    });
    wait_exit(child, 0);
    CHECK(value_of(id, 0) == 0 && value_of(id, 1) == 2);
    CHECK(semctl(id, 0, GETPID) == child);
    remove_set(id);
}

ROWS(adjustments_wake_and_stop_at_zero, "F8") {
    const int id = new_set(1);
    CHECK(op(id, 0, 1, 0) == 0);
    const struct meeting meeting = meeting_open();
    // Holds the semaphore and is killed: the next one gets it.
    const pid_t holder = IN_CHILD({
        CHECK(op(id, 0, -1, SEM_UNDO) == 0);
        meeting_tell(meeting);
        pause();
    });
    meeting_await(meeting);
    const pid_t next = IN_CHILD(CHECK(op(id, 0, -1, 0) == 0));
    await_count(id, 0, GETNCNT, 1);
    CHECK(kill(holder, SIGKILL) == 0);
    wait_status(holder);
    wait_exit(next, 0);
    CHECK(value_of(id, 0) == 0);
    // What others took is not there to be given back.
    const pid_t giver = IN_CHILD(CHECK(op(id, 0, 5, SEM_UNDO) == 0 && semctl(id, 0, GETVAL) == 5 && op(id, 0, -3, 0) == 0));
    wait_exit(giver, 0);
    CHECK(value_of(id, 0) == 0);
    // A value that is set forgets what was owed.
    const pid_t setter = IN_CHILD({
        CHECK(op(id, 0, 5, SEM_UNDO) == 0);
        CHECK(semctl(id, 0, SETVAL, 9) == 0);
    });
    wait_exit(setter, 0);
    CHECK(value_of(id, 0) == 9);
    // Adjustments have their limit.
    const pid_t greedy = IN_CHILD({
        CHECK(semctl(id, 0, SETVAL, 0) == 0);
        CHECK(op(id, 0, 32767, SEM_UNDO) == 0);
        CHECK(op(id, 0, -32767, 0) == 0);
        CHECK(op(id, 0, 1, SEM_UNDO) == 0);
        CHECK_ERROR(op(id, 0, 1, SEM_UNDO), ERANGE);
        CHECK(value_of(id, 0) == 1);
    });
    wait_exit(greedy, 0);
    remove_set(id);
}

ROWS(exec_keeps_adjustments, "F8") {
    const int id = new_set(1);
    const struct meeting started = meeting_open();
    int input[2];
    CHECK(pipe(input) == 0);
    const pid_t child = IN_CHILD({
        CHECK(op(id, 0, 3, SEM_UNDO) == 0);
        CHECK(dup2(input[0], 0) == 0 && close(input[1]) == 0);
        CHECK(fcntl(started.ends[1], F_SETFD, FD_CLOEXEC) == 0);
        execl("/bin/cat", "cat", (char*)NULL);
        _exit(127);
    });
    close(started.ends[1]);
    char byte;
    // The end of file comes when execve closes the other end.
    CHECK(read(started.ends[0], &byte, 1) == 0);
    CHECK(value_of(id, 0) == 3);
    close(input[1]);
    wait_exit(child, 0);
    CHECK(value_of(id, 0) == 0);
    remove_set(id);
}

static int shared_id;
static int add_with_undo(void* unused) {
    (void)unused;
    return op(shared_id, 0, 5, SEM_UNDO) == 0 ? 0 : 1;
}

ROWS(sysvsem_shares_the_adjustments, "C11") {
    shared_id = new_set(1);
    char* stack = map_pages(16, MAP_PRIVATE);
    const pid_t first = IN_CHILD({
        const pid_t child = clone(add_with_undo, stack + 16 * PAGE, CLONE_SYSVSEM | SIGCHLD, NULL);
        CHECK(child > 0);
        wait_exit(child, 0);
        // One list: it is settled when the last of the two ends.
        CHECK(value_of(shared_id, 0) == 5);
        CHECK(op(shared_id, 0, -2, SEM_UNDO) == 0 && value_of(shared_id, 0) == 3);
    });
    wait_exit(first, 0);
    CHECK(value_of(shared_id, 0) == 0);
    // Without the flag there are two.
    const pid_t second = IN_CHILD({
        const pid_t child = clone(add_with_undo, stack + 16 * PAGE, SIGCHLD, NULL);
        CHECK(child > 0);
        wait_exit(child, 0);
        CHECK(value_of(shared_id, 0) == 0);
    });
    wait_exit(second, 0);
    remove_set(shared_id);
}
