// Locks that belong to open file descriptions: fcntl's F_OFD_* and flock.
#define LOCK_FILE "/tmp/flock_rows"
#include "lock_rows.h"

#include <sys/file.h>
#include <sys/stat.h>
#include <sys/sysmacros.h>

ROWS(descriptions_own_locks, "F6,F10") {
    const int fd = fresh_file();
    const int other = open(lock_path, O_RDWR);
    CHECK(lock(fd, F_OFD_SETLK, F_WRLCK, 0, 10) == 0);
    // Another description is another owner, even in the same process; so is the process itself.
    CHECK_ERROR(lock(other, F_OFD_SETLK, F_WRLCK, 0, 10), EAGAIN);
    CHECK_ERROR(lock(fd, F_SETLK, F_WRLCK, 0, 10), EAGAIN);
    struct flock holder = holder_of(fd, F_GETLK, 0, 0);
    CHECK(holder.l_type == F_WRLCK && holder.l_pid == -1 && holder.l_len == 10);
    holder = holder_of(other, F_OFD_GETLK, 0, 0);
    CHECK(holder.l_type == F_WRLCK && holder.l_pid == -1);
    // A child holds it by the descriptor that it inherited.
    SEEN_BY_CHILD({
        CHECK(lock(fd, F_OFD_SETLK, F_WRLCK, 5, 20) == 0);
        close(fd);
    });
    holder = holder_of(other, F_OFD_GETLK, 0, 0);
    CHECK(holder.l_type == F_WRLCK && holder.l_start == 0 && holder.l_len == 25);
    // Other closes leave it alone; that of the last descriptor gives it back.
    close(open(lock_path, O_RDWR));
    CHECK_ERROR(lock(other, F_OFD_SETLK, F_WRLCK, 0, 10), EAGAIN);
    const int copy = dup(fd);
    close(fd);
    CHECK_ERROR(lock(other, F_OFD_SETLK, F_WRLCK, 0, 10), EAGAIN);
    close(copy);
    CHECK(lock(other, F_OFD_SETLK, F_WRLCK, 0, 10) == 0);

    struct flock request = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_pid = 1};
    CHECK_ERROR(fcntl(other, F_OFD_SETLK, &request), EINVAL);
    CHECK_ERROR(fcntl(other, F_OFD_GETLK, &request), EINVAL);
    // A record lock's owner shows in the answer.
    CHECK(lock(other, F_OFD_SETLK, F_UNLCK, 0, 0) == 0);
    CHECK(lock(other, F_SETLK, F_WRLCK, 3, 1) == 0);
    holder = holder_of(other, F_OFD_GETLK, 0, 0);
    CHECK(holder.l_type == F_WRLCK && holder.l_pid == getpid() && holder.l_start == 3);
}

ROWS(waiting_for_a_description, "F6,F10") {
    const int fd = fresh_file();
    const struct meeting here = meeting_open();
    CHECK(lock(fd, F_OFD_SETLK, F_WRLCK, 0, 10) == 0);
    const pid_t child = IN_CHILD({
        const int own = open(lock_path, O_RDWR);
        close(fd);
        meeting_tell(here);
        CHECK(lock(own, F_OFD_SETLKW, F_RDLCK, 0, 0) == 0);
    });
    meeting_await(here);
    await_sleep(child);
    close(fd);
    wait_exit(child, 0);
}

