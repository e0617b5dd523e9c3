// What goes with messages: descriptors and credentials (man 7 unix, "Ancillary messages"); and what becomes of
// descriptors that nobody receives.
#include "rows.h"

#include <sys/socket.h>
#include <sys/un.h>

union control {
    char bytes[CMSG_SPACE(4 * sizeof(int)) + CMSG_SPACE(sizeof(struct ucred))];
    struct cmsghdr align;
};

static ssize_t send_fds(int fd, const int* fds, int count, const char* text) {
    union control control = {0};
    struct iovec part = {(void*)text, strlen(text)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
                             .msg_controllen = CMSG_SPACE((size_t)count * sizeof(int))};
    struct cmsghdr* header = CMSG_FIRSTHDR(&message);
    header->cmsg_level = SOL_SOCKET;
    header->cmsg_type = SCM_RIGHTS;
    header->cmsg_len = CMSG_LEN((size_t)count * sizeof(int));
    memcpy(CMSG_DATA(header), fds, (size_t)count * sizeof(int));
    return sendmsg(fd, &message, 0);
}

struct received {
    ssize_t bytes;
    int flags;
    char text[16];
    int fds[4], count;
    struct ucred creds;
    bool has_creds;
};

static struct received receive(int fd, size_t control_bytes, int flags) {
    struct received got = {0};
    union control control = {0};
    struct iovec part = {got.text, sizeof(got.text)};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes, .msg_controllen = control_bytes};
    got.bytes = recvmsg(fd, &message, flags);
    got.flags = message.msg_flags;
    for (struct cmsghdr* at = CMSG_FIRSTHDR(&message); got.bytes >= 0 && at != NULL; at = CMSG_NXTHDR(&message, at)) {
        if (at->cmsg_type == SCM_RIGHTS) {
            got.count = (int)((at->cmsg_len - CMSG_LEN(0)) / sizeof(int));
            memcpy(got.fds, CMSG_DATA(at), (size_t)got.count * sizeof(int));
        } else if (at->cmsg_type == SCM_CREDENTIALS) {
            memcpy(&got.creds, CMSG_DATA(at), sizeof(got.creds));
            got.has_creds = true;
        }
    }
    return got;
}

static bool is_open(int fd) { return fcntl(fd, F_GETFD) >= 0; }

ROWS(descriptors_travel, "F10") {
    int fd[2], pipe_fds[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0 && pipe(pipe_fds) == 0);
    const pid_t pid = IN_CHILD({
        int mine[2];
        CHECK(pipe(mine) == 0 && write(mine[1], "from a child", 12) == 12 && send_fds(fd[0], mine, 1, "x") == 1);
    });
    wait_exit(pid, 0);
    // It outlives the process that had it.
    const struct received got = receive(fd[1], sizeof(union control), MSG_CMSG_CLOEXEC);
    char text[16];
    CHECK(got.bytes == 1 && got.text[0] == 'x' && got.count == 1 && (got.flags & MSG_CTRUNC) == 0);
    CHECK(fcntl(got.fds[0], F_GETFD) == FD_CLOEXEC && read(got.fds[0], text, 16) == 12 && read(got.fds[0], text, 16) == 0);
    const int bad[2] = {pipe_fds[0], 999};
    CHECK_ERROR(send_fds(fd[0], bad, 2, "x"), EBADF);
}

ROWS(a_cut_message_drops_descriptors, "F10") {
    int fd[2], pipe_fds[2];
    CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd) == 0 && pipe(pipe_fds) == 0);
    const int both[2] = {pipe_fds[0], pipe_fds[1]};
    CHECK(send_fds(fd[0], both, 2, "ab") == 2 && send_fds(fd[0], both, 2, "cd") == 2 && send_fds(fd[0], both, 2, "ef") == 2);
    struct received got = receive(fd[1], CMSG_LEN(sizeof(int)), 0);
    CHECK(got.count == 1 && (got.flags & MSG_CTRUNC) != 0 && close(got.fds[0]) == 0);
    got = receive(fd[1], 0, 0);
    CHECK(got.bytes == 2 && got.count == 0 && (got.flags & MSG_CTRUNC) != 0);
    // Looking at a message makes descriptors too.
    got = receive(fd[1], sizeof(union control), MSG_PEEK);
    CHECK(got.count == 2 && is_open(got.fds[0]));
    got = receive(fd[1], sizeof(union control), 0);
    CHECK(got.count == 2 && memcmp(got.text, "ef", 2) == 0);
}

