// Run as init: hostile programs that make system calls at random. Some are of other users and may try
// everything; some are root's, and leave out what root may do to others. Whatever they do, nothing but they
// themselves may come to harm, the kernel's invariants hold, and nothing of them is left. `fuzz CALLS SEED`
// ends with status 0 and a line that says so.
#include "fuzz.h"

#include <ftw.h>
#include <sys/ipc.h>
#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <sys/stat.h>
#include <sys/time.h>
#include <time.h>

enum { kCallsEach = 2500, kPatienceMs = 40 };

// The programs' progress; they may scribble on it.
static volatile uint32_t* made;

static void nothing(int number) { (void)number; }

// What interrupts calls that wait. The program may undo it, and so it is done again and again.
static void arm(void) {
    struct sigaction action = {.sa_handler = nothing};
    sigaction(SIGALRM, &action, NULL);
    sigset_t none;
    sigemptyset(&none);
    sigprocmask(SIG_SETMASK, &none, NULL);
    const struct itimerval every = {{0, 2000}, {0, 2000}};
    setitimer(ITIMER_REAL, &every, NULL);
}

// Calls that are made seldom, because the program seldom survives them or what comes of them.
static unsigned rarity(long number) {
    switch (number) {
        case SYS_exit:
        case SYS_exit_group:
            return 1000;
        case SYS_rt_sigreturn:
        case SYS_vfork:
        case SYS_execve:
        case SYS_execveat:
        case SYS_munmap:
        case SYS_brk:
        case SYS_pause:
        case SYS_rt_sigsuspend:
        case SYS_prctl:
        case SYS_arch_prctl:
        case SYS_setrlimit:
        case SYS_prlimit64:
        case SYS_kill:
        case SYS_tkill:
        case SYS_tgkill:
        case SYS_rt_sigqueueinfo:
        case SYS_rt_tgsigqueueinfo:
            return 40;
        case SYS_fork:
        case SYS_clone:
        case SYS_clone3:
        case SYS_rt_sigaction:
            return 10;
        default:
            return 1;
    }
}

// What root may do to everybody.
static bool harms_others(long number) {
    switch (number) {
        case SYS_kill:
        case SYS_tkill:
        case SYS_tgkill:
        case SYS_rt_sigqueueinfo:
        case SYS_rt_tgsigqueueinfo:
        case SYS_reboot:
        case SYS_mount:
        case SYS_umount2:
        case SYS_ptrace:
        case SYS_process_vm_writev:
        case SYS_prlimit64:
        case 424 /* pidfd_send_signal */:
            return true;
        default:
            return false;
    }
}

static void make_call(bool as_root) {
    struct fuzz_call call = fuzz_next_call(as_root ? kNonsense : kPlausible);
    if (!one_in(rarity(call.number))) return;
    if (as_root && harms_others(call.number)) return;
    if (call.number == SYS_fork || call.number == SYS_clone) {
        const uint64_t flags = (call.arguments[0] & ~(uint64_t)(CLONE_VM | CLONE_VFORK)) | SIGCHLD;
        if (syscall(call.number, flags, 0, 0, 0, 0) == 0 && one_in(2)) _exit(0);
        return;
    }
    const uint64_t* a = call.arguments;
    syscall(call.number, a[0], a[1], a[2], a[3], a[4], a[5]);
}

static void set_limit(int what, rlim_t value) {
    const struct rlimit limit = {value, value};
    setrlimit(what, &limit);
}

static void hostile_program(int round, uint64_t seed) {
    const bool as_root = round % 4 == 3;
    fuzz_seed(seed * 1000003 + (uint64_t)round);
    for (int fd = 0; fd < 3; ++fd) close(fd);
    setsid();
    if (mkdir("/tmp/w", 0777) != 0 || chdir("/tmp/w") != 0) _exit(1);
    set_limit(RLIMIT_AS, 64 << 20);
    set_limit(RLIMIT_FSIZE, 4 << 20);
    set_limit(RLIMIT_CORE, 0);
    if (!as_root) {
        set_limit(RLIMIT_NPROC, 20);
        if (chown("/tmp/w", 1000, 1000) != 0 || setgid(1000) != 0 || setuid(1000) != 0) _exit(1);
    }
    fuzz_prepare();
    for (int i = 0; i < kCallsEach; ++i) {
        if (i % 32 == 0) arm();
        *made = *made + 1;
        make_call(as_root);
    }
    _exit(0);
}

static void nap(void) {
    const struct timespec time = {0, 5000000};
    nanosleep(&time, NULL);
}

