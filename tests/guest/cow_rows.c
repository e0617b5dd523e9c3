// Copy-on-write: who copies what, and when. Faults are counted with getrusage, which the host's kernel counts the same.
#include "rows.h"

enum { kPages = 64 };

static char* dirty_pages(void) {
    char* pages = map_pages(kPages, MAP_PRIVATE);
    for (int i = 0; i < kPages; ++i) pages[i * PAGE] = (char)i;
    return pages;
}

ROWS(each_side_copies_what_it_writes_first, "W1,W2,W4") {
    char* pages = dirty_pages();
    int ready[2], go[2];
    CHECK(pipe(ready) == 0 && pipe(go) == 0);
    char byte = 0;
    const pid_t pid = IN_CHILD({
        CHECK(write(ready[1], "r", 1) == 1);
        CHECK(read(go[0], &byte, 1) == 1);
        long faults = minor_faults();
        faults = minor_faults();
        for (int i = 0; i < 5; ++i) pages[i * PAGE] = 'c';
        faults = minor_faults() - faults;
        CHECK(faults == 5);
        // Reading what is shared needs no fault, and no copy.
        long reads = minor_faults();
        int sum = 0;
        for (int i = 0; i < kPages; ++i) sum += pages[i * PAGE];
        reads = minor_faults() - reads;
        CHECK(reads == 0 && sum != 0);
        CHECK(pages[20 * PAGE] == 20 && pages[0] == 'c');
    });
    CHECK(read(ready[0], &byte, 1) == 1);
    long faults = minor_faults();
    faults = minor_faults();
    for (int i = 16; i < 19; ++i) pages[i * PAGE] = 'p';
    faults = minor_faults() - faults;
    CHECK(faults == 3);
    CHECK(write(go[1], "g", 1) == 1);
    wait_exit(pid, 0);
    for (int i = 0; i < kPages; ++i) CHECK(pages[i * PAGE] == (i >= 16 && i < 19 ? 'p' : (char)i));
}

// After the child is gone the pages are this process's alone: a fault each, and then none.
ROWS(the_last_owner_gets_its_page_back, "W3") {
    char* pages = dirty_pages();
    wait_exit(IN_CHILD({}), 0);
    long faults = minor_faults();
    faults = minor_faults();
    for (int i = 0; i < kPages; ++i) pages[i * PAGE + 1] = 'x';
    const long first = minor_faults() - faults;
    faults = minor_faults();
    for (int i = 0; i < kPages; ++i) pages[i * PAGE + 1] = 'y';
    const long second = minor_faults() - faults;
    // The table itself may be what was shared: then one fault gives all of it back.
    CHECK(first == (fork_shares_tables() ? 1 : kPages) && second == 0);
    for (int i = 0; i < kPages; ++i) CHECK(pages[i * PAGE] == (char)i);
}

// fork itself takes page tables, a stack and small objects: no frame for any of the pages.
GUEST_ROWS(fork_copies_no_page, "W1") {
    char* pages = dirty_pages();
    int go[2];
    CHECK(pipe(go) == 0);
    const uint64_t before = free_ram();
    const pid_t pid = IN_CHILD({
        char byte;
        CHECK(read(go[0], &byte, 1) == 1);
    });
    for (int i = 0; i < 10; ++i) sched_yield();
    const uint64_t used = (before - free_ram()) / PAGE;
    CHECK(used > 0 && used < 24);
    CHECK(write(go[1], "g", 1) == 1);
    wait_exit(pid, 0);
    CHECK(pages[0] == 0);
}

GUEST_ROWS(reuse_takes_no_frame, "W3") {
    char* pages = dirty_pages();
    wait_exit(IN_CHILD({}), 0);
    const uint64_t before = free_ram();
    for (int i = 0; i < kPages; ++i) pages[i * PAGE + 1] = 'x';
    CHECK(free_ram() == before);
}

ROWS(shared_memory_is_shared, "W5") {
    char* shared = map_pages(2, MAP_SHARED);
    shared[0] = 'a';
    const pid_t pid = IN_CHILD({
        CHECK(shared[0] == 'a');
        shared[0] = 'b';
        shared[PAGE] = 'c';
    });
    wait_exit(pid, 0);
    CHECK(shared[0] == 'b' && shared[PAGE] == 'c');
    // Writable entries of shared memory stay so: no fault after a fork.
    wait_exit(IN_CHILD({}), 0);
    long faults = minor_faults();
    faults = minor_faults();
    shared[0] = 'd';
    CHECK(minor_faults() - faults == 0);
}

ROWS(shared_file_mapping, "W5") {
    char name[] = "/tmp/rowsXXXXXX";
    const int fd = mkstemp(name);
    CHECK(fd >= 0 && unlink(name) == 0 && ftruncate(fd, PAGE) == 0);
    char* shared = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_SHARED, fd, 0);
    char* private = mmap(NULL, PAGE, PROT_READ | PROT_WRITE, MAP_PRIVATE, fd, 0);
    CHECK(shared != MAP_FAILED && private != MAP_FAILED);
    CHECK(private[0] == 0);
    wait_exit(IN_CHILD({
                  memcpy(shared, "child", 5);
                  private[100] = 'p';
              }),
              0);
    char text[6] = "";
    CHECK(pread(fd, text, 5, 0) == 5 && strcmp(text, "child") == 0);
    CHECK(memcmp(private, "child", 5) == 0 && private[100] == 0 && shared[100] == 0);
    private[0] = 'X';
    CHECK(shared[0] == 'c');
}

