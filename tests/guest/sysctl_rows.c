// Limits that can be set, the kernel's log, and the clock's discipline. What would change the host is for the guest
// alone.
#include "rows.h"

#include <mqueue.h>
#include <sys/klog.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/timex.h>
#include <time.h>

static void set(const char* name, const char* text) {
    char path[128];
    snprintf(path, sizeof(path), "/proc/sys/%s", name);
    const int fd = open(path, O_WRONLY);
    CHECK(fd >= 0 && write(fd, text, strlen(text)) == (ssize_t)strlen(text));
    close(fd);
}
static bool is_set(const char* name, const char* text) {
    char path[128], now[256] = "";
    snprintf(path, sizeof(path), "/proc/sys/%s", name);
    const int fd = open(path, O_RDONLY);
    CHECK(fd >= 0 && read(fd, now, sizeof(now) - 1) > 0);
    close(fd);
    return strcmp(now, text) == 0;
}

GUEST_ROWS(limits_of_message_queues, "F11") {
    const int before = msgget(IPC_PRIVATE, 0600);
    set("kernel/msgmax", "100"), set("kernel/msgmnb", "50\n"), set("kernel/msgmni", "2");
    CHECK(is_set("kernel/msgmax", "100\n"));
    struct {
        long type;
        char text[200];
    } message = {1, ""};
    CHECK_ERROR(msgsnd(before, &message, 101, 0), EINVAL);
    CHECK(msgsnd(before, &message, 100, 0) == 0);
    struct msqid_ds state;
    const int queue = msgget(IPC_PRIVATE, 0600);
    CHECK(msgctl(queue, IPC_STAT, &state) == 0 && state.msg_qbytes == 50);
    CHECK_ERROR(msgsnd(queue, &message, 51, IPC_NOWAIT), EAGAIN);
    CHECK_ERROR(msgget(IPC_PRIVATE, 0600), ENOSPC);
    struct msginfo info;
    CHECK(msgctl(0, IPC_INFO, (struct msqid_ds*)&info) >= 0 && info.msgmax == 100 && info.msgmnb == 50 && info.msgmni == 2);
    CHECK(msgctl(before, IPC_RMID, NULL) == 0 && msgctl(queue, IPC_RMID, NULL) == 0);
    set("kernel/msgmax", "8192"), set("kernel/msgmnb", "16384"), set("kernel/msgmni", "32000");
}

GUEST_ROWS(limits_of_semaphores_and_segments, "F8,C11") {
    set("kernel/sem", "4 6 2 9");
    CHECK(is_set("kernel/sem", "4\t6\t2\t9\n"));
    CHECK_ERROR(semget(IPC_PRIVATE, 5, 0600), EINVAL);
    const int set_id = semget(IPC_PRIVATE, 4, 0600);
    CHECK(set_id >= 0);
    CHECK_ERROR(semget(IPC_PRIVATE, 4, 0600), ENOSPC);
    struct sembuf operations[3] = {{0, 1, 0}, {0, 1, 0}, {0, 1, 0}};
    CHECK_ERROR(semop(set_id, operations, 3), E2BIG);
    CHECK(semop(set_id, operations, 2) == 0 && semctl(set_id, 0, IPC_RMID) == 0);
    set("kernel/sem", "32000\t1024000000\t500\t32000");
    set("kernel/shmmax", "8192"), set("kernel/shmmni", "1");
    CHECK_ERROR(shmget(IPC_PRIVATE, 8193, 0600), EINVAL);
    const int segment = shmget(IPC_PRIVATE, 8192, 0600);
    CHECK(segment >= 0);
    CHECK_ERROR(shmget(IPC_PRIVATE, 1, 0600), ENOSPC);
    CHECK(shmctl(segment, IPC_RMID, NULL) == 0);
    set("kernel/shmall", "1");
    CHECK_ERROR(shmget(IPC_PRIVATE, 8192, 0600), ENOSPC);
    set("kernel/shmmax", "18446744073692774399"), set("kernel/shmall", "18446744073692774399"), set("kernel/shmmni", "4096");
    CHECK(is_set("kernel/shmmax", "18446744073692774399\n"));
}

