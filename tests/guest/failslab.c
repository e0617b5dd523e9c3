// Run as init with failslab=N on the kernel's command line: processes that fork, execute, map and open files while
// allocations fail under them. Whatever fails must be undone: in the end all memory is back (row P17).
#include "rows.h"

#include <mqueue.h>
#include <pthread.h>
#include <sys/file.h>
#include <sys/ioctl.h>
#include <sys/msg.h>
#include <sys/ptrace.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/socket.h>
#include <sys/stat.h>
#include <sys/un.h>
#include <time.h>

#define CLONE_PIDFD_ 0x1000

static void* do_nothing(void* unused) { return unused; }

// Files that are made up as they are read, their directory, and a link that leads to a file.
static void read_proc(void) {
    static const char* const kNames[] = {"/proc/self/status", "/proc/self/stat", "/proc/self/smaps", "/proc/self/cmdline",
                                         "/proc/self/mountinfo", "/proc/self/fdinfo/0", "/proc/meminfo", "/proc/slabinfo",
                                         "/proc/self/pagemap", "/proc/self/exe"};
    char text[512];
    for (unsigned i = 0; i < sizeof(kNames) / sizeof(kNames[0]); ++i) {
        const int fd = open(kNames[i], O_RDONLY);
        (void)!read(fd, text, sizeof(text));
        if (i % 2 == 0) close(fd);
    }
    const int dir = open("/proc/self/task", O_RDONLY);
    syscall(SYS_getdents64, dir, text, sizeof(text));
    (void)!readlink("/proc/self/fd/0", text, sizeof(text));
}

// Objects that outlive processes, if they are not removed.
static void use_ipc(void) {
    const int set = semget(IPC_PRIVATE, 20, 0600);
    struct sembuf take = {3, 1, SEM_UNDO | IPC_NOWAIT};
    if (set >= 0) semop(set, &take, 1);
    const int queue = msgget(IPC_PRIVATE, 0600);
    struct {
        long type;
        char text[3000];
    } message = {.type = 1};
    if (queue >= 0) {
        for (int i = 0; i < 3; ++i) msgsnd(queue, &message, sizeof(message.text), IPC_NOWAIT);
        msgrcv(queue, &message, sizeof(message.text), 0, IPC_NOWAIT);
    }
    const int segment = shmget(IPC_PRIVATE, 5 * PAGE, 0600);
    char* memory = segment >= 0 ? shmat(segment, NULL, 0) : (void*)-1;
    if (memory != (void*)-1) {
        munmap(memory + PAGE, PAGE);
        shmdt(memory);
    }
    if (segment >= 0) shmat(segment, NULL, 0);
    const pid_t child = fork();
    if (child == 0) {
        if (set >= 0) semop(set, &take, 1);
        _exit(0);
    }
    // Removing needs no memory.
    if (set >= 0) semctl(set, 0, IPC_RMID);
    if (queue >= 0) msgctl(queue, IPC_RMID, NULL);
    if (segment >= 0) shmctl(segment, IPC_RMID, NULL);
    const mqd_t posix = mq_open("/failslab", O_RDWR | O_CREAT | O_NONBLOCK, 0600, NULL);
    if (posix >= 0) mq_send(posix, message.text, sizeof(message.text), 1);
    mq_unlink("/failslab");
}

// What a child that was killed did not come to remove.
static void remove_leftovers(void) {
    union {
        struct seminfo sem_info;
        struct msginfo msg_info;
        struct shm_info shm_info;
        struct semid_ds set;
        struct msqid_ds queue;
        struct shmid_ds segment;
    } room;
    for (int i = semctl(0, 0, SEM_INFO, &room); i >= 0; --i) {
        const int id = semctl(i, 0, SEM_STAT, &room);
        if (id >= 0) semctl(id, 0, IPC_RMID);
    }
    for (int i = msgctl(0, MSG_INFO, (struct msqid_ds*)&room); i >= 0; --i) {
        const int id = msgctl(i, MSG_STAT, (struct msqid_ds*)&room);
        if (id >= 0) msgctl(id, IPC_RMID, NULL);
    }
    for (int i = shmctl(0, SHM_INFO, (struct shmid_ds*)&room); i >= 0; --i) {
        const int id = shmctl(i, SHM_STAT, (struct shmid_ds*)&room);
        if (id >= 0) shmctl(id, IPC_RMID, NULL);
    }
    mq_unlink("/failslab");
    unlink("/tmp/failslab.sock");
    // Where the file system to hold them could not be mounted.
    rmdir("/mnt/a");
    rmdir("/mnt/b");
}

