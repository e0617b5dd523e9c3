// System V message queues.
#include "ipc_rows.h"

#include <limits.h>
#include <sys/msg.h>

#ifndef MSG_COPY
#define MSG_COPY 040000
#endif
#ifndef MSG_STAT_ANY
#define MSG_STAT_ANY 13
#endif

struct message {
    long type;
    char text[8192];
};

static int new_queue(void) {
    const int id = msgget(IPC_PRIVATE, 0600);
    CHECK(id >= 0);
    return id;
}
static void remove_queue(int id) { CHECK(msgctl(id, IPC_RMID, NULL) == 0); }

static int send(int id, long type, const char* text, int flags) {
    struct message message = {.type = type};
    strcpy(message.text, text);
    return msgsnd(id, &message, strlen(text), flags);
}

// The message that comes for `type` has that type and text.
static void check_receive(int id, long type, int flags, long its_type, const char* text) {
    struct message message;
    memset(&message, 0x55, sizeof(message));
    CHECK(msgrcv(id, &message, sizeof(message.text), type, flags | IPC_NOWAIT) == (ssize_t)strlen(text));
    CHECK(message.type == its_type);
    CHECK(memcmp(message.text, text, strlen(text)) == 0 && message.text[strlen(text)] == 0x55);
}

static ssize_t receive(int id, long type, size_t bytes, int flags) {
    static struct message message;
    return msgrcv(id, &message, bytes, type, flags);
}

static struct msqid_ds stat_of(int id) {
    struct msqid_ds info;
    CHECK(msgctl(id, IPC_STAT, &info) == 0);
    return info;
}

ROWS(queues_are_reached_from_both_sides, "F11") {
    const key_t key = own_key(1);
    CHECK_ERROR(msgget(key, 0), ENOENT);
    const int id = msgget(key, IPC_CREAT | IPC_EXCL | 0640);
    CHECK(id >= 0 && msgget(key, 0) == id && msgget(key, IPC_CREAT | 0640) == id);
    CHECK_ERROR(msgget(key, IPC_CREAT | IPC_EXCL), EEXIST);
    CHECK(send(id, 5, "from the parent", 0) == 0);
    const pid_t child = IN_CHILD({
        check_receive(id, 0, 0, 5, "from the parent");
        CHECK(msgget(key, 0) == id);
        CHECK(send(id, 6, "from the child", 0) == 0);
    });
    wait_exit(child, 0);
    struct msqid_ds info = stat_of(id);
    CHECK(info.msg_perm.__key == key && info.msg_perm.mode == 0640 && info.msg_perm.uid == geteuid());
    CHECK(info.msg_qnum == 1 && info.__msg_cbytes == 14 && info.msg_qbytes == 16384);
    CHECK(info.msg_lspid == child && info.msg_lrpid == child);
    CHECK(labs(info.msg_stime - time(NULL)) < 10 && labs(info.msg_rtime - time(NULL)) < 10);
    CHECK(labs(info.msg_ctime - time(NULL)) < 10);
    // A child that ends takes nothing with it.
    check_receive(id, 0, 0, 6, "from the child");
    CHECK(stat_of(id).msg_lrpid == getpid());
    remove_queue(id);
    CHECK_ERROR(msgctl(id, IPC_STAT, &info), EINVAL);
    CHECK_ERROR(send(id, 1, "x", 0), EINVAL);
    CHECK_ERROR(receive(id, 0, 1, IPC_NOWAIT), EINVAL);
}

ROWS(messages_are_chosen_by_type, "F11") {
    const int id = new_queue();
    const long types[] = {3, 1, 2, 3, 1};
    for (int i = 0; i < 5; ++i) {
        char text[8];
        snprintf(text, sizeof(text), "m%d", i);
        CHECK(send(id, types[i], text, 0) == 0);
    }
    CHECK_ERROR(receive(id, 4, 10, IPC_NOWAIT), ENOMSG);
    check_receive(id, 2, 0, 2, "m2");
    // The lowest type up to that number, first one first.
    check_receive(id, -2, 0, 1, "m1");
    check_receive(id, LONG_MIN, 0, 1, "m4");
    CHECK_ERROR(receive(id, -2, 10, IPC_NOWAIT), ENOMSG);
    CHECK(send(id, 7, "m7", 0) == 0);
    check_receive(id, 3, MSG_EXCEPT, 7, "m7");
    check_receive(id, 0, 0, 3, "m0");
    check_receive(id, 0, MSG_EXCEPT, 3, "m3");
    CHECK(stat_of(id).msg_qnum == 0 && stat_of(id).__msg_cbytes == 0);
    // An empty message is a message.
    CHECK(send(id, 9, "", 0) == 0);
    check_receive(id, 0, 0, 9, "");
    remove_queue(id);
}

