// Sockets of AF_UNIX: names, connections, streams, messages, options (man 7 unix). Descriptors are inherited and share
// the open file description, as all others.
#include "rows.h"

#include <poll.h>
#include <stddef.h>
#include <sys/ioctl.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <sys/un.h>

static socklen_t abstract_name(struct sockaddr_un* name, const char* text) {
    memset(name, 0, sizeof(*name));
    name->sun_family = AF_UNIX;
    const int length = snprintf(name->sun_path + 1, sizeof(name->sun_path) - 1, "%s.%d", text, getpid());
    return (socklen_t)(offsetof(struct sockaddr_un, sun_path) + 1 + (size_t)length);
}

static int events_of(int fd) {
    struct pollfd one = {fd, POLLIN | POLLOUT | POLLRDHUP, 0};
    CHECK(poll(&one, 1, 0) >= 0);
    return one.revents;
}

static int listener(const struct sockaddr_un* name, socklen_t length, int type, int backlog) {
    const int fd = socket(AF_UNIX, type, 0);
    CHECK(fd >= 0 && bind(fd, (const void*)name, length) == 0 && listen(fd, backlog) == 0);
    return fd;
}

ROWS(socket_arguments, "F10") {
    CHECK_ERROR(socket(AF_UNIX, SOCK_STREAM | 0x100, 0), EINVAL);
    CHECK_ERROR(socket(AF_UNIX, SOCK_STREAM, 5), EPROTONOSUPPORT);
    CHECK_ERROR(socket(AF_UNIX, SOCK_RDM, 0), ESOCKTNOSUPPORT);
    CHECK_ERROR(socket(45, SOCK_STREAM, 0), EAFNOSUPPORT);
    const int fd = socket(AF_UNIX, SOCK_DGRAM | SOCK_CLOEXEC | SOCK_NONBLOCK, 0);
    CHECK(fd >= 0 && fcntl(fd, F_GETFD) == FD_CLOEXEC && fcntl(fd, F_GETFL) == (O_RDWR | O_NONBLOCK));
    struct stat file;
    CHECK(fstat(fd, &file) == 0 && S_ISSOCK(file.st_mode));
    char link[64], text[64] = "";
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    CHECK(readlink(link, text, sizeof(text)) > 0 && strncmp(text, "socket:[", 8) == 0);
    CHECK_ERROR(lseek(fd, 0, SEEK_SET), ESPIPE);
    CHECK_ERROR(send(0x7fff, "a", 1, 0), EBADF);
    CHECK_ERROR(listen(fd, 1), EOPNOTSUPP);
    CHECK_ERROR(accept(fd, NULL, NULL), EOPNOTSUPP);
    int pipe_fds[2];
    CHECK(pipe(pipe_fds) == 0);
    CHECK_ERROR(send(pipe_fds[1], "a", 1, 0), ENOTSOCK);
}

ROWS(a_path_is_an_inode, "F10") {
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    snprintf(name.sun_path, sizeof(name.sun_path), "/tmp/unix_rows.%d", getpid());
    umask(022);
    const int fd = listener(&name, sizeof(name), SOCK_STREAM, 1);
    struct stat file;
    CHECK(stat(name.sun_path, &file) == 0 && S_ISSOCK(file.st_mode) && (file.st_mode & 0777) == 0755);
    CHECK_ERROR(open(name.sun_path, O_RDWR), ENXIO);
    const int other = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_ERROR(bind(other, (void*)&name, sizeof(name)), EADDRINUSE);
    CHECK_ERROR(bind(fd, (void*)&name, sizeof(name)), EADDRINUSE);
    struct sockaddr_un got;
    socklen_t length = sizeof(got);
    CHECK(getsockname(fd, (void*)&got, &length) == 0 && strcmp(got.sun_path, name.sun_path) == 0);
    CHECK(length == offsetof(struct sockaddr_un, sun_path) + strlen(name.sun_path) + 1);
    const int wrong = socket(AF_UNIX, SOCK_DGRAM, 0);
    CHECK_ERROR(connect(wrong, (void*)&name, sizeof(name)), EPROTOTYPE);
    CHECK(connect(other, (void*)&name, sizeof(name)) == 0);
    CHECK_ERROR(connect(other, (void*)&name, sizeof(name)), EISCONN);
    close(fd);
    const int late = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_ERROR(connect(late, (void*)&name, sizeof(name)), ECONNREFUSED);
    CHECK(unlink(name.sun_path) == 0);
    CHECK_ERROR(connect(late, (void*)&name, sizeof(name)), ENOENT);
    CHECK_ERROR(connect(late, (void*)&name, 2), EINVAL);
}

