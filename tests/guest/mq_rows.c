// POSIX message queues.
#include "ipc_rows.h"

#include <mqueue.h>
#include <poll.h>
#include <pthread.h>
#include <sys/stat.h>

static char name[64];

static mqd_t new_queue(int flags, long messages, long bytes) {
    snprintf(name, sizeof(name), "/mq_rows.%d", getpid());
    mq_unlink(name);
    struct mq_attr attr = {.mq_maxmsg = messages, .mq_msgsize = bytes};
    const mqd_t queue = mq_open(name, O_RDWR | O_CREAT | O_EXCL | flags, 0600, &attr);
    CHECK(queue >= 0);
    return queue;
}

static void check_receive(mqd_t queue, const char* text, unsigned priority) {
    char buffer[8192];
    unsigned its_priority = 77;
    CHECK(mq_receive(queue, buffer, sizeof(buffer), &its_priority) == (ssize_t)strlen(text));
    CHECK(memcmp(buffer, text, strlen(text)) == 0 && its_priority == priority);
}

static struct mq_attr attr_of(mqd_t queue) {
    struct mq_attr attr;
    CHECK(mq_getattr(queue, &attr) == 0);
    return attr;
}

static struct timespec soon(long ms) {
    struct timespec now;
    CHECK(clock_gettime(CLOCK_REALTIME, &now) == 0);
    now.tv_nsec += ms * 1000000;
    now.tv_sec += now.tv_nsec / 1000000000;
    now.tv_nsec %= 1000000000;
    return now;
}

ROWS(queues_have_names, "F11") {
    const mqd_t queue = new_queue(0, 3, 100);
    CHECK((fcntl(queue, F_GETFD) & FD_CLOEXEC) != 0);
    CHECK_ERROR(mq_open(name, O_RDWR | O_CREAT | O_EXCL, 0600, NULL), EEXIST);
    const mqd_t again = mq_open(name, O_RDONLY);
    CHECK(again >= 0 && again != queue);
    CHECK(mq_send(queue, "x", 1, 0) == 0);
    CHECK(attr_of(again).mq_curmsgs == 1);
    CHECK_ERROR(mq_send(again, "x", 1, 0), EBADF);
    check_receive(again, "x", 0);
    // Who has it open keeps it; the name is free at once.
    CHECK(mq_unlink(name) == 0);
    CHECK_ERROR(mq_unlink(name), ENOENT);
    CHECK_ERROR(mq_open(name, O_RDWR), ENOENT);
    CHECK(mq_send(queue, "still", 5, 0) == 0);
    check_receive(again, "still", 0);
    CHECK(mq_close(queue) == 0 && mq_close(again) == 0);

    CHECK_ERROR(mq_open("/", O_RDWR), ENOENT);
    CHECK_ERROR(mq_open("/a/b", O_RDWR | O_CREAT, 0600, NULL), EACCES);
    CHECK_ERROR(mq_open("/.", O_RDWR), EACCES);
    CHECK_ERROR(mq_open("/..", O_RDWR), EACCES);
    char longest[300];
    memset(longest, 'n', sizeof(longest));
    longest[0] = '/';
    longest[257] = 0;
    CHECK_ERROR(mq_open(longest, O_RDWR | O_CREAT, 0600, NULL), ENAMETOOLONG);
    longest[256] = 0;
    const mqd_t named = mq_open(longest, O_RDWR | O_CREAT, 0600, NULL);
    CHECK(named >= 0 && mq_unlink(longest) == 0);
    // Without attributes: the defaults.
    CHECK(attr_of(named).mq_maxmsg == 10 && attr_of(named).mq_msgsize == 8192);
}

