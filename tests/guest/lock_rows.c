// Record locks: fcntl's F_GETLK, F_SETLK and F_SETLKW.
#define LOCK_FILE "/tmp/lock_rows"
#include "lock_rows.h"

#include <pthread.h>
#include <sys/file.h>

static void check_holder(int fd, off_t start, off_t length, int type, pid_t pid, off_t its_start,
                         off_t its_length) {
    const struct flock holder = holder_of(fd, F_GETLK, start, length);
    CHECK(holder.l_type == type);
    CHECK(holder.l_whence == SEEK_SET);
    if (type == F_UNLCK) {
        // The rest of the question comes back as it was.
        CHECK(holder.l_start == start && holder.l_len == length && holder.l_pid == 0);
        return;
    }
    CHECK(holder.l_pid == pid);
    CHECK(holder.l_start == its_start && holder.l_len == its_length);
}

ROWS(child_does_not_inherit_locks, "F6") {
    const int fd = fresh_file();
    const pid_t me = getpid();
    CHECK(lock(fd, F_SETLK, F_WRLCK, 10, 20) == 0);
    // The owner itself is never in its own way.
    check_holder(fd, 0, 0, F_UNLCK, 0, 0, 0);
    const pid_t child = IN_CHILD({
        check_holder(fd, 0, 0, F_WRLCK, me, 10, 20);
        CHECK_ERROR(lock(fd, F_SETLK, F_WRLCK, 15, 1), EAGAIN);
        CHECK_ERROR(lock(fd, F_SETLK, F_RDLCK, 29, 1), EAGAIN);
        CHECK(lock(fd, F_SETLK, F_WRLCK, 30, 5) == 0);
        CHECK(lock(fd, F_SETLK, F_RDLCK, 0, 10) == 0);
        // Giving back what one does not have is fine, and takes nothing from anybody.
        CHECK(lock(fd, F_SETLK, F_UNLCK, 0, 0) == 0);
        check_holder(fd, 0, 0, F_WRLCK, me, 10, 20);
        // A close of the inherited descriptor is not the parent's close.
        close(fd);
    });
    wait_exit(child, 0);
    wait_exit(IN_CHILD(check_holder(fd, 0, 0, F_WRLCK, me, 10, 20)), 0);
}

ROWS(read_locks_are_shared, "F6") {
    const int fd = fresh_file();
    const pid_t me = getpid();
    CHECK(lock(fd, F_SETLK, F_RDLCK, 0, 100) == 0);
    const pid_t child = IN_CHILD({
        CHECK(lock(fd, F_SETLK, F_RDLCK, 50, 100) == 0);
        CHECK_ERROR(lock(fd, F_SETLK, F_WRLCK, 50, 100), EAGAIN);
        struct flock query = {.l_type = F_RDLCK, .l_whence = SEEK_SET};
        CHECK(fcntl(fd, F_GETLK, &query) == 0 && query.l_type == F_UNLCK);
        check_holder(fd, 0, 0, F_RDLCK, me, 0, 100);
    });
    wait_exit(child, 0);
    CHECK(lock(fd, F_SETLK, F_WRLCK, 50, 100) == 0);
}

ROWS(ranges_are_split_and_joined, "F6") {
    const int fd = fresh_file();
    const pid_t me = getpid();
    CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 100) == 0);
    CHECK(lock(fd, F_SETLK, F_UNLCK, 40, 20) == 0);
    SEEN_BY_CHILD({
        check_holder(fd, 0, 0, F_WRLCK, me, 0, 40);
        check_holder(fd, 40, 20, F_UNLCK, 0, 0, 0);
        check_holder(fd, 59, 0, F_WRLCK, me, 60, 40);
    });
    // Another type in the middle of a range.
    CHECK(lock(fd, F_SETLK, F_RDLCK, 10, 10) == 0);
    SEEN_BY_CHILD({
        check_holder(fd, 0, 10, F_WRLCK, me, 0, 10);
        check_holder(fd, 12, 1, F_RDLCK, me, 10, 10);
        check_holder(fd, 20, 1, F_WRLCK, me, 20, 20);
    });
    // What touches is one lock again.
    CHECK(lock(fd, F_SETLK, F_WRLCK, 10, 10) == 0);
    CHECK(lock(fd, F_SETLK, F_WRLCK, 40, 20) == 0);
    SEEN_BY_CHILD(check_holder(fd, 0, 0, F_WRLCK, me, 0, 100));
    // Over both ends of what is there.
    CHECK(lock(fd, F_SETLK, F_UNLCK, 0, 0) == 0);
    CHECK(lock(fd, F_SETLK, F_WRLCK, 10, 10) == 0);
    CHECK(lock(fd, F_SETLK, F_WRLCK, 30, 10) == 0);
    CHECK(lock(fd, F_SETLK, F_RDLCK, 15, 20) == 0);
    SEEN_BY_CHILD({
        check_holder(fd, 0, 0, F_WRLCK, me, 10, 5);
        check_holder(fd, 15, 20, F_RDLCK, me, 15, 20);
        check_holder(fd, 35, 0, F_WRLCK, me, 35, 5);
    });
    CHECK(lock(fd, F_SETLK, F_RDLCK, 0, 0) == 0);
    SEEN_BY_CHILD(check_holder(fd, 0, 0, F_RDLCK, me, 0, 0));
    CHECK(lock(fd, F_SETLK, F_UNLCK, 0, 0) == 0);
    SEEN_BY_CHILD(check_holder(fd, 0, 0, F_UNLCK, 0, 0, 0));
}