ROWS(abstract_names, "F10") {
    struct sockaddr_un name, got;
    const socklen_t length = abstract_name(&name, "abstract");
    const int fd = listener(&name, length, SOCK_STREAM, 5);
    const int second = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_ERROR(bind(second, (void*)&name, length), EADDRINUSE);
    const int client = socket(AF_UNIX, SOCK_STREAM, 0);
    CHECK_ERROR(connect(client, (void*)&name, length - 1), ECONNREFUSED);
    CHECK(connect(client, (void*)&name, length) == 0);
    socklen_t room = sizeof(got);
    const int served = accept4(fd, (void*)&got, &room, SOCK_CLOEXEC);
    CHECK(served >= 0 && room == 2 && got.sun_family == AF_UNIX && fcntl(served, F_GETFD) == FD_CLOEXEC);
    room = sizeof(got);
    CHECK(getpeername(client, (void*)&got, &room) == 0 && room == length && memcmp(&got, &name, length) == 0);
    struct ucred peer;
    room = sizeof(peer);
    CHECK(getsockopt(client, SOL_SOCKET, SO_PEERCRED, &peer, &room) == 0 && peer.pid == getpid());
    CHECK_ERROR(getpeername(fd, (void*)&got, &room), ENOTCONN);
    // Bound to the family alone, a socket gets a name of five digits.
    CHECK(bind(second, (void*)&name, 2) == 0);
    room = sizeof(got);
    CHECK(getsockname(second, (void*)&got, &room) == 0 && room == 8 && got.sun_path[0] == '\0');
    CHECK_ERROR(bind(second, (void*)&name, length), EINVAL);
    // A name is free again with its socket.
    close(fd);
    close(listener(&name, length, SOCK_STREAM, 5));
}

ROWS(a_server_serves_its_child, "F10,F14") {
    struct sockaddr_un name;
    const socklen_t length = abstract_name(&name, "serve");
    const int fd = listener(&name, length, SOCK_STREAM, 1);
    CHECK(events_of(fd) == 0);
    const pid_t pid = IN_CHILD({
        const int client = socket(AF_UNIX, SOCK_STREAM, 0);
        char text[8];
        CHECK(connect(client, (void*)&name, length) == 0 && write(client, "ping", 4) == 4);
        CHECK(recv(client, text, 8, MSG_WAITALL) == 4 && memcmp(text, "pong", 4) == 0);
        CHECK(read(client, text, 8) == 0);
    });
    const int served = accept(fd, NULL, NULL);
    char text[8];
    CHECK(served >= 0 && read(served, text, 8) == 4 && memcmp(text, "ping", 4) == 0 && write(served, "pong", 4) == 4);
    CHECK(shutdown(served, SHUT_WR) == 0);
    wait_exit(pid, 0);
    CHECK(read(served, text, 8) == 0 && events_of(served) == (POLLIN | POLLOUT | POLLHUP | POLLRDHUP));
}