ROWS(queues_have_limits, "F11") {
    struct mq_attr attr = {.mq_maxmsg = 0, .mq_msgsize = 10};
    CHECK_ERROR(mq_open("/mq_rows.bad", O_RDWR | O_CREAT, 0600, &attr), EINVAL);
    attr = (struct mq_attr){.mq_maxmsg = 10, .mq_msgsize = 0};
    CHECK_ERROR(mq_open("/mq_rows.bad", O_RDWR | O_CREAT, 0600, &attr), EINVAL);
    attr = (struct mq_attr){.mq_maxmsg = -1, .mq_msgsize = 10};
    CHECK_ERROR(mq_open("/mq_rows.bad", O_RDWR | O_CREAT, 0600, &attr), EINVAL);
    attr = (struct mq_attr){.mq_maxmsg = 65537, .mq_msgsize = 10};
    CHECK_ERROR(mq_open("/mq_rows.bad", O_RDWR | O_CREAT, 0600, &attr), EINVAL);
    attr = (struct mq_attr){.mq_maxmsg = 1, .mq_msgsize = 16 * 1024 * 1024 + 1};
    CHECK_ERROR(mq_open("/mq_rows.bad", O_RDWR | O_CREAT, 0600, &attr), EINVAL);
    CHECK_ERROR(mq_open("/mq_rows.bad", O_RDWR), ENOENT);
    if (geteuid() == 0) {
        wait_exit(IN_CHILD({
                      become(NOBODY);
                      struct mq_attr more = {.mq_maxmsg = 11, .mq_msgsize = 10};
                      CHECK_ERROR(mq_open("/mq_rows.bad", O_RDWR | O_CREAT, 0600, &more), EINVAL);
                      more = (struct mq_attr){.mq_maxmsg = 10, .mq_msgsize = 8193};
                      CHECK_ERROR(mq_open("/mq_rows.bad", O_RDWR | O_CREAT, 0600, &more), EINVAL);
                  }),
                  0);
    }
    CHECK(sysctl_number("fs/mqueue/msg_max") == 10 && sysctl_number("fs/mqueue/msgsize_max") == 8192);
    CHECK(sysctl_number("fs/mqueue/queues_max") == 256);
    // What a user's queues may take is limited, the privileged ones' as well.
    struct rlimit limit = {2 * (10 * 100 + 20 * 48) - 1, RLIM_INFINITY};
    CHECK(getrlimit(RLIMIT_MSGQUEUE, &limit) == 0);
    wait_exit(IN_CHILD({
                  const uid_t other = 12345;
                  if (geteuid() == 0) become(other);
                  limit.rlim_cur = 2 * (10 * 100 + 20 * 48) - 1;
                  CHECK(setrlimit(RLIMIT_MSGQUEUE, &limit) == 0);
                  new_queue(0, 10, 100);
                  attr = (struct mq_attr){.mq_maxmsg = 10, .mq_msgsize = 100};
                  if (getuid() == other) {
                      CHECK_ERROR(mq_open("/mq_rows.more", O_RDWR | O_CREAT, 0600, &attr), EMFILE);
                      attr.mq_msgsize = 99;
                      const mqd_t fits = mq_open("/mq_rows.more", O_RDWR | O_CREAT, 0600, &attr);
                      CHECK(fits >= 0 && mq_unlink("/mq_rows.more") == 0);
                  }
                  mq_unlink(name);
              }),
              0);
}