ROWS(ranges_are_given_in_every_way, "F6") {
    const int fd = fresh_file();
    const pid_t me = getpid();
    CHECK(ftruncate(fd, 1000) == 0);
    CHECK(lseek(fd, 100, SEEK_SET) == 100);
    struct flock request = {.l_type = F_WRLCK, .l_whence = SEEK_CUR, .l_start = -10, .l_len = 5};
    CHECK(fcntl(fd, F_SETLK, &request) == 0);
    SEEN_BY_CHILD(check_holder(fd, 0, 0, F_WRLCK, me, 90, 5));
    request = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = 0, .l_len = 0};
    CHECK(fcntl(fd, F_SETLK, &request) == 0);
    SEEN_BY_CHILD(check_holder(fd, 500, 0, F_WRLCK, me, 1000, 0));
    // A length below zero: the bytes before the start.
    request = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = 50, .l_len = -10};
    CHECK(fcntl(fd, F_SETLK, &request) == 0);
    SEEN_BY_CHILD(check_holder(fd, 0, 0, F_WRLCK, me, 40, 10));
    // To the last byte that there can be is to the end.
    CHECK(lock(fd, F_SETLK, F_UNLCK, 0, 0) == 0);
    CHECK(lock(fd, F_SETLK, F_WRLCK, INT64_MAX, 1) == 0);
    SEEN_BY_CHILD(check_holder(fd, 0, 0, F_WRLCK, me, INT64_MAX, 0));

    CHECK_ERROR(lock(fd, F_SETLK, F_WRLCK, -1, 1), EINVAL);
    CHECK_ERROR(lock(fd, F_SETLK, F_WRLCK, 5, -6), EINVAL);
    CHECK_ERROR(lock(fd, F_SETLK, F_WRLCK, 2, INT64_MAX), EOVERFLOW);
    request = (struct flock){.l_type = F_WRLCK, .l_whence = SEEK_END, .l_start = INT64_MAX, .l_len = 0};
    CHECK_ERROR(fcntl(fd, F_SETLK, &request), EOVERFLOW);
    request = (struct flock){.l_type = F_WRLCK, .l_whence = 3};
    CHECK_ERROR(fcntl(fd, F_SETLK, &request), EINVAL);
    CHECK_ERROR(lock(fd, F_SETLK, 3, 0, 0), EINVAL);
    CHECK_ERROR(lock(fd, F_GETLK, F_UNLCK, 0, 0), EINVAL);
}

ROWS(locks_want_the_right_descriptor, "F6") {
    const int fd = fresh_file();
    const int reader = open(lock_path, O_RDONLY);
    const int writer = open(lock_path, O_WRONLY);
    const int named = open(lock_path, O_PATH);
    CHECK(reader >= 0 && writer >= 0 && named >= 0);
    CHECK_ERROR(lock(reader, F_SETLK, F_WRLCK, 0, 0), EBADF);
    CHECK_ERROR(lock(writer, F_SETLK, F_RDLCK, 0, 0), EBADF);
    CHECK_ERROR(lock(named, F_SETLK, F_RDLCK, 0, 0), EBADF);
    CHECK_ERROR(lock(named, F_GETLK, F_RDLCK, 0, 0), EBADF);
    CHECK_ERROR(lock(1000, F_SETLK, F_RDLCK, 0, 0), EBADF);
    CHECK_ERROR(fcntl(fd, F_SETLK, opaque(8)), EFAULT);
    CHECK_ERROR(fcntl(fd, F_GETLK, opaque(8)), EFAULT);
    CHECK(lock(reader, F_SETLK, F_RDLCK, 0, 0) == 0);
    CHECK(lock(reader, F_GETLK, F_WRLCK, 0, 0) == 0);
    CHECK(lock(writer, F_SETLK, F_WRLCK, 0, 0) == 0);
}