// Waits for the program; one that makes no more calls is killed. How it ended: a wait status.
static int collect(pid_t pid, int* stuck) {
    uint32_t seen = 0;
    int idle = 0, status = 0;
    for (;;) {
        const pid_t ended = waitpid(pid, &status, WNOHANG | WUNTRACED);
        if (ended == pid && !WIFSTOPPED(status)) return status;
        nap();
        idle = *made == seen && !WIFSTOPPED(status) ? idle + 1 : *made == seen ? kPatienceMs : 0;
        seen = *made;
        if (idle < kPatienceMs / 5) continue;
        ++*stuck;
        kill(pid, SIGKILL);
        CHECK(waitpid(pid, &status, 0) == pid);
        return status;
    }
}

static int remove_entry(const char* path, const struct stat* unused, int kind, struct FTW* where) {
    (void)unused;
    if (where->level > 0) kind == FTW_DP ? rmdir(path) : unlink(path);
    return 0;
}

// Whatever outlives a program by design: its children, files, and System V IPC.
static void clean_up(void) {
    kill(-1, SIGKILL);
    while (wait(NULL) > 0) {
    }
    static const char* const kFolders[] = {"/tmp", "/dev/shm", "/dev/mqueue"};
    for (int i = 0; i < 3; ++i) nftw(kFolders[i], remove_entry, 8, FTW_DEPTH | FTW_PHYS);
    struct shmid_ds segment;
    struct msqid_ds queue;
    struct semid_ds set;
    for (int index = 0; index < 128; ++index) {
        int id = shmctl(index, 13 /* SHM_STAT */, &segment);
        if (id >= 0) shmctl(id, IPC_RMID, NULL);
        if ((id = msgctl(index, 11 /* MSG_STAT */, &queue)) >= 0) msgctl(id, IPC_RMID, NULL);
        if ((id = semctl(index, 0, 18 /* SEM_STAT */, &set)) >= 0) semctl(id, 0, IPC_RMID);
    }
}

struct kernel_state {
    long faults, held, objects, tasks;
};

// The kernel looks at its own invariants.
static struct kernel_state check_kernel(void) {
    char text[512] = "";
    const int fd = open("/proc/check", O_RDONLY);
    CHECK(fd >= 0 && read(fd, text, sizeof(text) - 1) > 0);
    close(fd);
    struct kernel_state now;
    const char* at = strstr(text, "objects");
    CHECK(at != NULL && sscanf(at, "objects %ld tasks %ld held %ld faults %ld", &now.objects, &now.tasks,
                               &now.held, &now.faults) == 4);
    return now;
}

// A program that has nothing to do with it still does what it always did.
static void check_bystander(void) {
    int ends[2], status = 0;
    char said[64] = "";
    CHECK(pipe(ends) == 0);
    const pid_t pid = checked_fork();
    if (pid == 0) {
        dup2(ends[1], 1);
        execl("/bin/busybox", "sh", "-c", "echo $(seq 1 9 | md5sum)", NULL);
        _exit(1);
    }
    close(ends[1]);
    CHECK(waitpid(pid, &status, 0) == pid && status == 0);
    CHECK(read(ends[0], said, sizeof(said) - 1) > 0);
    close(ends[0]);
    CHECK(strncmp(said, "22e400a2ddbb013acf2a5852d6ab69fc", 32) == 0);
}

static void prepare(void) {
    CHECK(mount("proc", "/proc", "proc", 0, NULL) == 0);
    mount("mqueue", "/dev/mqueue", "mqueue", 0, NULL);
    made = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_ANONYMOUS, -1, 0);
    CHECK(made != MAP_FAILED);
}

int main(int argc, char** argv) {
    const long wanted = argc > 1 ? atol(argv[1]) : 100000;
    const uint64_t seed = argc > 2 ? strtoull(argv[2], NULL, 10) : 1;
    if (!on_guest()) {
        puts("fuzz: only for the bundled kernel");
        return 2;
    }
    prepare();
    long calls = 0;
    int round = 0, killed = 0, stuck = 0;
    struct kernel_state first = {0}, last = {0};
    for (; calls < wanted; ++round) {
        *made = 0;
        const pid_t pid = checked_fork();
        if (pid == 0) hostile_program(round, seed);
        if (WIFSIGNALED(collect(pid, &stuck))) ++killed;
        calls += *made <= kCallsEach ? *made : 0;
        clean_up();
        last = check_kernel();
        CHECK(last.faults == 0 && last.tasks - first.tasks == (round == 0 ? last.tasks : 0));
        // The first round makes what is made once.
        if (round == 0) first = last;
    }
    check_bystander();
    CHECK(last.held == first.held);
    printf("%ld calls by %d programs, %d killed, %d of them stuck; %ld objects and %ld references are left; ",
           calls, round, killed, stuck, last.objects - first.objects, last.held - first.held);
    puts("nothing else came to harm");
    return 0;
}
