// Arguments for fuzz.c.
#include "fuzz.h"

#include <sys/epoll.h>
#include <sys/eventfd.h>
#include <sys/socket.h>
#include <sys/stat.h>

enum { kLastCall = 470 };

struct call_row {
    long number;
    const char* signature;
};
static const struct call_row kCalls[] = {
#define SYSCALL(number, name, signature) {number, signature},
#define MISSING_SYSCALL SYSCALL
#include "guest/abi/syscalls.def"
#undef SYSCALL
};
enum { kCallCount = sizeof(kCalls) / sizeof(kCalls[0]) };

static const char* const kPaths[] = {
    "f",
    "d",
    "d/g",
    "d/../f",
    "fifo",
    "link",
    "loop",
    "socket",
    ".",
    "..",
    "",
    "/",
    "none",
    "none/f",
    "f/g",
    "d/h/i",
    "/proc/self/maps",
    "/proc/self/mem",
    "/proc/self/fd/3",
    "/proc/self/status",
    "/proc/self/exe",
    "/proc/self/clear_refs",
    "/proc/self/oom_score_adj",
    "/proc/self/ns/pid",
    "/proc/self/task",
    "/proc/1/maps",
    "/proc/1/mem",
    "/proc/check",
    "/proc/self/fail-nth",
    "/proc/self/coredump_filter",
    "/proc/sys/kernel/pid_max",
    "/proc/meminfo",
    "/dev/null",
    "/dev/zero",
    "/dev/full",
    "/dev/random",
    "/dev/tty",
    "/dev/console",
    "/dev/ptmx",
    "/dev/shm/s",
    "/dev/mqueue",
    "/bin/busybox",
    "/bin/sh",
    "/init",
    "/etc/passwd",
    "tmpfs",
    "proc",
    "bind",
    "user.name",
    "mq",
    "/mq",
};
enum { kPathCount = sizeof(kPaths) / sizeof(kPaths[0]) };

static uint64_t state;
static char *buffer, *arena;
enum { kArenaPages = 64 };

void fuzz_seed(uint64_t seed) { state = seed; }