ROWS(backlog_and_refusal, "F10") {
    struct sockaddr_un name;
    const socklen_t length = abstract_name(&name, "backlog");
    const int fd = listener(&name, length, SOCK_STREAM, 0);
    int client[3];
    for (int i = 0; i < 3; ++i) client[i] = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    CHECK(connect(client[0], (void*)&name, length) == 0 && events_of(fd) == POLLIN);
    CHECK_ERROR(connect(client[1], (void*)&name, length), EAGAIN);
    CHECK(fcntl(fd, F_SETFL, O_NONBLOCK) == 0 && accept(fd, NULL, NULL) >= 0);
    CHECK_ERROR(accept(fd, NULL, NULL), EAGAIN);
    CHECK(connect(client[1], (void*)&name, length) == 0);
    close(fd);
    // Nobody accepted it.
    char c;
    CHECK_ERROR(read(client[1], &c, 1), ECONNRESET);
    CHECK(read(client[1], &c, 1) == 0);
    CHECK_ERROR(connect(client[2], (void*)&name, length), ECONNREFUSED);
    CHECK_ERROR(accept(client[2], NULL, NULL), EINVAL);
    CHECK_ERROR(listen(client[2], 1), EINVAL);
}

ROWS(stream_bytes, "F10") {
    int fd[2];
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0 && events_of(fd[0]) == POLLOUT);
    CHECK(write(fd[0], "abc", 3) == 3 && write(fd[0], "def", 3) == 3);
    char text[16];
    int waiting = 0;
    CHECK(ioctl(fd[1], FIONREAD, &waiting) == 0 && waiting == 6);
    CHECK(recv(fd[1], text, 4, MSG_PEEK) == 4 && memcmp(text, "abcd", 4) == 0);
    CHECK(recv(fd[1], text, 2, 0) == 2 && read(fd[1], text + 2, 14) == 4 && memcmp(text, "abcdef", 6) == 0);
    CHECK_ERROR(recv(fd[1], text, 1, MSG_DONTWAIT), EAGAIN);
    // As much as there is room for, and not more.
    CHECK(fcntl(fd[0], F_SETFL, O_NONBLOCK) == 0);
    static char block[4096];
    size_t sent = 0;
    for (ssize_t n; (n = write(fd[0], block, sizeof(block))) > 0;) sent += (size_t)n;
    CHECK(errno == EAGAIN && sent >= 65536 && (events_of(fd[0]) & POLLOUT) == 0);
    while (sent > 0) {
        const ssize_t n = read(fd[1], block, sizeof(block));
        CHECK(n > 0);
        sent -= (size_t)n;
    }
    CHECK(events_of(fd[0]) == POLLOUT);
}

ROWS(the_end_of_a_stream, "F10") {
    int fd[2];
    signal(SIGPIPE, SIG_IGN);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0 && write(fd[0], "abc", 3) == 3);
    close(fd[1]);
    char text[4];
    // What it was sent was not received.
    CHECK_ERROR(write(fd[0], "a", 1), EPIPE);
    CHECK((events_of(fd[0]) & (POLLERR | POLLHUP)) == (POLLERR | POLLHUP));
    CHECK_ERROR(read(fd[0], text, 4), ECONNRESET);
    CHECK(read(fd[0], text, 4) == 0);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0 && write(fd[0], "abc", 3) == 3 && close(fd[0]) == 0);
    CHECK(read(fd[1], text, 4) == 3 && read(fd[1], text, 4) == 0);
    signal(SIGPIPE, SIG_DFL);
    CHECK_ERROR(send(fd[1], "a", 1, MSG_NOSIGNAL), EPIPE);
    const pid_t pid = IN_CHILD(send(fd[1], "a", 1, 0));
    const int status = wait_status(pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGPIPE);
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, fd) == 0);
    CHECK_ERROR(shutdown(fd[0], 3), EINVAL);
    CHECK(shutdown(fd[0], SHUT_RD) == 0 && read(fd[0], text, 4) == 0);
    CHECK_ERROR(send(fd[1], "a", 1, MSG_NOSIGNAL), EPIPE);
}