ROWS(descriptors_mark_a_place_in_the_stream, "F10") {
    int fd[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
    CHECK(send_fds(fd[0], fd, 1, "ab") == 2 && send_fds(fd[0], fd, 2, "cd") == 2 && write(fd[0], "ef", 2) == 2);
    struct received got = receive(fd[1], sizeof(union control), 0);
    CHECK(got.bytes == 2 && got.count == 1);
    got = receive(fd[1], sizeof(union control), 0);
    CHECK(got.bytes == 2 && got.count == 2);
    got = receive(fd[1], sizeof(union control), 0);
    CHECK(got.bytes == 2 && got.count == 0);
}

ROWS(credentials, "F3") {
    int fd[2];
    const int on = 1;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
    CHECK(setsockopt(fd[1], SOL_SOCKET, SO_PASSCRED, &on, sizeof(on)) == 0);
    const pid_t pid = IN_CHILD(CHECK(write(fd[0], "ab", 2) == 2));
    wait_exit(pid, 0);
    CHECK(write(fd[0], "cd", 2) == 2);
    // What two processes sent is not read in one piece.
    struct received got = receive(fd[1], sizeof(union control), 0);
    CHECK(got.bytes == 2 && got.has_creds && got.creds.uid == getuid() && got.creds.gid == getgid());
    got = receive(fd[1], sizeof(union control), 0);
    CHECK(got.bytes == 2 && got.has_creds && got.creds.pid == getpid());
}

ROWS(claimed_credentials, "F12") {
    int fd[2];
    CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd) == 0);
    const pid_t pid = IN_CHILD({
        if (getuid() == 0) CHECK(setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0);
        union control control = {0};
        struct iovec part = {"x", 1};
        struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1, .msg_control = control.bytes,
                                 .msg_controllen = CMSG_SPACE(sizeof(struct ucred))};
        struct cmsghdr* header = CMSG_FIRSTHDR(&message);
        *header = (struct cmsghdr){.cmsg_len = CMSG_LEN(sizeof(struct ucred)), .cmsg_level = SOL_SOCKET,
                                   .cmsg_type = SCM_CREDENTIALS};
        struct ucred claimed = {getpid(), getuid(), getgid()};
        memcpy(CMSG_DATA(header), &claimed, sizeof(claimed));
        CHECK(sendmsg(fd[0], &message, 0) == 1);
        ++claimed.uid;
        memcpy(CMSG_DATA(header), &claimed, sizeof(claimed));
        CHECK_ERROR(sendmsg(fd[0], &message, 0), EPERM);
        header->cmsg_len = 4;
        CHECK_ERROR(sendmsg(fd[0], &message, 0), EINVAL);
    });
    wait_exit(pid, 0);
}

// A socket in a message to itself, and two in each other's: nobody can receive them.
static void make_rings(void) {
    int a[2], b[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, a) == 0 && socketpair(AF_UNIX, SOCK_DGRAM, 0, b) == 0);
    CHECK(send_fds(a[0], &a[1], 1, "x") == 1 && send_fds(a[0], &b[1], 1, "x") == 1 && send_fds(b[0], &a[1], 1, "x") == 1);
    int pipe_fds[2];
    CHECK(pipe(pipe_fds) == 0 && send_fds(b[0], &pipe_fds[1], 1, "x") == 1);
    close(pipe_fds[1]);
    close(a[0]);
    close(a[1]);
    close(b[0]);
    close(b[1]);
    // They are looked for when a socket ends.
    close(socket(AF_UNIX, SOCK_DGRAM, 0));
    // The last writer was in the ring.
    char c;
    CHECK(read(pipe_fds[0], &c, 1) == 0 && close(pipe_fds[0]) == 0);
}

ROWS(rings_of_sockets_are_collected, "F10") { make_rings(); }

GUEST_ROWS(sockets_leave_nothing, "W10") {
    make_rings();
    count_kernel();
    for (int i = 0; i < 50; ++i) make_rings();
    expect_counts("50 rings of sockets");
}

// A chain of sockets, each in a message to the one before: closing the first closes all.
ROWS(a_long_chain_ends_at_once, "F10") {
    int before = -1;
    for (int i = 0; i < 300; ++i) {
        int fd[2];
        CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, fd) == 0);
        if (before >= 0) CHECK(send_fds(fd[0], &before, 1, "x") == 1 && close(before) == 0);
        before = fd[1];
        close(fd[0]);
    }
    CHECK(close(before) == 0);
}