ROWS(zero_page, "W6") {
    char* pages = map_pages(kPages, MAP_PRIVATE);
    // A kernel without huge pages does not know the advice.
    CHECK(madvise(pages, kPages * PAGE, MADV_NOHUGEPAGE) == 0 || errno == EINVAL);
    long faults = minor_faults();
    faults = minor_faults();
    int sum = 0;
    for (int i = 0; i < kPages; ++i) sum += pages[i * PAGE];
    CHECK(minor_faults() - faults == kPages && sum == 0);
    faults = minor_faults();
    for (int i = 0; i < kPages; ++i) pages[i * PAGE] = 1;
    // A kernel may be configured to have no zero page.
    if (on_guest()) CHECK(minor_faults() - faults == kPages);
    CHECK(pages[5 * PAGE] == 1 && pages[5 * PAGE + 1] == 0);
}

GUEST_ROWS(zero_page_takes_no_frame, "W6") {
    char* pages = map_pages(kPages, MAP_PRIVATE);
    pages[0] = 1;  // the page table is there now
    const uint64_t before = free_ram();
    int sum = 0;
    for (int i = 1; i < kPages; ++i) sum += pages[i * PAGE];
    CHECK(sum == 0 && free_ram() == before);
    pages[PAGE] = 1;
    CHECK(free_ram() == before - PAGE);
}

// read() into a page that parent and child share: the kernel's write must copy like the program's own.
ROWS(kernel_writes_copy_too, "W7") {
    char* page = map_pages(1, MAP_PRIVATE);
    strcpy(page, "parent");
    int data[2];
    CHECK(pipe(data) == 0 && write(data[1], "kernel", 6) == 6);
    const pid_t pid = IN_CHILD({
        CHECK(read(data[0], page, 6) == 6);
        CHECK(strcmp(page, "kernel") == 0);
    });
    wait_exit(pid, 0);
    CHECK(strcmp(page, "parent") == 0);
    // wait4's status, too.
    int* status = (int*)(page + 64);
    *status = 1234;
    const pid_t outer = IN_CHILD({
        const pid_t inner = IN_CHILD({ _exit(7); });
        CHECK(waitpid(inner, status, 0) == inner);
        CHECK(WEXITSTATUS(*status) == 7);
    });
    wait_exit(outer, 0);
    CHECK(*status == 1234);
}

ROWS(kernel_writes_to_read_only_memory_fail, "W7") {
    char* page = map_pages(2, MAP_PRIVATE);
    page[0] = 'r';
    CHECK(mprotect(page, PAGE, PROT_READ) == 0);
    int data[2];
    CHECK(pipe(data) == 0 && write(data[1], "kernel", 6) == 6);
    CHECK_ERROR(read(data[0], page, 6), EFAULT);
    CHECK(page[0] == 'r');
    CHECK(mprotect(page, PAGE, PROT_NONE) == 0);
    CHECK_ERROR(read(data[0], page, 6), EFAULT);
    CHECK_ERROR(write(data[1], page, 6), EFAULT);
    CHECK(read(data[0], page + PAGE, 6) == 6 && memcmp(page + PAGE, "kernel", 6) == 0);
}

// Three generations share one page; each writes and none sees another's.
ROWS(generations, "W2,W3") {
    char* page = map_pages(1, MAP_PRIVATE);
    page[0] = '0';
    const pid_t pid = IN_CHILD({
        const pid_t grandchild = IN_CHILD({
            CHECK(page[0] == '0');
            page[0] = '2';
            CHECK(page[0] == '2');
        });
        page[0] = '1';
        wait_exit(grandchild, 0);
        CHECK(page[0] == '1');
    });
    page[0] = 'p';
    wait_exit(pid, 0);
    CHECK(page[0] == 'p');
}

// Everything comes back: frames, page tables and kernel objects, to the byte.
GUEST_ROWS(nothing_leaks, "W10,P17") {
    char* pages = dirty_pages();
    for (int warm_up = 0; warm_up < 3; ++warm_up) wait_exit(IN_CHILD({ pages[0] = 'x'; }), 0);
    for (int i = 0; i < kPages; ++i) pages[i * PAGE] = (char)i;
    const uint64_t before = free_ram();
    for (int round = 0; round < 1000; ++round) {
        const pid_t pid = IN_CHILD({
            for (int i = 0; i < 8; ++i) pages[i * PAGE] = 'c';
            char* more = map_pages(300, MAP_PRIVATE);
            more[0] = more[299 * PAGE] = 1;
            if (round % 10 == 0) {
                char* argv[] = {"true", NULL};
                execv("/bin/busybox", argv);
                _exit(1);
            }
        });
        pages[9 * PAGE] = (char)round;
        wait_exit(pid, 0);
    }
    for (int i = 0; i < kPages; ++i) pages[i * PAGE] = (char)i;
    CHECK(free_ram() == before);
}
