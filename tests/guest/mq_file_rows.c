// POSIX message queues as files, and what is told of them.
#include "mq_rows.h"

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