ROWS(messages_come_by_priority, "F11") {
    const mqd_t queue = new_queue(0, 8, 100);
    CHECK(mq_send(queue, "a1", 2, 1) == 0 && mq_send(queue, "b3", 2, 3) == 0 && mq_send(queue, "c1", 2, 1) == 0);
    CHECK(mq_send(queue, "d3", 2, 3) == 0 && mq_send(queue, "e0", 2, 0) == 0);
    CHECK(mq_send(queue, "max", 3, 32767) == 0 && mq_send(queue, "", 0, 2) == 0);
    CHECK(attr_of(queue).mq_curmsgs == 7);
    check_receive(queue, "max", 32767);
    check_receive(queue, "b3", 3);
    check_receive(queue, "d3", 3);
    check_receive(queue, "", 2);
    check_receive(queue, "a1", 1);
    check_receive(queue, "c1", 1);
    check_receive(queue, "e0", 0);
    CHECK_ERROR(mq_send(queue, "x", 1, 32768), EINVAL);
    static char large[200];
    CHECK_ERROR(mq_send(queue, large, 101, 0), EMSGSIZE);
    CHECK(mq_send(queue, large, 100, 0) == 0);
    CHECK_ERROR(mq_receive(queue, large, 99, NULL), EMSGSIZE);
    CHECK(mq_receive(queue, large, 100, NULL) == 100);
    CHECK_ERROR(mq_send(queue, opaque(8), 1, 0), EFAULT);
    CHECK_ERROR(mq_send(1000, "x", 1, 0), EBADF);
    int ends[2];
    CHECK(pipe(ends) == 0);
    CHECK_ERROR(mq_send(ends[1], "x", 1, 0), EBADF);
    CHECK_ERROR(mq_receive(ends[0], large, 100, NULL), EBADF);
    struct mq_attr attr;
    CHECK_ERROR(mq_getattr(ends[0], &attr), EBADF);
    mq_unlink(name);
}

ROWS(descriptors_are_inherited, "F11,F10") {
    const mqd_t queue = new_queue(0, 4, 100);
    CHECK(mq_send(queue, "from the parent", 15, 4) == 0);
    const pid_t child = IN_CHILD({
        check_receive(queue, "from the parent", 4);
        CHECK(mq_send(queue, "from the child", 14, 5) == 0);
        // One description: its flags are common.
        struct mq_attr attr = {.mq_flags = O_NONBLOCK};
        CHECK(mq_setattr(queue, &attr, NULL) == 0);
        CHECK(mq_close(queue) == 0);
    });
    wait_exit(child, 0);
    CHECK(attr_of(queue).mq_flags == O_NONBLOCK);
    check_receive(queue, "from the child", 5);
    mq_unlink(name);
}

ROWS(nonblocking_queues_refuse, "F11") {
    const mqd_t queue = new_queue(O_NONBLOCK, 2, 10);
    char buffer[10];
    CHECK_ERROR(mq_receive(queue, buffer, 10, NULL), EAGAIN);
    CHECK(mq_send(queue, "1", 1, 0) == 0 && mq_send(queue, "2", 1, 0) == 0);
    CHECK_ERROR(mq_send(queue, "3", 1, 0), EAGAIN);
    struct mq_attr old;
    struct mq_attr attr = {.mq_flags = 0, .mq_maxmsg = 99, .mq_msgsize = 99};
    CHECK(mq_setattr(queue, &attr, &old) == 0);
    CHECK(old.mq_flags == O_NONBLOCK && old.mq_maxmsg == 2 && old.mq_msgsize == 10 && old.mq_curmsgs == 2);
    // Only the flag is changed.
    CHECK(attr_of(queue).mq_flags == 0 && attr_of(queue).mq_maxmsg == 2);
    attr.mq_flags = O_NONBLOCK | O_APPEND;
    CHECK_ERROR(mq_setattr(queue, &attr, NULL), EINVAL);
    CHECK((fcntl(queue, F_GETFL) & (O_NONBLOCK | O_ACCMODE)) == O_RDWR);

    struct timespec past = {0, 0};
    CHECK_ERROR(mq_timedsend(queue, "3", 1, 0, &past), ETIMEDOUT);
    struct timespec bad = {0, 1000000000};
    CHECK_ERROR(mq_timedsend(queue, "3", 1, 0, &bad), EINVAL);
    bad = (struct timespec){-1, 0};
    CHECK_ERROR(mq_timedreceive(queue, buffer, 10, NULL, &bad), EINVAL);
    struct timespec later = soon(60);
    CHECK_ERROR(mq_timedsend(queue, "3", 1, 0, &later), ETIMEDOUT);
    // What need not wait does not look at the time.
    CHECK(mq_timedreceive(queue, buffer, 10, NULL, &past) == 1 && buffer[0] == '1');
    CHECK(mq_receive(queue, buffer, 10, NULL) == 1 && buffer[0] == '2');
    CHECK_ERROR(mq_timedreceive(queue, buffer, 10, NULL, &past), ETIMEDOUT);
    later = soon(60);
    CHECK_ERROR(mq_timedreceive(queue, buffer, 10, NULL, &later), ETIMEDOUT);
    mq_unlink(name);
}