ROWS(any_close_gives_locks_back, "F6") {
    const int fd = fresh_file();
    const int other = open(lock_path, O_RDONLY);
    CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 10) == 0);
    SEEN_BY_CHILD(CHECK_ERROR(lock(fd, F_SETLK, F_WRLCK, 0, 10), EAGAIN));
    close(other);
    SEEN_BY_CHILD(CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 10) == 0));
    // dup2 over a descriptor closes it.
    const int again = dup(fd);
    CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 10) == 0);
    CHECK(dup2(0, again) == again);
    SEEN_BY_CHILD(CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 10) == 0));
    // So does the end of the process, however it comes.
    const struct meeting here = meeting_open();
    const pid_t child = IN_CHILD({
        CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 10) == 0);
        meeting_tell(here);
        pause();
    });
    meeting_await(here);
    check_holder(fd, 0, 0, F_WRLCK, child, 0, 10);
    CHECK(kill(child, SIGKILL) == 0);
    wait_status(child);
    CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 10) == 0);
}

// Reads until the end of the pipe that is its input.
static void* exec_sleeper(void* unused) {
    execl("/bin/cat", "cat", (char*)NULL);
    _exit(127);
    return unused;
}

ROWS(exec_keeps_locks, "F6") {
    const int fd = fresh_file();
    for (int threaded = 0; threaded < 2; ++threaded) {
        const struct meeting here = meeting_open();
        int release[2];
        CHECK(pipe(release) == 0);
        const pid_t child = IN_CHILD({
            close(release[1]);
            CHECK(dup2(release[0], 0) == 0);
            CHECK(fcntl(here.ends[1], F_SETFD, FD_CLOEXEC) == 0);
            close(here.ends[0]);
            CHECK(lock(fd, F_SETLK, F_WRLCK, 7, 3) == 0);
            pthread_t thread;
            if (!threaded) exec_sleeper(NULL);
            CHECK(pthread_create(&thread, NULL, exec_sleeper, NULL) == 0);
            for (;;) pause();
        });
        close(release[0]);
        close(here.ends[1]);
        char byte;
        // The end of file comes when execve closes the other end.
        CHECK(read(here.ends[0], &byte, 1) == 0);
        check_holder(fd, 0, 0, F_WRLCK, child, 7, 3);
        close(release[1]);
        wait_exit(child, 0);
        check_holder(fd, 0, 0, F_UNLCK, 0, 0, 0);
    }
}

static void* lock_in_thread(void* descriptor) {
    const int fd = *(int*)descriptor;
    CHECK(lock(fd, F_SETLK, F_WRLCK, 5, 10) == 0);
    check_holder(fd, 0, 0, F_UNLCK, 0, 0, 0);
    return NULL;
}

ROWS(threads_share_the_owner, "F6,C4") {
    int fd = fresh_file();
    const pid_t me = getpid();
    CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 10) == 0);
    pthread_t thread;
    CHECK(pthread_create(&thread, NULL, lock_in_thread, &fd) == 0);
    CHECK(pthread_join(thread, NULL) == 0);
    // The thread's lock joined the process's own, and outlives the thread.
    SEEN_BY_CHILD(check_holder(fd, 0, 0, F_WRLCK, me, 0, 15));
}

static int share_files(void* argument) {
    const int fd = *(int*)argument;
    // The same table of descriptors is the same owner.
    if (lock(fd, F_SETLK, F_WRLCK, 0, 0) != 0) return 1;
    return 0;
}

ROWS(clone_files_shares_the_owner, "F6,C4") {
    int fd = fresh_file();
    CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 10) == 0);
    char* stack = map_pages(16, MAP_PRIVATE);
    const pid_t child = clone(share_files, stack + 16 * PAGE, CLONE_FILES | SIGCHLD, &fd);
    CHECK(child > 0);
    wait_exit(child, 0);
    // The child's end closed nothing.
    SEEN_BY_CHILD(CHECK_ERROR(lock(fd, F_SETLK, F_WRLCK, 100, 1), EAGAIN));
}

ROWS(waiting_for_a_lock, "F6") {
    const int fd = fresh_file();
    const struct meeting here = meeting_open();
    const struct meeting there = meeting_open();
    CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 10) == 0);
    const pid_t child = IN_CHILD({
        meeting_tell(here);
        CHECK(lock(fd, F_SETLKW, F_WRLCK, 5, 1) == 0);
        meeting_tell(here);
        meeting_await(there);
    });
    meeting_await(here);
    await_sleep(child);
    // Not the part that it waits for.
    CHECK(lock(fd, F_SETLK, F_UNLCK, 0, 5) == 0);
    await_sleep(child);
    check_holder(fd, 0, 0, F_UNLCK, 0, 0, 0);
    CHECK(lock(fd, F_SETLK, F_UNLCK, 5, 1) == 0);
    meeting_await(here);
    check_holder(fd, 0, 0, F_WRLCK, child, 5, 1);
    meeting_tell(there);
    wait_exit(child, 0);
    CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0);
}