static void use_locks(void) {
    const int fd = open("/tmp/failslab", O_RDWR | O_CREAT, 0600);
    if (fd < 0) return;
    for (short i = 0; i < 4; ++i) {
        struct flock lock = {.l_type = F_WRLCK, .l_whence = SEEK_SET, .l_start = i * 10, .l_len = 20};
        fcntl(fd, F_SETLK, &lock);
        lock.l_type = F_UNLCK;
        lock.l_start = i * 10 + 5;
        lock.l_len = 3;
        fcntl(fd, F_SETLK, &lock);
        fcntl(fd, F_OFD_SETLK, &lock);
    }
    flock(fd, LOCK_SH | LOCK_NB);
    flock(fd, LOCK_EX | LOCK_NB);
}

// A child that is traced, and has a descriptor: neither may outlive what fails. With nowhere to store the descriptor's
// number it fails late.
static void described_child(void) {
    int fd = -1;
    int* where = &fd;
    for (int i = 0; i < 2; ++i, where = opaque(8)) {
        const long pid = syscall(SYS_clone, CLONE_PIDFD_ | SIGCHLD, NULL, where, NULL, 0);
        if (pid == 0) {
            ptrace(PTRACE_TRACEME, 0, NULL, NULL);
            raise(SIGUSR1);
            _exit(0);
        }
        if (pid < 0) continue;
        int status = 0;
        if (waitpid((pid_t)pid, &status, 0) == pid && WIFSTOPPED(status)) {
            ptrace(PTRACE_POKEDATA, (pid_t)pid, &fd, NULL);
            ptrace(PTRACE_CONT, (pid_t)pid, NULL, NULL);
        }
    }
}

// A lock that the parent owns, memory as a file, a larger pipe, a namespace gone into, several futexes at once.
static void use_descriptors_and_futexes(int pipe_end) {
    uint32_t word = (uint32_t)getppid();
    const struct timespec past = {0, 1};
    syscall(SYS_futex, &word, 6 /* LOCK_PI */, 0, &past, NULL, 0);
    const struct {
        uint64_t value, address;
        uint32_t flags, reserved;
    } waiter = {word, (uint64_t)&word, 2, 0};
    syscall(449 /* futex_waitv */, &waiter, 1, 0, &past, CLOCK_MONOTONIC);
    const int memory = (int)syscall(SYS_memfd_create, "failslab", MFD_ALLOW_SEALING);
    if (ftruncate(memory, 3 * PAGE) == 0) (void)!write(memory, "text", 4);
    fcntl(memory, F_ADD_SEALS, F_SEAL_GROW);
    fcntl(pipe_end, F_SETPIPE_SZ, 64 * PAGE);
    const int ns = open("/proc/self/ns/uts", O_RDONLY);
    if (ns >= 0) setns(ns, 0);
}