GUEST_ROWS(limits_of_posix_queues, "F11") {
    set("fs/mqueue/msg_default", "3"), set("fs/mqueue/msgsize_default", "256"), set("fs/mqueue/queues_max", "1");
    struct mq_attr attr;
    const mqd_t queue = mq_open("/sysctl", O_RDWR | O_CREAT, 0600, NULL);
    CHECK(queue >= 0 && mq_getattr(queue, &attr) == 0 && attr.mq_maxmsg == 3 && attr.mq_msgsize == 256);
    wait_exit(IN_CHILD({
                  CHECK(setuid(1000) == 0);
                  CHECK_ERROR(mq_open("/another", O_RDWR | O_CREAT, 0600, NULL), ENOSPC);
              }),
              0);
    CHECK(mq_close(queue) == 0 && mq_unlink("/sysctl") == 0);
    set("fs/mqueue/msg_default", "10"), set("fs/mqueue/msgsize_default", "8192"), set("fs/mqueue/queues_max", "256");
    const int fd = open("/proc/sys/fs/mqueue/msgsize_max", O_WRONLY);
    CHECK_ERROR(write(fd, "100", 3), EINVAL);
}

ROWS(the_log_of_the_kernel, "S6") {
    char text[256];
    CHECK(klogctl(10, NULL, 0) >= 4096);
    CHECK_ERROR(klogctl(3, NULL, 10), EINVAL);
    CHECK_ERROR(klogctl(3, text, -1), EINVAL);
    CHECK_ERROR(klogctl(100, NULL, 0), EINVAL);
    CHECK_ERROR(klogctl(8, NULL, 0), EINVAL);
    CHECK_ERROR(klogctl(8, NULL, 9), EINVAL);
    CHECK(klogctl(0, NULL, 0) == 0 && klogctl(1, NULL, 0) == 0 && klogctl(3, text, 0) == 0);
    wait_exit(IN_CHILD({
                  CHECK(setuid(1000) == 0);
                  CHECK_ERROR(klogctl(5, NULL, 0), EPERM);
                  // Hosts may keep the size to themselves too (dmesg_restrict).
                  if (on_guest()) CHECK(klogctl(10, NULL, 0) >= 4096);
              }),
              0);
}

static void die_of_a_fault(void) {
    const pid_t pid = IN_CHILD({ *(volatile char*)opaque(8) = 1; });
    CHECK(WIFSIGNALED(wait_status(pid)));
}

GUEST_ROWS(what_the_kernel_said_can_be_read_again, "S6") {
    static char text[20000];
    CHECK(klogctl(5, NULL, 0) == 0 && klogctl(3, text, sizeof(text)) == 0);
    die_of_a_fault();
    const int length = klogctl(3, text, sizeof(text));
    CHECK(length > 0 && memcmp(text, "<6>", 3) == 0 && memmem(text, (size_t)length, "segfault at 8 ", 14) != NULL);
    CHECK(klogctl(4, text, sizeof(text)) == length && klogctl(3, text, sizeof(text)) == 0);
    while (klogctl(9, NULL, 0) > 0) CHECK(klogctl(2, text, sizeof(text)) > 0);
    // Who reads on waits for the next line.
    int ends[2];
    CHECK(pipe(ends) == 0);
    const pid_t reader = IN_CHILD({
        const int n = klogctl(2, text, sizeof(text));
        CHECK(n > 0 && memmem(text, (size_t)n, "segfault", 8) != NULL);
    });
    usleep(20000);
    die_of_a_fault();
    wait_exit(reader, 0);
}