ROWS(a_read_lock_lets_waiting_readers_in, "F6") {
    const int fd = fresh_file();
    const struct meeting here = meeting_open();
    CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0);
    const pid_t child = IN_CHILD({
        meeting_tell(here);
        CHECK(lock(fd, F_SETLKW, F_RDLCK, 0, 0) == 0);
    });
    meeting_await(here);
    await_sleep(child);
    CHECK(lock(fd, F_SETLK, F_RDLCK, 0, 0) == 0);
    wait_exit(child, 0);
}

ROWS(signals_end_the_wait, "F6") {
    const int fd = fresh_file();
    CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0);
    const struct meeting here = meeting_open();
    pid_t child = IN_CHILD({
        catch_signal(SIGUSR1, 0);
        meeting_tell(here);
        CHECK_ERROR(lock(fd, F_SETLKW, F_WRLCK, 0, 0), EINTR);
        CHECK_ERROR(lock(fd, F_SETLK, F_WRLCK, 0, 0), EAGAIN);
    });
    meeting_await(here);
    await_sleep(child);
    CHECK(kill(child, SIGUSR1) == 0);
    wait_exit(child, 0);
    // With SA_RESTART the wait goes on.
    child = IN_CHILD({
        catch_signal(SIGUSR1, SA_RESTART);
        meeting_tell(here);
        CHECK(lock(fd, F_SETLKW, F_WRLCK, 0, 0) == 0);
    });
    meeting_await(here);
    await_sleep(child);
    CHECK(kill(child, SIGUSR1) == 0);
    await_sleep(child);
    CHECK(waitpid(child, NULL, WNOHANG) == 0);
    CHECK(lock(fd, F_SETLK, F_UNLCK, 0, 0) == 0);
    wait_exit(child, 0);
}

ROWS(rings_of_waiters_are_refused, "F6") {
    const int fd = fresh_file();
    const struct meeting here = meeting_open();
    const struct meeting there = meeting_open();
    CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 1) == 0);
    const pid_t child = IN_CHILD({
        CHECK(lock(fd, F_SETLK, F_WRLCK, 1, 1) == 0);
        meeting_tell(here);
        CHECK(lock(fd, F_SETLKW, F_WRLCK, 0, 1) == 0);
    });
    meeting_await(here);
    await_sleep(child);
    CHECK_ERROR(lock(fd, F_SETLKW, F_WRLCK, 1, 1), EDEADLK);
    // It still waits, and gets what it waits for.
    CHECK(lock(fd, F_SETLK, F_UNLCK, 0, 1) == 0);
    wait_exit(child, 0);

    // Three in a ring.
    CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 1) == 0);
    pid_t ring[2];
    for (int i = 0; i < 2; ++i) {
        ring[i] = IN_CHILD({
            CHECK(lock(fd, F_SETLK, F_WRLCK, 1 + i, 1) == 0);
            meeting_tell(here);
            meeting_await(there);
            CHECK(lock(fd, F_SETLKW, F_WRLCK, i, 1) == 0);
        });
        meeting_await(here);
    }
    meeting_tell(there);
    meeting_tell(there);
    pause_ms(100);
    await_sleep(ring[0]);
    await_sleep(ring[1]);
    CHECK_ERROR(lock(fd, F_SETLKW, F_WRLCK, 2, 1), EDEADLK);
    CHECK(lock(fd, F_SETLK, F_UNLCK, 0, 1) == 0);
    wait_exit(ring[0], 0);
    wait_exit(ring[1], 0);
}

GUEST_ROWS(locks_leave_nothing_behind, "W10") {
    uint64_t before = 0;
    for (int round = 0; round < 40; ++round) {
        if (round == 20) before = free_ram();
        const pid_t child = IN_CHILD({
            const int fd = open(lock_path, O_RDWR | O_CREAT, 0600);
            for (int i = 0; i < 500; ++i) CHECK(lock(fd, F_SETLK, i % 2 ? F_WRLCK : F_RDLCK, i, 1) == 0);
            CHECK(lock(fd, F_OFD_SETLK, F_WRLCK, 1000, 1) == 0);
            CHECK(flock(fd, LOCK_EX) == 0);
        });
        wait_exit(child, 0);
    }
    CHECK(free_ram() == before);
}