ROWS(senders_and_receivers_wait, "F11") {
    const mqd_t queue = new_queue(0, 1, 10);
    pid_t child = IN_CHILD(check_receive(queue, "first", 9));
    await_sleep(child);
    CHECK(waitpid(child, NULL, WNOHANG) == 0);
    CHECK(mq_send(queue, "first", 5, 9) == 0);
    wait_exit(child, 0);
    CHECK(attr_of(queue).mq_curmsgs == 0);
    CHECK(mq_send(queue, "second", 6, 1) == 0);
    child = IN_CHILD(CHECK(mq_send(queue, "third", 5, 2) == 0));
    await_sleep(child);
    CHECK(waitpid(child, NULL, WNOHANG) == 0);
    CHECK(attr_of(queue).mq_curmsgs == 1);
    check_receive(queue, "second", 1);
    wait_exit(child, 0);
    check_receive(queue, "third", 2);
    mq_unlink(name);
}

ROWS(signals_end_waits_for_queues, "F11") {
    const mqd_t queue = new_queue(0, 1, 10);
    const struct meeting meeting = meeting_open();
    char buffer[10];
    pid_t child = IN_CHILD({
        catch_signal(SIGUSR1, 0);
        meeting_tell(meeting);
        CHECK_ERROR(mq_receive(queue, buffer, 10, NULL), EINTR);
        CHECK(mq_send(queue, "x", 1, 0) == 0);
        meeting_tell(meeting);
        CHECK_ERROR(mq_send(queue, "x", 1, 0), EINTR);
        check_receive(queue, "x", 0);
        // With SA_RESTART it goes on waiting.
        catch_signal(SIGUSR1, SA_RESTART);
        meeting_tell(meeting);
        check_receive(queue, "y", 0);
    });
    for (int i = 0; i < 3; ++i) {
        meeting_await(meeting);
        await_sleep(child);
        CHECK(kill(child, SIGUSR1) == 0);
    }
    await_sleep(child);
    CHECK(waitpid(child, NULL, WNOHANG) == 0);
    CHECK(mq_send(queue, "y", 1, 0) == 0);
    wait_exit(child, 0);
    mq_unlink(name);
}

ROWS(queues_can_be_polled, "F11") {
    const mqd_t queue = new_queue(0, 1, 10);
    struct pollfd poller = {queue, POLLIN | POLLOUT, 0};
    CHECK(poll(&poller, 1, 0) == 1 && poller.revents == POLLOUT);
    CHECK(mq_send(queue, "x", 1, 0) == 0);
    CHECK(poll(&poller, 1, 0) == 1 && poller.revents == POLLIN);
    const pid_t child = IN_CHILD({
        pause_ms(50);
        check_receive(queue, "x", 0);
        pause_ms(50);
        CHECK(mq_send(queue, "y", 1, 0) == 0);
    });
    poller.events = POLLOUT;
    CHECK(poll(&poller, 1, 10000) == 1 && poller.revents == POLLOUT);
    poller.events = POLLIN;
    CHECK(poll(&poller, 1, 10000) == 1 && poller.revents == POLLIN);
    wait_exit(child, 0);
    check_receive(queue, "y", 0);
    mq_unlink(name);
}

static volatile sig_atomic_t told;
static siginfo_t told_info;
static void on_message(int sig, siginfo_t* info, void* context) {
    (void)sig;
    (void)context;
    told_info = *info;
    ++told;
}