ROWS(flock_belongs_to_the_description, "F10") {
    const int fd = fresh_file();
    const int other = open(lock_path, O_RDONLY);
    const int named = open(lock_path, O_PATH);
    CHECK(flock(fd, LOCK_EX) == 0);
    CHECK_ERROR(flock(other, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    CHECK_ERROR(flock(other, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    // A child may use and give back the very same lock.
    SEEN_BY_CHILD({
        CHECK(flock(fd, LOCK_EX | LOCK_NB) == 0);
        close(fd);
    });
    CHECK_ERROR(flock(other, LOCK_SH | LOCK_NB), EWOULDBLOCK);
    SEEN_BY_CHILD(CHECK(flock(fd, LOCK_UN) == 0));
    CHECK(flock(other, LOCK_EX | LOCK_NB) == 0);
    // To shared: the first one may share it. Back: refused, and what was held is gone.
    CHECK(flock(other, LOCK_SH) == 0);
    CHECK(flock(fd, LOCK_SH | LOCK_NB) == 0);
    CHECK_ERROR(flock(fd, LOCK_EX | LOCK_NB), EWOULDBLOCK);
    CHECK(flock(other, LOCK_EX | LOCK_NB) == 0);
    // The last close gives it back.
    close(other);
    CHECK(flock(fd, LOCK_EX | LOCK_NB) == 0);
    // The two kinds of locks do not see each other.
    SEEN_BY_CHILD(CHECK(lock(fd, F_SETLK, F_WRLCK, 0, 0) == 0));

    CHECK_ERROR(flock(fd, 0), EINVAL);
    CHECK_ERROR(flock(fd, LOCK_SH | LOCK_EX), EINVAL);
    CHECK_ERROR(flock(fd, LOCK_NB), EINVAL);
    CHECK_ERROR(flock(1000, LOCK_SH), EBADF);
    CHECK_ERROR(flock(named, LOCK_SH), EBADF);
    CHECK_ERROR(flock(named, LOCK_UN), EBADF);
}

ROWS(flock_waits, "F10") {
    const int fd = fresh_file();
    CHECK(flock(fd, LOCK_EX) == 0);
    const struct meeting here = meeting_open();
    pid_t child = IN_CHILD({
        const int own = open(lock_path, O_RDWR);
        catch_signal(SIGUSR1, 0);
        meeting_tell(here);
        CHECK_ERROR(flock(own, LOCK_SH), EINTR);
        meeting_tell(here);
        CHECK(flock(own, LOCK_SH) == 0);
    });
    meeting_await(here);
    await_sleep(child);
    CHECK(kill(child, SIGUSR1) == 0);
    meeting_await(here);
    await_sleep(child);
    CHECK(waitpid(child, NULL, WNOHANG) == 0);
    CHECK(flock(fd, LOCK_UN) == 0);
    wait_exit(child, 0);
}

// Whether a file of /proc has a line that ends like that.
static bool has_line(const char* path, const char* end) {
    FILE* file = fopen(path, "r");
    CHECK(file != NULL);
    char line[200];
    bool found = false;
    while (fgets(line, sizeof(line), file) != NULL) {
        const size_t length = strlen(line);
        if (length >= strlen(end) && strcmp(line + length - strlen(end), end) == 0) found = true;
    }
    fclose(file);
    return found;
}

ROWS(locks_are_listed, "F6,F10") {
    const int fd = fresh_file();
    const int other = open(lock_path, O_RDWR);
    struct stat info;
    CHECK(fstat(fd, &info) == 0);
    char where[100];
    char end[200];
    char fdinfo[64];
    snprintf(where, sizeof(where), "%02x:%02x:%lu", major(info.st_dev), minor(info.st_dev), info.st_ino);
    snprintf(fdinfo, sizeof(fdinfo), "/proc/self/fdinfo/%d", fd);
    CHECK(lock(fd, F_SETLK, F_WRLCK, 5, 10) == 0 && lock(fd, F_OFD_SETLK, F_RDLCK, 100, 0) == 0);
    CHECK(flock(fd, LOCK_EX) == 0);
    snprintf(end, sizeof(end), ": POSIX  ADVISORY  WRITE %d %s 5 14\n", getpid(), where);
    CHECK(has_line("/proc/locks", end) && has_line(fdinfo, end));
    snprintf(end, sizeof(end), ": OFDLCK ADVISORY  READ -1 %s 100 EOF\n", where);
    CHECK(has_line("/proc/locks", end) && has_line(fdinfo, end));
    snprintf(end, sizeof(end), ": FLOCK  ADVISORY  WRITE %d %s 0 EOF\n", getpid(), where);
    CHECK(has_line("/proc/locks", end) && has_line(fdinfo, end));
    // Who waits stands below.
    const pid_t child = IN_CHILD(CHECK(lock(other, F_SETLKW, F_RDLCK, 0, 50) == 0));
    snprintf(end, sizeof(end), ": -> POSIX  ADVISORY  READ %d %s 0 49\n", child, where);
    for (int i = 0; i < 500 && !has_line("/proc/locks", end); ++i) pause_ms(10);
    CHECK(has_line("/proc/locks", end));
    CHECK(lock(fd, F_SETLK, F_UNLCK, 0, 0) == 0);
    wait_exit(child, 0);
    CHECK(!has_line("/proc/locks", end));
}