ROWS(messages_have_their_size, "F11") {
    const int id = new_queue();
    static struct message large = {.type = 1};
    memset(large.text, 'l', sizeof(large.text));
    CHECK(msgsnd(id, &large, 8192, 0) == 0);
    CHECK_ERROR(msgsnd(id, &large, 8193, 0), EINVAL);
    CHECK_ERROR(msgsnd(id, &large, (size_t)-1, 0), EINVAL);
    CHECK_ERROR(receive(id, 0, 8191, 0), E2BIG);
    CHECK_ERROR(receive(id, 0, (size_t)-1, 0), EINVAL);
    CHECK(stat_of(id).msg_qnum == 1);
    // Cut, the rest is lost.
    static struct message cut;
    CHECK(msgrcv(id, &cut, 100, 0, MSG_NOERROR) == 100);
    CHECK(cut.text[99] == 'l' && cut.text[100] == 0);
    CHECK(stat_of(id).msg_qnum == 0);

    large.type = 0;
    CHECK_ERROR(msgsnd(id, &large, 1, 0), EINVAL);
    large.type = -1;
    CHECK_ERROR(msgsnd(id, &large, 1, 0), EINVAL);
    CHECK_ERROR(msgsnd(-1, &large, 1, 0), EINVAL);
    CHECK_ERROR(msgsnd(id, opaque(8), 1, 0), EFAULT);
    CHECK(send(id, 1, "lost", 0) == 0);
    CHECK_ERROR(msgrcv(id, opaque(8), 10, 0, 0), EFAULT);
    CHECK(stat_of(id).msg_qnum == 0);
    CHECK_ERROR(msgctl(id, 99, NULL), EINVAL);
    CHECK_ERROR(msgctl(-1, IPC_STAT, NULL), EINVAL);
    CHECK_ERROR(msgctl(id, IPC_STAT, opaque(8)), EFAULT);
    CHECK_ERROR(msgctl(id, IPC_SET, opaque(8)), EFAULT);
    remove_queue(id);
}

ROWS(messages_can_be_looked_at, "F11") {
    const int id = new_queue();
    CHECK(send(id, 4, "first", 0) == 0 && send(id, 2, "second", 0) == 0);
    check_receive(id, 1, MSG_COPY, 2, "second");
    check_receive(id, 0, MSG_COPY, 4, "first");
    CHECK(stat_of(id).msg_qnum == 2 && stat_of(id).msg_lrpid == 0);
    CHECK_ERROR(receive(id, 2, 10, MSG_COPY | IPC_NOWAIT), ENOMSG);
    CHECK_ERROR(receive(id, 0, 10, MSG_COPY), EINVAL);
    CHECK_ERROR(receive(id, 0, 10, MSG_COPY | IPC_NOWAIT | MSG_EXCEPT), EINVAL);
    CHECK_ERROR(receive(id, 0, 3, MSG_COPY | IPC_NOWAIT), E2BIG);
    CHECK_ERROR(receive(id, 0, 3, MSG_COPY | IPC_NOWAIT | MSG_NOERROR), EINVAL);
    remove_queue(id);
}

static void fill(int id) {
    static struct message large = {.type = 1};
    for (int i = 0; i < 2; ++i) CHECK(msgsnd(id, &large, 8192, IPC_NOWAIT) == 0);
}