ROWS(a_process_is_told_of_a_message, "F11") {
    const mqd_t queue = new_queue(0, 2, 10);
    struct sigaction action = {.sa_sigaction = on_message, .sa_flags = SA_SIGINFO | SA_RESTART};
    CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
    struct sigevent event = {.sigev_notify = SIGEV_SIGNAL, .sigev_signo = SIGUSR1, .sigev_value.sival_int = 4711};
    CHECK(mq_notify(queue, &event) == 0);
    CHECK_ERROR(mq_notify(queue, &event), EBUSY);
    const pid_t child = IN_CHILD({
        // One process at a time; and only that one can give it up.
        CHECK_ERROR(mq_notify(queue, &event), EBUSY);
        CHECK(mq_notify(queue, NULL) == 0);
        CHECK_ERROR(mq_notify(queue, &event), EBUSY);
        CHECK(mq_send(queue, "x", 1, 0) == 0);
    });
    wait_exit(child, 0);
    for (int i = 0; i < 200 && told == 0; ++i) pause_ms(10);
    CHECK(told == 1);
    CHECK(told_info.si_signo == SIGUSR1 && told_info.si_code == SI_MESGQ && told_info.si_pid == child);
    CHECK(told_info.si_uid == getuid() && told_info.si_value.sival_int == 4711);
    // Once only, and not for a message to a queue that is not empty.
    CHECK(mq_notify(queue, &event) == 0);
    CHECK(mq_send(queue, "y", 1, 0) == 0);
    CHECK(told == 1);
    check_receive(queue, "x", 0);
    check_receive(queue, "y", 0);
    // A receiver that waits comes first.
    const pid_t receiver = IN_CHILD(check_receive(queue, "z", 0));
    await_sleep(receiver);
    CHECK(mq_send(queue, "z", 1, 0) == 0);
    wait_exit(receiver, 0);
    CHECK(told == 1);
    CHECK(mq_send(queue, "w", 1, 0) == 0);
    CHECK(told == 2 && told_info.si_pid == getpid());
    check_receive(queue, "w", 0);

    // A close of any descriptor of the queue ends it; so does the end of the process.
    CHECK(mq_notify(queue, &event) == 0);
    CHECK(mq_close(dup(queue)) == 0);
    CHECK(mq_notify(queue, &event) == 0);
    CHECK(mq_notify(queue, NULL) == 0);
    wait_exit(IN_CHILD(CHECK(mq_notify(queue, &event) == 0)), 0);
    event.sigev_notify = SIGEV_NONE;
    CHECK(mq_notify(queue, &event) == 0);
    CHECK(mq_send(queue, "v", 1, 0) == 0 && told == 2);
    event.sigev_notify = SIGEV_SIGNAL;
    CHECK(mq_notify(queue, &event) == 0);

    event.sigev_signo = 65;
    CHECK_ERROR(mq_notify(queue, &event), EINVAL);
    event = (struct sigevent){.sigev_notify = 77};
    CHECK_ERROR(mq_notify(queue, &event), EINVAL);
    event = (struct sigevent){.sigev_notify = SIGEV_NONE};
    CHECK_ERROR(mq_notify(0, &event), EBADF);
    // A thread is started through a socket. (The C library makes it; the kernel looks for it.)
    event = (struct sigevent){.sigev_notify = SIGEV_THREAD, .sigev_signo = 1000, .sigev_value.sival_ptr = name};
    CHECK_ERROR(syscall(SYS_mq_notify, queue, &event), EBADF);
    event.sigev_signo = queue;
    CHECK_ERROR(syscall(SYS_mq_notify, queue, &event), ENOTSOCK);
    mq_unlink(name);
}