ROWS(datagrams, "F10") {
    struct sockaddr_un name, from;
    const socklen_t length = abstract_name(&name, "datagram");
    const int server = socket(AF_UNIX, SOCK_DGRAM, 0), client = socket(AF_UNIX, SOCK_DGRAM | SOCK_NONBLOCK, 0);
    CHECK(bind(server, (void*)&name, length) == 0);
    CHECK_ERROR(send(client, "a", 1, 0), ENOTCONN);
    CHECK(sendto(client, "hello", 5, 0, (void*)&name, length) == 5);
    CHECK(connect(client, (void*)&name, length) == 0 && send(client, "", 0, 0) == 0 && bind(client, (void*)&name, 2) == 0);
    CHECK(send(client, "again", 5, 0) == 5);
    char text[8];
    CHECK(recv(server, text, 2, MSG_PEEK | MSG_TRUNC) == 5);
    socklen_t room = sizeof(from);
    CHECK(recvfrom(server, text, 2, MSG_TRUNC, (void*)&from, &room) == 5);
    // Sandboxed hosts give the family of who has no name.
    CHECK(room == 0 || !on_guest());
    CHECK(recv(server, text, 8, 0) == 0);
    room = sizeof(from);
    CHECK(recvfrom(server, text, 8, 0, (void*)&from, &room) == 5 && room == 8 && memcmp(text, "again", 5) == 0);
    int sent = 0;
    while (send(client, "x", 1, 0) == 1) ++sent;
    CHECK(errno == EAGAIN && sent > 0 && sent < 1000 && (events_of(client) & POLLOUT) == 0);
    CHECK(recv(server, text, 1, 0) == 1 && events_of(client) == POLLOUT);
    static char large[1 << 20];
    CHECK_ERROR(send(client, large, sizeof(large), 0), EMSGSIZE);
    close(server);
    CHECK_ERROR(send(client, "x", 1, 0), ECONNREFUSED);
    CHECK_ERROR(send(client, "x", 1, 0), ENOTCONN);
}

ROWS(seqpackets_keep_their_bounds, "F10") {
    int fd[2];
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd) == 0);
    CHECK(send(fd[0], "abc", 3, 0) == 3 && send(fd[0], "de", 2, 0) == 2);
    char text[8];
    struct iovec part = {text, 2};
    struct msghdr message = {.msg_iov = &part, .msg_iovlen = 1};
    CHECK(recvmsg(fd[1], &message, 0) == 2 && message.msg_flags == MSG_TRUNC);
    CHECK(read(fd[1], text, 8) == 2 && text[0] == 'd');
    struct mmsghdr several[3] = {{message, 0}, {message, 0}, {message, 0}};
    CHECK(sendmmsg(fd[0], several, 3, 0) == 3 && several[2].msg_len == 2);
    CHECK(recvmmsg(fd[1], several, 3, MSG_WAITFORONE, NULL) == 3 && several[0].msg_len == 2);
    close(fd[0]);
    CHECK(read(fd[1], text, 8) == 0 && (events_of(fd[1]) & POLLHUP) != 0);
    CHECK_ERROR(send(fd[1], "a", 1, MSG_NOSIGNAL), EPIPE);
}

ROWS(options, "F10") {
    int fd[2], value = 0;
    CHECK(socketpair(AF_UNIX, SOCK_SEQPACKET, 0, fd) == 0);
    socklen_t room = sizeof(value);
    CHECK(getsockopt(fd[0], SOL_SOCKET, SO_TYPE, &value, &room) == 0 && value == SOCK_SEQPACKET && room == 4);
    CHECK(getsockopt(fd[0], SOL_SOCKET, SO_DOMAIN, &value, &room) == 0 && value == AF_UNIX);
    CHECK(getsockopt(fd[0], SOL_SOCKET, SO_ACCEPTCONN, &value, &room) == 0 && value == 0);
    value = 8192;
    CHECK(setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &value, 4) == 0);
    CHECK(getsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &value, &room) == 0 && value == 16384);
    CHECK_ERROR(setsockopt(fd[0], SOL_SOCKET, SO_SNDBUF, &value, 3), EINVAL);
    CHECK_ERROR(setsockopt(fd[0], SOL_SOCKET, SO_TYPE, &value, 4), ENOPROTOOPT);
    CHECK_ERROR(setsockopt(fd[0], SOL_SOCKET, 9999, &value, 4), ENOPROTOOPT);
    const struct timeval limit = {0, 30000};
    struct timeval got;
    room = sizeof(got);
    CHECK(setsockopt(fd[1], SOL_SOCKET, SO_RCVTIMEO, &limit, sizeof(limit)) == 0);
    CHECK(getsockopt(fd[1], SOL_SOCKET, SO_RCVTIMEO, &got, &room) == 0 && got.tv_usec >= 30000 && got.tv_sec == 0);
    char c;
    CHECK_ERROR(read(fd[1], &c, 1), EAGAIN);
}

