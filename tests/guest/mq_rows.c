// POSIX message queues: names, limits, order, waiting.
#include "mq_rows.h"

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