// What moves, empties and watches mappings.
static void use_mappings(void) {
    char* pages = mmap(NULL, 8 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    char* shared = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    if (pages == MAP_FAILED || shared == MAP_FAILED) return;
    const pid_t sharer = fork();
    syscall(SYS_mremap, shared, 0, 4 * PAGE, MREMAP_MAYMOVE, NULL);
    syscall(SYS_mremap, pages + 2 * PAGE, 2 * PAGE, 2 * PAGE, MREMAP_MAYMOVE | 4 /* DONTUNMAP */, NULL);
    static const int kAdvice[] = {MADV_SEQUENTIAL, MADV_DONTFORK, MADV_WIPEONFORK, MADV_FREE, MADV_DONTNEED, 22, 23};
    for (unsigned i = 0; i < sizeof(kAdvice) / sizeof(kAdvice[0]); ++i) madvise(pages + i * PAGE, PAGE, kAdvice[i]);
    madvise(shared, 4 * PAGE, 23 /* POPULATE_WRITE */);
    madvise(shared + PAGE, PAGE, MADV_REMOVE);
    const int refs = open("/proc/self/clear_refs", O_WRONLY);
    (void)!write(refs, "4", 1);
    (void)!write(refs, "1", 1);
    const int memory = (int)syscall(SYS_memfd_create, "failslab", 0);
    fallocate(memory, 0, 0, 9 * PAGE);
    fallocate(memory, 3, PAGE + 1, 5 * PAGE);
    mprotect(pages + 6 * PAGE, PAGE, PROT_READ);
    mprotect(pages + 5 * PAGE, 3 * PAGE, PROT_READ | PROT_WRITE);
    if (sharer == 0) _exit(0);
}

// Sockets with names and without, descriptors on their way, ends that nobody reads any more.
static void use_sockets(void) {
    int pair[2];
    if (socketpair(AF_UNIX, SOCK_STREAM, 0, pair) == 0) {
        int passed[2] = {pair[0], pair[1]};
        char room[CMSG_SPACE(sizeof(passed))] = "", text[4] = "abc";
        struct iovec part = {text, sizeof(text)};
        struct msghdr message = {
            .msg_iov = &part, .msg_iovlen = 1, .msg_control = room, .msg_controllen = sizeof(room)};
        struct cmsghdr* control = CMSG_FIRSTHDR(&message);
        control->cmsg_level = SOL_SOCKET, control->cmsg_type = SCM_RIGHTS,
        control->cmsg_len = CMSG_LEN(sizeof(passed));
        memcpy(CMSG_DATA(control), passed, sizeof(passed));
        // Twice: one is received, the other stays in its queue, with a ring of references.
        for (int i = 0; i < 2; ++i) sendmsg(pair[0], &message, MSG_DONTWAIT);
        recvmsg(pair[1], &message, MSG_DONTWAIT);
    }
    const int listener = socket(AF_UNIX, SOCK_STREAM, 0),
              client = socket(AF_UNIX, SOCK_STREAM | SOCK_NONBLOCK, 0);
    struct sockaddr_un name = {.sun_family = AF_UNIX};
    socklen_t length = sizeof(name);
    if (bind(listener, (void*)&name, sizeof(name.sun_family)) == 0 && listen(listener, 2) == 0 &&
        getsockname(listener, (void*)&name, &length) == 0 && connect(client, (void*)&name, length) == 0) {
        send(client, "text", 4, MSG_DONTWAIT);
        accept(listener, NULL, NULL);
    }
    const int datagrams = socket(AF_UNIX, SOCK_DGRAM, 0);
    strcpy(name.sun_path, "/tmp/failslab.sock");
    if (bind(datagrams, (void*)&name, sizeof(name)) == 0)
        sendto(socket(AF_UNIX, SOCK_DGRAM, 0), "text", 4, MSG_DONTWAIT, (void*)&name, sizeof(name));
    unlink("/tmp/failslab.sock");
}

// A session on a pseudo-terminal, and file systems in a mount namespace.
static void use_terminals_and_mounts(void) {
    const int master = open("/dev/ptmx", O_RDWR | O_NOCTTY | O_NONBLOCK);
    int locked = 0;
    ioctl(master, TIOCSPTLCK, &locked);
    const int slave = ioctl(master, 0x5441 /* TIOCGPTPEER */, O_RDWR | O_NOCTTY);
    const pid_t leader = fork();
    if (leader == 0) {
        signal(SIGHUP, SIG_IGN);
        setsid();
        ioctl(slave, TIOCSCTTY, 0);
        close(open("/dev/tty", O_RDWR));
        (void)!write(slave, "text", 4);
        if (unshare(CLONE_NEWNS) == 0) {
            mount("x", "/mnt", "tmpfs", 0, "size=1m,mode=755");
            mkdir("/mnt/a", 0755), mkdir("/mnt/b", 0755);
            mount("x", "/mnt/a", "devpts", 0, "ptmxmode=666");
            open("/mnt/a/ptmx", O_RDWR);
            mount("/mnt", "/mnt/b", NULL, MS_BIND | MS_REC, NULL);
            umount2("/mnt/a", MNT_DETACH);
        }
        _exit(0);
    }
    char text[16];
    if (leader > 0 && wait(NULL) == leader) (void)!read(master, text, sizeof(text));
}

// Each step may fail, and none may do anything but fail or succeed.
static void busy_child(void) {
    char* pages = mmap(NULL, 20 * PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (pages != MAP_FAILED) {
        for (int i = 0; i < 20; i += 3) pages[i * PAGE] = 1;
        mprotect(pages + 4 * PAGE, PAGE, PROT_READ);
        mremap(pages, 20 * PAGE, 40 * PAGE, MREMAP_MAYMOVE);
    }
    mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    int ends[2];
    if (pipe(ends) == 0) {
        dup(ends[0]);
        (void)!write(ends[1], "text", 4);
        use_descriptors_and_futexes(ends[0]);
    }
    open("/etc/passwd", O_RDONLY);
    read_proc();
    use_mappings();
    use_ipc();
    use_locks();
    use_sockets();
    const pid_t forked = fork();
    if (forked == 0) {
        if (pages != MAP_FAILED) pages[0] = 2;
        _exit(0);
    }
    use_terminals_and_mounts();
    described_child();
    const pid_t borrowed = vfork();
    if (borrowed == 0) {
        char* argv[] = {"busybox", "true", NULL};
        execv("/bin/busybox", argv);
        _exit(1);
    }
    pthread_t thread;
    if (pthread_create(&thread, NULL, do_nothing, NULL) == 0) pthread_join(thread, NULL);
    while (wait(NULL) > 0) {
    }
}

// KiB that are promised to somebody.
static long promised(void) {
    char text[2048] = "";
    const int fd = open("/proc/meminfo", O_RDONLY);
    CHECK(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0 && close(fd) == 0);
    const char* line = strstr(text, "Committed_AS:");
    CHECK(line != NULL);
    return strtol(line + sizeof("Committed_AS:"), NULL, 10);
}

int main(void) {
    enum { kRounds = 600, kWarmUp = 100 };
    uint64_t before = 0;
    long promised_before = 0;
    int killed = 0;
    CHECK(mount("proc", "/proc", "proc", 0, NULL) == 0);
    CHECK(mount("devpts", "/dev/pts", "devpts", 0, NULL) == 0);
    // What the first child that comes so far would make for good.
    close(open("/tmp/failslab", O_RDWR | O_CREAT, 0600));
    for (int round = 0; round < kRounds; ++round) {
        if (round == kWarmUp) {
            promised_before = promised();  // the first time our own stack grows for it
            promised_before = promised();
            before = free_ram();
        }
        const pid_t pid = checked_fork();
        if (pid == 0) {
            // Where every child does the same, the same of its steps would fail each time.
            for (int i = 0; i < round % 11; ++i) close(open("/etc/passwd", O_RDONLY));
            busy_child();
            _exit(0);
        }
        // A page fault that gets no memory kills; what it left behind comes to us.
        if (WIFSIGNALED(wait_status(pid))) ++killed;
        while (wait(NULL) > 0) {
        }
        remove_leftovers();
    }
    CHECK(promised() == promised_before);
    const uint64_t after = free_ram();
    printf("%d rounds, %s: %ld bytes are missing\n", kRounds, killed > 0 ? "some killed" : "none killed", (long)(before - after));
    return before == after ? 0 : 1;
}
