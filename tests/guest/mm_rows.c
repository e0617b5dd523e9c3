// Mappings.
#include "rows.h"

#include <setjmp.h>

static sigjmp_buf back;
static void jump_back(int sig) { siglongjmp(back, sig); }
static int touch(char* at) {
    CHECK(signal(SIGSEGV, jump_back) != SIG_ERR && signal(SIGBUS, jump_back) != SIG_ERR);
    const int sig = sigsetjmp(back, 1);
    if (sig == 0) *(volatile char*)at = 1;
    return sig;
}

ROWS(split_and_merge, "F2") {
    char* pages = map_pages(10, MAP_PRIVATE);
    memset(pages, 'a', 10 * PAGE);
    CHECK(munmap(pages + 3 * PAGE, PAGE) == 0 && munmap(pages + 5 * PAGE, 2 * PAGE) == 0);
    CHECK(pages[2 * PAGE] == 'a' && pages[4 * PAGE] == 'a' && pages[7 * PAGE] == 'a');
    CHECK(touch(pages + 3 * PAGE) == SIGSEGV && touch(pages + 6 * PAGE) == SIGSEGV && touch(pages + 4 * PAGE) == 0);
    char* again = mmap(pages + 3 * PAGE, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    CHECK(again == pages + 3 * PAGE && *again == 0);
    CHECK(munmap(pages, 10 * PAGE) == 0 && munmap(pages, 10 * PAGE) == 0);
    CHECK(touch(pages) == SIGSEGV);
}

ROWS(errors_of_mmap, "F2") {
    CHECK(mmap(NULL, 0, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL);
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == EINVAL);
    CHECK(mmap(NULL, PAGE, PROT_READ, MAP_PRIVATE, 99, 0) == MAP_FAILED && errno == EBADF);
    CHECK(mmap((void*)1, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0) == MAP_FAILED && errno == EINVAL);
    CHECK(mmap(NULL, (size_t)1 << 47, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0) == MAP_FAILED && errno == ENOMEM);
    CHECK_ERROR(munmap((void*)1, PAGE), EINVAL);
    char* page = map_pages(1, MAP_PRIVATE);
    CHECK(mmap(page, PAGE, PROT_READ, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED_NOREPLACE, -1, 0) == MAP_FAILED && errno == EEXIST);
    CHECK_ERROR(mprotect(page + PAGE * 1000000L, PAGE, PROT_READ), ENOMEM);
}

ROWS(protection, "F2") {
    char* pages = map_pages(3, MAP_PRIVATE);
    memset(pages, 'a', 3 * PAGE);
    CHECK(mprotect(pages + PAGE, PAGE, PROT_READ) == 0);
    CHECK(touch(pages + PAGE) == SIGSEGV && touch(pages) == 0 && touch(pages + 2 * PAGE) == 0);
    CHECK(mprotect(pages + PAGE, PAGE, PROT_NONE) == 0 && touch(pages + PAGE) == SIGSEGV);
    CHECK(mprotect(pages, 3 * PAGE, PROT_READ | PROT_WRITE) == 0);
    CHECK(pages[PAGE] == 'a' && touch(pages + PAGE) == 0);
    // Code written, made executable, and run.
    static const unsigned char kReturn42[] = {0xb8, 42, 0, 0, 0, 0xc3};
    memcpy(pages, kReturn42, sizeof(kReturn42));
    CHECK(mprotect(pages, PAGE, PROT_READ | PROT_EXEC) == 0);
    CHECK(((int (*)(void))pages)() == 42);
}

ROWS(stack_grows, "F2") {
    struct rlimit limit;
    CHECK(getrlimit(RLIMIT_STACK, &limit) == 0);
    char here = 0;
    volatile char* deep = opaque((uintptr_t)&here - 1024 * 1024);
    *deep = 1;
    CHECK(*deep == 1);
}

static int (*volatile call_again)(int depth);
static int recurse(int depth) {
    volatile char room[4096];
    room[0] = (char)depth;
    return call_again(depth + 1) + room[0];
}

ROWS(stack_has_a_limit, "F2") {
    const pid_t pid = IN_CHILD({
        struct rlimit limit = {1024 * 1024, 1024 * 1024};
        CHECK(setrlimit(RLIMIT_STACK, &limit) == 0);
        call_again = recurse;
        _exit(recurse(0));
    });
    const int status = wait_status(pid);
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGSEGV);
}

ROWS(heap, "F2") {
    char* start = set_break(NULL);
    CHECK(set_break(start + 5 * PAGE) == start + 5 * PAGE);
    memset(start, 'h', 5 * PAGE);
    CHECK(set_break(start + 2 * PAGE) == start + 2 * PAGE);
    CHECK(touch(start + 3 * PAGE) == SIGSEGV && start[PAGE] == 'h');
    CHECK(set_break(start + 5 * PAGE) == start + 5 * PAGE && start[3 * PAGE] == 0);
    CHECK(set_break(opaque(8)) == start + 5 * PAGE);
}