ROWS(the_clock_is_asked_how_it_is_kept, "F7") {
    struct timex state = {.modes = 0};
    struct timespec now;
    CHECK(syscall(SYS_adjtimex, &state) >= 0);
    CHECK(clock_gettime(CLOCK_REALTIME, &now) == 0 && now.tv_sec >= state.time.tv_sec);
    CHECK(state.tick >= 9000 && state.tick <= 11000 && state.tolerance == 32768000 && state.precision == 1);
    CHECK(syscall(SYS_clock_adjtime, CLOCK_REALTIME, &state) >= 0);
    CHECK_ERROR(syscall(SYS_clock_adjtime, CLOCK_MONOTONIC, &state), EOPNOTSUPP);
    CHECK_ERROR(syscall(SYS_clock_adjtime, 99, &state), EINVAL);
    CHECK_ERROR(syscall(SYS_clock_adjtime, 99, NULL), EFAULT);
    CHECK_ERROR(syscall(SYS_adjtimex, NULL), EFAULT);
    wait_exit(IN_CHILD({
                  CHECK(setuid(1000) == 0);
                  state.modes = ADJ_STATUS;
                  CHECK_ERROR(syscall(SYS_adjtimex, &state), EPERM);
                  state.modes = ADJ_OFFSET_SS_READ;
                  CHECK(syscall(SYS_adjtimex, &state) >= 0);
                  state.modes = 0x8000;
                  CHECK_ERROR(syscall(SYS_adjtimex, &state), EINVAL);
              }),
              0);
}

GUEST_ROWS(the_clock_is_told_how_it_is_kept, "F7") {
    struct timex state = {.modes = 0};
    CHECK(syscall(SYS_adjtimex, &state) == TIME_ERROR && state.status == STA_UNSYNC);
    state = (struct timex){.modes = ADJ_STATUS | ADJ_MAXERROR | ADJ_TICK, .maxerror = 5, .tick = 10001};
    CHECK(syscall(SYS_adjtimex, &state) == TIME_OK && state.maxerror == 5 && state.tick == 10001);
    state = (struct timex){.modes = ADJ_TICK, .tick = 11001};
    CHECK_ERROR(syscall(SYS_adjtimex, &state), EINVAL);
    struct timespec before, after;
    CHECK(clock_gettime(CLOCK_REALTIME, &before) == 0);
    state = (struct timex){.modes = ADJ_SETOFFSET, .time = {1000, 0}};
    CHECK(syscall(SYS_adjtimex, &state) >= 0 && clock_gettime(CLOCK_REALTIME, &after) == 0);
    CHECK(after.tv_sec - before.tv_sec >= 1000);
}

ROWS(a_mode_by_descriptor_and_name, "F10") {
    if (!as_of(6, 6)) return;
    char name[64], link[64];
    const char* where = scratch_directory();
    snprintf(name, sizeof(name), "%s/file", where), snprintf(link, sizeof(link), "%s/link", where);
    const int fd = open(name, O_RDWR | O_CREAT, 0600);
    CHECK(fd >= 0 && symlink(name, link) == 0);
    struct stat stat;
    CHECK(syscall(452, fd, "", 0640, AT_EMPTY_PATH) == 0 && fstat(fd, &stat) == 0 && (stat.st_mode & 07777) == 0640);
    CHECK(syscall(452, AT_FDCWD, link, 0604, 0) == 0 && fstat(fd, &stat) == 0 && (stat.st_mode & 07777) == 0604);
    CHECK_ERROR(syscall(452, AT_FDCWD, link, 0604, AT_SYMLINK_NOFOLLOW), EOPNOTSUPP);
    CHECK_ERROR(syscall(452, AT_FDCWD, name, 0604, 1), EINVAL);
}

ROWS(questions_about_descriptions, "F10") {
    if (!as_of(6, 12)) return;
    char name[64];
    snprintf(name, sizeof(name), "%s/file", scratch_directory());
    const int made = open(name, O_RDWR | O_CREAT, 0600), found = open(name, O_RDWR | O_CREAT, 0600);
    CHECK(fcntl(made, 1028, 0) == 1 && fcntl(found, 1028, 0) == 0);
    const int copy = dup(made);
    CHECK(fcntl(made, 1027, copy) == 1 && fcntl(made, 1027, found) == 0);
    CHECK_ERROR(fcntl(made, 1027, 999), EBADF);
    // A child has the same description.
    wait_exit(IN_CHILD(CHECK(fcntl(made, 1027, copy) == 1 && fcntl(made, 1028, 0) == 1)), 0);
}