ROWS(a_full_queue_makes_senders_wait, "F11") {
    const int id = new_queue();
    fill(id);
    CHECK_ERROR(send(id, 1, "x", IPC_NOWAIT), EAGAIN);
    CHECK(send(id, 1, "", IPC_NOWAIT) == 0);
    const struct meeting meeting = meeting_open();
    pid_t child = IN_CHILD({
        meeting_tell(meeting);
        CHECK(send(id, 2, "waited", 0) == 0);
    });
    meeting_await(meeting);
    await_sleep(child);
    CHECK(waitpid(child, NULL, WNOHANG) == 0);
    CHECK(receive(id, 1, 8192, 0) == 8192);
    wait_exit(child, 0);
    check_receive(id, 2, 0, 2, "waited");
    // A higher limit is room as well.
    struct msqid_ds info = stat_of(id);
    info.msg_qbytes = 100;
    CHECK(msgctl(id, IPC_SET, &info) == 0 && stat_of(id).msg_qbytes == 100);
    CHECK_ERROR(send(id, 1, "x", IPC_NOWAIT), EAGAIN);
    child = IN_CHILD(CHECK(send(id, 1, "x", 0) == 0));
    await_sleep(child);
    CHECK(waitpid(child, NULL, WNOHANG) == 0);
    info.msg_qbytes = 16384;
    CHECK(msgctl(id, IPC_SET, &info) == 0);
    wait_exit(child, 0);
    // Removing the queue ends the wait.
    static struct message large = {.type = 1};
    child = IN_CHILD(CHECK_ERROR(msgsnd(id, &large, 8192, 0), EIDRM));
    await_sleep(child);
    remove_queue(id);
    wait_exit(child, 0);
}

ROWS(receivers_wait, "F11") {
    const int id = new_queue();
    const struct meeting meeting = meeting_open();
    pid_t child = IN_CHILD({
        meeting_tell(meeting);
        CHECK(receive(id, 2, 100, 0) == 3);
    });
    meeting_await(meeting);
    await_sleep(child);
    // Not the one that it waits for.
    CHECK(send(id, 1, "other", 0) == 0);
    await_sleep(child);
    CHECK(waitpid(child, NULL, WNOHANG) == 0);
    CHECK(send(id, 2, "two", 0) == 0);
    wait_exit(child, 0);
    struct msqid_ds info = stat_of(id);
    CHECK(info.msg_qnum == 1 && info.msg_lrpid == child);
    // A message that is too long for the waiter ends its wait, and stays.
    child = IN_CHILD({
        meeting_tell(meeting);
        CHECK_ERROR(receive(id, 3, 2, 0), E2BIG);
    });
    meeting_await(meeting);
    await_sleep(child);
    CHECK(send(id, 3, "three", 0) == 0);
    wait_exit(child, 0);
    check_receive(id, 3, 0, 3, "three");
    // A change of rights is noticed by who waits.
    child = IN_CHILD({
        if (geteuid() == 0) become(NOBODY);
        meeting_tell(meeting);
        CHECK_ERROR(receive(id, 9, 2, 0), EACCES);
    });
    if (geteuid() == 0) {
        meeting_await(meeting);
        wait_exit(child, 0);
        info.msg_perm.mode = 0606;
        CHECK(msgctl(id, IPC_SET, &info) == 0);
        child = IN_CHILD({
            become(NOBODY);
            meeting_tell(meeting);
            CHECK_ERROR(receive(id, 9, 2, 0), EACCES);
        });
        meeting_await(meeting);
        await_sleep(child);
        info.msg_perm.mode = 0600;
        CHECK(msgctl(id, IPC_SET, &info) == 0);
        wait_exit(child, 0);
        child = IN_CHILD(CHECK_ERROR(receive(id, 9, 2, 0), EIDRM));
        await_sleep(child);
    }
    remove_queue(id);
    wait_status(child);
}

ROWS(signals_end_waits_for_messages, "F11") {
    const int id = new_queue();
    const struct meeting meeting = meeting_open();
    // Never restarted after a handler.
    pid_t child = IN_CHILD({
        catch_signal(SIGUSR1, SA_RESTART);
        meeting_tell(meeting);
        CHECK_ERROR(receive(id, 1, 100, 0), EINTR);
        fill(id);
        meeting_tell(meeting);
        CHECK_ERROR(send(id, 1, "x", 0), EINTR);
    });
    for (int i = 0; i < 2; ++i) {
        meeting_await(meeting);
        await_sleep(child);
        CHECK(kill(child, SIGUSR1) == 0);
    }
    wait_exit(child, 0);
    // A stop without a handler is not noticed.
    CHECK(receive(id, 0, 8192, 0) == 8192 && receive(id, 0, 8192, 0) == 8192);
    child = IN_CHILD({
        meeting_tell(meeting);
        CHECK(receive(id, 1, 100, 0) == 1);
    });
    meeting_await(meeting);
    await_sleep(child);
    CHECK(kill(child, SIGSTOP) == 0);
    int status;
    CHECK(waitpid(child, &status, WUNTRACED) == child && WIFSTOPPED(status));
    CHECK(kill(child, SIGCONT) == 0);
    await_sleep(child);
    CHECK(send(id, 1, "x", 0) == 0);
    wait_exit(child, 0);
    remove_queue(id);
}