ROWS(remap, "F2") {
    char* pages = map_pages(4, MAP_PRIVATE);
    for (int i = 0; i < 4; ++i) pages[i * PAGE] = (char)('a' + i);
    char* shrunk = mremap(pages, 4 * PAGE, 2 * PAGE, 0);
    CHECK(shrunk == pages && touch(pages + 2 * PAGE) == SIGSEGV);
    char* fence = mmap(pages + 2 * PAGE, PAGE, PROT_NONE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_FIXED, -1, 0);
    CHECK(fence == pages + 2 * PAGE);
    CHECK(mremap(pages, 2 * PAGE, 8 * PAGE, 0) == MAP_FAILED && errno == ENOMEM);
    char* moved = mremap(pages, 2 * PAGE, 8 * PAGE, MREMAP_MAYMOVE);
    CHECK(moved != MAP_FAILED && moved != pages);
    CHECK(moved[0] == 'a' && moved[PAGE] == 'b' && moved[7 * PAGE] == 0);
    CHECK(touch(pages) == SIGSEGV);
    char* target = map_pages(8, MAP_PRIVATE);
    CHECK(mremap(moved, 8 * PAGE, 8 * PAGE, MREMAP_MAYMOVE | MREMAP_FIXED, target) == target);
    CHECK(target[0] == 'a' && target[PAGE] == 'b');
}

// Pages that parent and child share stay right when one of them moves them.
ROWS(remap_keeps_copy_on_write, "W2") {
    char* pages = map_pages(2, MAP_PRIVATE);
    strcpy(pages, "both");
    const pid_t pid = IN_CHILD({
        char* moved = mremap(pages, 2 * PAGE, 4 * PAGE, MREMAP_MAYMOVE);
        CHECK(moved != MAP_FAILED && strcmp(moved, "both") == 0);
        strcpy(moved, "child");
    });
    wait_exit(pid, 0);
    CHECK(strcmp(pages, "both") == 0);
}

ROWS(advice, "F2") {
    char* pages = map_pages(3, MAP_PRIVATE);
    memset(pages, 'a', 3 * PAGE);
    CHECK(madvise(pages + PAGE, PAGE, MADV_DONTNEED) == 0);
    CHECK(pages[0] == 'a' && pages[PAGE] == 0 && pages[2 * PAGE] == 'a');
    CHECK(madvise(pages, PAGE, MADV_DONTFORK) == 0 && madvise(pages + 2 * PAGE, PAGE, MADV_WIPEONFORK) == 0);
    const pid_t pid = IN_CHILD({
        CHECK(touch(pages) == SIGSEGV);
        CHECK(pages[2 * PAGE] == 0);
    });
    wait_exit(pid, 0);
    CHECK(pages[2 * PAGE] == 'a');
}

ROWS(beyond_the_end_of_a_file, "W5") {
    char name[] = "/tmp/rowsXXXXXX";
    const int fd = mkstemp(name);
    CHECK(fd >= 0 && unlink(name) == 0 && ftruncate(fd, 2 * PAGE) == 0);
    char* shared = mmap(NULL, 4 * PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    CHECK(shared != MAP_FAILED);
    CHECK(touch(shared + PAGE) == 0 && touch(shared + 2 * PAGE) == SIGBUS);
    CHECK(ftruncate(fd, PAGE) == 0);
    CHECK(touch(shared) == 0 && touch(shared + PAGE) == SIGBUS);
    CHECK(ftruncate(fd, 2 * PAGE) == 0 && shared[PAGE] == 0);
}

ROWS(rights_of_the_file, "W5") {
    char name[] = "/tmp/rowsXXXXXX";
    const int made = mkstemp(name);
    CHECK(made >= 0 && write(made, "text", 4) == 4);
    const int fd = open(name, O_RDONLY);
    CHECK(fd >= 0);
    CHECK(mmap(NULL, PAGE, PROT_WRITE, MAP_SHARED, fd, 0) == MAP_FAILED && errno == EACCES);
    char* shared = mmap(NULL, PAGE, PROT_READ, MAP_SHARED, fd, 0);
    CHECK(shared != MAP_FAILED && memcmp(shared, "text", 4) == 0);
    CHECK_ERROR(mprotect(shared, PAGE, PROT_READ | PROT_WRITE), EACCES);
    char* private = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(private != MAP_FAILED);
    private[0] = 'T';
    CHECK(shared[0] == 't' && unlink(name) == 0);
}

// Many areas, in an order that is not theirs.
ROWS(many_areas, "F2") {
    enum { kAreas = 400 };
    char* base = map_pages(2 * kAreas, MAP_PRIVATE);
    for (int i = 0; i < kAreas; ++i) {
        const int at = (i * 37) % kAreas;
        CHECK(mprotect(base + (2 * at + 1) * PAGE, PAGE, PROT_READ) == 0);
    }
    for (int i = 0; i < kAreas; ++i) base[2 * i * PAGE] = (char)i;
    wait_exit(IN_CHILD({
                  for (int i = 0; i < kAreas; ++i) CHECK(base[2 * i * PAGE] == (char)i);
                  CHECK(touch(base + PAGE) == SIGSEGV);
              }),
              0);
    CHECK(munmap(base, 2 * kAreas * PAGE) == 0);
}

GUEST_ROWS(munmap_gives_everything_back, "W10") {
    char* keep = map_pages(1, MAP_PRIVATE);
    keep[0] = 1;
    char* warm = map_pages(5000, MAP_PRIVATE);
    CHECK(munmap(warm, 5000 * PAGE) == 0);
    const uint64_t before = free_ram();
    char* pages = map_pages(5000, MAP_PRIVATE);
    for (int i = 0; i < 5000; i += 7) pages[i * PAGE] = 1;
    CHECK(free_ram() < before);
    CHECK(munmap(pages, 5000 * PAGE) == 0);
    CHECK(free_ram() == before);
}