#ifndef SO_PEEK_OFF
#define SO_PEEK_OFF 42
#endif
static int peek_offset(int fd) {
    int value = -9;
    CHECK(getsockopt(fd, SOL_SOCKET, SO_PEEK_OFF, &value, &(socklen_t){sizeof(value)}) == 0);
    return value;
}
static bool receives(int fd, size_t room, int flags, const char* wanted) {
    char text[64];
    const ssize_t bytes = recv(fd, text, room, flags | MSG_DONTWAIT);
    return bytes == (ssize_t)strlen(wanted) && memcmp(text, wanted, (size_t)bytes) == 0;
}

// Peeks that go on where the last one ended; reads take from what lies before them.
ROWS(peeking_further_on, "F10") {
    int ends[2], value = 1;
    char c;
    CHECK(socketpair(AF_UNIX, SOCK_STREAM, 0, ends) == 0 && peek_offset(ends[1]) == -1);
    CHECK(setsockopt(ends[1], SOL_SOCKET, SO_PEEK_OFF, &value, sizeof(value)) == 0 && peek_offset(ends[1]) == 1);
    CHECK(write(ends[0], "abcd", 4) == 4 && write(ends[0], "efgh", 4) == 4);
    CHECK(receives(ends[1], 2, MSG_PEEK, "bc") && peek_offset(ends[1]) == 3);
    CHECK(receives(ends[1], 3, MSG_PEEK, "def") && peek_offset(ends[1]) == 6);
    CHECK(receives(ends[1], 5, 0, "abcde") && peek_offset(ends[1]) == 1);
    CHECK(receives(ends[1], 9, MSG_PEEK, "gh") && peek_offset(ends[1]) == 3);
    CHECK_ERROR(recv(ends[1], &c, 1, MSG_PEEK | MSG_DONTWAIT), EAGAIN);
    CHECK(receives(ends[1], 9, 0, "fgh") && peek_offset(ends[1]) == 0);
    value = -1;
    CHECK(setsockopt(ends[1], SOL_SOCKET, SO_PEEK_OFF, &value, sizeof(value)) == 0);
    CHECK(write(ends[0], "xy", 2) == 2 && receives(ends[1], 1, MSG_PEEK, "x") && receives(ends[1], 1, MSG_PEEK, "x"));

    value = 0;
    CHECK(socketpair(AF_UNIX, SOCK_DGRAM, 0, ends) == 0);
    CHECK(setsockopt(ends[1], SOL_SOCKET, SO_PEEK_OFF, &value, sizeof(value)) == 0);
    CHECK(write(ends[0], "first", 5) == 5 && write(ends[0], "second", 6) == 6);
    CHECK(receives(ends[1], 2, MSG_PEEK, "fi") && receives(ends[1], 9, MSG_PEEK, "rst") && peek_offset(ends[1]) == 5);
    CHECK(receives(ends[1], 3, MSG_PEEK, "sec") && peek_offset(ends[1]) == 8);
    CHECK(receives(ends[1], 9, 0, "first") && peek_offset(ends[1]) == 3);
    CHECK(receives(ends[1], 9, MSG_PEEK, "ond") && receives(ends[1], 9, 0, "second") && peek_offset(ends[1]) == 0);
}