ROWS(rights_on_mqueues, "F11") {
    if (geteuid() != 0) return;
    new_queue(0, 2, 10);
    wait_exit(IN_CHILD({
                  become(NOBODY);
                  CHECK_ERROR(mq_open(name, O_RDONLY), EACCES);
                  CHECK_ERROR(mq_open(name, O_WRONLY | O_CREAT, 0600, NULL), EACCES);
                  CHECK_ERROR(mq_unlink(name), EACCES);
              }),
              0);
    mq_unlink(name);
    umask(0022);
    const mqd_t shown = mq_open(name, O_RDWR | O_CREAT, 0666, NULL);
    struct stat info;
    CHECK(fstat(shown, &info) == 0 && (info.st_mode & 0777) == 0644 && S_ISREG(info.st_mode));
    wait_exit(IN_CHILD({
                  become(NOBODY);
                  CHECK(mq_open(name, O_RDONLY) >= 0);
                  CHECK_ERROR(mq_open(name, O_WRONLY), EACCES);
                  CHECK_ERROR(mq_unlink(name), EACCES);
              }),
              0);
    mq_unlink(name);
}

ROWS(queues_can_be_read_as_files, "F11") {
    const mqd_t queue = new_queue(0, 2, 10);
    char text[100] = {0};
    CHECK(mq_send(queue, "12345", 5, 0) == 0);
    const ssize_t length = read(queue, text, sizeof(text));
    CHECK(length > 0 && strncmp(text, "QSIZE:5          NOTIFY:0     SIGNO:0     NOTIFY_PID:0     \n", (size_t)length) == 0);
    CHECK(read(queue, text, sizeof(text)) == 0);
    CHECK_ERROR(write(queue, "x", 1), EINVAL);
    mq_unlink(name);
}

ROWS(queues_are_seen_where_they_are_mounted, "F11") {
    const char* place = scratch_directory();
    // The host's sandbox may forbid mounting.
    if (syscall(SYS_mount, "none", place, "mqueue", 0, NULL) != 0) {
        CHECK(!on_guest());
        rmdir(place);
        return;
    }
    const mqd_t queue = new_queue(0, 2, 10);
    char path[200];
    snprintf(path, sizeof(path), "%s%s", place, name);
    struct stat info;
    CHECK(stat(path, &info) == 0 && info.st_size == 80 && info.st_nlink == 1);
    const int by_path = open(path, O_RDWR);
    CHECK(by_path >= 0 && mq_send(by_path, "path", 4, 1) == 0);
    check_receive(queue, "path", 1);
    CHECK(close(by_path) == 0);
    CHECK(unlink(path) == 0);
    CHECK_ERROR(mq_open(name, O_RDWR), ENOENT);
    // A file that is made there is a queue.
    CHECK(close(open(path, O_RDWR | O_CREAT, 0600)) == 0);
    const mqd_t made = mq_open(name, O_RDWR);
    CHECK(made >= 0 && attr_of(made).mq_maxmsg == 10);
    CHECK_ERROR(mkdir(path, 0700), EEXIST);
    CHECK(mq_unlink(name) == 0);
    CHECK_ERROR(mkdir(path, 0700), EPERM);
    CHECK(syscall(SYS_umount2, place, 0) == 0);
    CHECK(rmdir(place) == 0);
}

GUEST_ROWS(queues_leave_nothing_behind, "W10,F11") {
    uint64_t before = 0;
    for (int round = 0; round < 30; ++round) {
        if (round == 15) before = free_ram();
        wait_exit(IN_CHILD({
                      for (int i = 0; i < 5; ++i) {
                          const mqd_t queue = new_queue(0, 10, 1000);
                          for (int n = 0; n < 10; ++n) CHECK(mq_send(queue, name, 900, 0) == 0);
                          struct sigevent event = {.sigev_notify = SIGEV_NONE};
                          CHECK(mq_notify(queue, &event) == 0);
                          CHECK(mq_unlink(name) == 0);
                      }
                  }),
                  0);
    }
    CHECK(free_ram() == before);
}