ROWS(rights_on_queues, "F11") {
    if (geteuid() != 0) return;
    const int id = new_queue();
    struct msqid_ds info = stat_of(id);
    wait_exit(IN_CHILD({
                  become(NOBODY);
                  CHECK_ERROR(send(id, 1, "x", 0), EACCES);
                  CHECK_ERROR(receive(id, 1, 1, IPC_NOWAIT), EACCES);
                  CHECK_ERROR(msgctl(id, IPC_STAT, &info), EACCES);
                  CHECK_ERROR(msgctl(id, IPC_SET, &info), EPERM);
                  CHECK_ERROR(msgctl(id, IPC_RMID, NULL), EPERM);
              }),
              0);
    info.msg_perm.uid = NOBODY;
    info.msg_perm.mode = 0602;
    CHECK(msgctl(id, IPC_SET, &info) == 0);
    wait_exit(IN_CHILD({
                  become(NOBODY);
                  CHECK(send(id, 1, "x", 0) == 0);
                  info.msg_qbytes = 16385;
                  CHECK_ERROR(msgctl(id, IPC_SET, &info), EPERM);
                  info.msg_qbytes = 1000;
                  CHECK(msgctl(id, IPC_SET, &info) == 0);
              }),
              0);
    wait_exit(IN_CHILD({
                  become(NOBODY - 1);
                  CHECK(send(id, 1, "x", 0) == 0);
                  CHECK_ERROR(receive(id, 1, 1, IPC_NOWAIT), EACCES);
              }),
              0);
    CHECK(stat_of(id).msg_qbytes == 1000);
    remove_queue(id);
}

ROWS(the_system_counts_queues, "F11") {
    struct msginfo info;
    CHECK(msgctl(0, IPC_INFO, (struct msqid_ds*)&info) >= 0);
    CHECK(info.msgmax == 8192 && info.msgmnb == 16384 && info.msgmni == 32000 && info.msgssz == 16);
    CHECK(info.msgseg == 0xffff && info.msgmap == 16384 && info.msgtql == 16384 && info.msgpool == 512000);
    const int id = new_queue();
    CHECK(send(id, 1, "12345", 0) == 0);
    const int highest = msgctl(0, MSG_INFO, (struct msqid_ds*)&info);
    CHECK(highest >= 0 && info.msgpool >= 1 && info.msgmap >= 1 && info.msgtql >= 5);
    bool found = false;
    for (int i = 0; i <= highest; ++i) {
        struct msqid_ds queue;
        if (msgctl(i, MSG_STAT, &queue) != id) continue;
        found = true;
        CHECK(queue.msg_qnum == 1);
        CHECK(msgctl(i, MSG_STAT_ANY, &queue) == id);
    }
    CHECK(found);
    CHECK_ERROR(msgctl(0, IPC_INFO, opaque(8)), EFAULT);
    char line[400];
    char wanted[400];
    sysvipc_line("msg", id, line, sizeof(line));
    const struct msqid_ds queue = stat_of(id);
    snprintf(wanted, sizeof(wanted), "%10d %10d  %4o  %10lu %10lu %5d %5d %5u %5u %5u %5u %10ld %10ld %10ld\n", 0, id, 0600, 5UL,
             1UL, getpid(), 0, geteuid(), getegid(), geteuid(), getegid(), queue.msg_stime, 0L, queue.msg_ctime);
    CHECK(strcmp(line, wanted) == 0);
    CHECK(sysctl_number("kernel/msgmax") == 8192 && sysctl_number("kernel/msgmnb") == 16384);
    CHECK(sysctl_number("kernel/msgmni") == 32000);
    remove_queue(id);
}

GUEST_ROWS(queues_leave_nothing_behind, "W10,F11") {
    uint64_t before = 0;
    for (int round = 0; round < 30; ++round) {
        if (round == 15) before = free_ram();
        int ids[50];
        for (int i = 0; i < 50; ++i) {
            ids[i] = new_queue();
            for (int n = 0; n < 20; ++n) CHECK(send(ids[i], 1, "some bytes of a message", 0) == 0);
        }
        for (int i = 0; i < 50; ++i) {
            for (int n = 0; n < 10; ++n) CHECK(receive(ids[i], 0, 100, 0) == 23);
            remove_queue(ids[i]);
        }
    }
    CHECK(free_ram() == before);
}