// SplitMix64
uint64_t fuzz_random(void) {
    state += 0x9e3779b97f4a7c15u;
    uint64_t z = state;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

// Structures are made of such words: pointers, lengths, descriptors, short times.
static uint64_t random_word(void) {
    const uint64_t value = fuzz_random();
    switch (value % 8) {
        case 0:
            return (uint64_t)buffer + (value >> 8) % kBuffer / 8 * 8;
        case 1:
            return 0;
        case 2:
            return (uint64_t)arena + (value >> 8) % kArenaPages * PAGE;
        case 3:
            return ((value >> 8) % 24) | ((value >> 16) % 64) << 32;
        case 4:
            return (uint64_t)1 << (value >> 8) % 64;
        case 5:
            return value;
        default:
            return (value >> 8) % 64;
    }
}

static void refill(int words) {
    for (int i = 0; i < words; ++i) {
        const uint64_t word = random_word();
        memcpy(buffer + fuzz_random() % (kBuffer / 8) * 8, &word, sizeof(word));
    }
}

static void open_files(void) {
    int pair[2];
    open("f", O_RDWR | O_CREAT, 0644);
    open(".", O_RDONLY | O_DIRECTORY);
    if (pipe(pair) != 0 || socketpair(AF_UNIX, SOCK_STREAM, 0, pair) != 0 ||
        socketpair(AF_UNIX, SOCK_DGRAM, 0, pair) != 0) {
        _exit(1);
    }
    socket(AF_UNIX, SOCK_STREAM, 0);
    epoll_create1(0);
    eventfd(1, 0);
    open("/dev/zero", O_RDWR);
    open("/dev/ptmx", O_RDWR | O_NOCTTY);
    open("/proc/self/status", O_RDONLY);
    open("/proc/self/mem", O_RDWR);
    syscall(SYS_memfd_create, "memory", 3);
    open("fifo", O_RDWR);
}

void fuzz_prepare(void) {
    buffer = map_pages(kBuffer / PAGE, MAP_PRIVATE);
    arena = map_pages(kArenaPages, MAP_PRIVATE);
    refill(kBuffer / 8);
    if (mkdir("d", 0755) != 0 || mkfifo("fifo", 0644) != 0 || symlink("d/g", "link") != 0 ||
        symlink("loop", "loop") != 0) {
        _exit(1);
    }
    close(open("d/g", O_RDWR | O_CREAT, 0600));
    open_files();
}

// Anything at all.
static uint64_t nonsense(void) {
    const uint64_t value = fuzz_random();
    switch (fuzz_random() % 12) {
        case 0:
            return 0;
        case 1:
            return value % 16;
        case 2:
            return ~(value % 200);
        case 3:
            return (uint64_t)buffer + value % kBuffer;
        case 4:
            return value;
        case 5:
            return value % 64 * PAGE;
        case 6:
            return (uint64_t)1 << value % 64;
        case 7:
            return (uint64_t)buffer;
        case 8:
            return 0xffff800000000000u + value % 100000;
        case 9:
            return 0x7ffffffff000u - value % 8192;
        case 10:
            return value % 70000;
        default:
            return (uint64_t)buffer + value % 16 * PAGE;
    }
}

static uint64_t bits_of(uint64_t mask) { return fuzz_random() & fuzz_random() & mask; }

static uint64_t memory(void) {
    const uint64_t value = fuzz_random();
    if (value % 16 == 0) return nonsense();
    if (value % 4 == 0) return (uint64_t)arena + (value >> 8) % (kArenaPages * PAGE) / 8 * 8;
    return (uint64_t)buffer + (value >> 8) % kBuffer / 8 * 8;
}

static uint64_t pages(void) { return (uint64_t)arena + fuzz_random() % (kArenaPages + 4) * PAGE; }

static uint64_t number(void) {
    const uint64_t value = fuzz_random();
    switch (value % 6) {
        case 0:
            return (uint64_t)-1;
        case 1:
            return (uint64_t)1 << (value >> 8) % 32;
        case 2:
            return (value >> 8) % 70000;
        case 3:
            return 0x5400 + (value >> 8) % 0x60;  // what ioctl is asked of terminals
        default:
            return (value >> 8) % 20;
    }
}

static uint64_t size(void) {
    static const uint64_t kSizes[] = {0,   1,   4,   8,    16,       24,       32,       64,
                                      110, 128, 144, PAGE, PAGE + 1, 3 * PAGE, 8 * PAGE, 65536};
    return one_in(20) ? nonsense() : kSizes[fuzz_random() % (sizeof(kSizes) / sizeof(kSizes[0]))];
}

static uint64_t process(void) {
    const uint64_t value = fuzz_random();
    switch (value % 5) {
        case 0:
            return 0;
        case 1:
            return 1;
        case 2:
            return (uint64_t)getpid();
        case 3:
            return (uint64_t)(getpid() + (int)((value >> 8) % 4));
        default:
            return (uint64_t) - (int64_t)((value >> 8) % 3);
    }
}

// A word of a signature.
static uint64_t argument(const char* kind, size_t length) {
#define IS(word) (length == sizeof(word) - 1 && memcmp(kind, word, length) == 0)
    if (one_in(25)) return nonsense();
    if (IS("fd")) return one_in(12) ? number() : fuzz_random() % 28;
    if (IS("dirfd")) return one_in(3) ? fuzz_random() % 28 : (uint64_t)AT_FDCWD;
    if (IS("path") || IS("str")) return (uint64_t)kPaths[fuzz_random() % kPathCount];
    if (IS("in") || IS("out") || IS("buf")) return one_in(6) ? 0 : memory();
    if (IS("addr")) return one_in(6) ? 0 : pages();
    if (IS("size")) return size();
    if (IS("off")) return one_in(4) ? nonsense() : fuzz_random() % 8 * PAGE / 2;
    if (IS("pid")) return process();
    if (IS("sig")) return fuzz_random() % 66;
    if (IS("mode")) return fuzz_random() & 07777;
    if (IS("prot")) return fuzz_random() % 8;
    if (IS("mapflags"))
        return (one_in(2) ? MAP_SHARED : MAP_PRIVATE) | bits_of(0x7fff0 & ~MAP_HUGETLB) |
               (one_in(2) ? MAP_ANONYMOUS : 0);
    if (IS("openflags")) return fuzz_random() % 4 | bits_of(017777700) | (one_in(2) ? O_CREAT : 0);
    // Without a stack of its own a child cannot share the memory.
    if (IS("cloneflags")) return (bits_of(~(uint64_t)(CLONE_VM | CLONE_VFORK | 0xff)) & 0xffffffff) | SIGCHLD;
    if (IS("flags")) return one_in(2) ? 0 : bits_of(0xffff);
    return number();
#undef IS
}

static struct fuzz_call plausible_call(void) {
    const struct call_row* row = &kCalls[fuzz_random() % kCallCount];
    struct fuzz_call call = {.number = row->number};
    const char* at = row->signature;
    for (int i = 0; i < kArguments && *at != '=' && *at != '\0'; ++i) {
        const size_t length = strcspn(at, ",=");
        call.arguments[i] = argument(at, length);
        at += length;
        if (*at == ',') ++at;
    }
    return call;
}

struct fuzz_call fuzz_next_call(enum fuzz_style style) {
    if (one_in(8)) refill(64);
    if (style == kPlausible && !one_in(20)) return plausible_call();
    struct fuzz_call call = {.number = (long)(fuzz_random() % kLastCall)};
    if (one_in(50)) call.number = (long)fuzz_random();
    for (int i = 0; i < kArguments; ++i) call.arguments[i] = nonsense();
    return call;
}
