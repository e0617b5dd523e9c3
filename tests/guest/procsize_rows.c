// /proc/<pid>: sizes, the memory itself, and what else the calls about memory and time leave there (section 6).
#include "proc_text.h"

ROWS(sizes_follow_the_calls, "S6,F2,F4") {
    char* text = proc_read("/proc/self/status");
    const long size = proc_number(text, "VmSize"), data = proc_number(text, "VmData");
    char* pages = map_pages(300, MAP_PRIVATE);
    text = proc_read("/proc/self/status");
    CHECK(proc_number(text, "VmSize") == size + 1200 && proc_number(text, "VmData") == data + 1200);
    CHECK(proc_number(text, "VmPeak") >= size + 1200);
    memset(pages, 1, 300 * PAGE);
    text = proc_read("/proc/self/status");
    CHECK(!on_guest() || proc_number(text, "RssAnon") >= 1200);
    char* shared = map_pages(10, MAP_SHARED);
    memset(shared, 1, 10 * PAGE);
    CHECK(!on_guest() || proc_number(proc_read("/proc/self/status"), "RssShmem") == 40);
    CHECK(munmap(pages, 300 * PAGE) == 0 && munmap(shared, 10 * PAGE) == 0);
    text = proc_read("/proc/self/status");
    CHECK(proc_number(text, "VmSize") == size && proc_number(text, "VmPeak") >= size + 1200);
    CHECK(!on_guest() || proc_number(text, "RssShmem") == 0);
    long total, resident;
    CHECK(sscanf(proc_read("/proc/self/statm"), "%ld %ld", &total, &resident) == 2 && total == size / 4 && resident > 0);
}

// mem reads and writes as the program itself does, copy-on-write included, and what the program may not write too.
ROWS(mem_is_the_memory, "S6,W7") {
    char* pages = map_pages(3, MAP_PRIVATE);
    strcpy(pages, "parent");
    strcpy(pages + 2 * PAGE, "last");
    int go[2];
    CHECK(pipe(go) == 0);
    const pid_t pid = IN_CHILD({
        char byte;
        close(go[1]);
        (void)!read(go[0], &byte, 1);
        CHECK(strcmp(pages, "poked") == 0 && pages[2 * PAGE] == 'l');
    });
    char name[64];
    snprintf(name, sizeof(name), "/proc/%d/mem", pid);
    const int fd = open(name, O_RDWR);
    char text[8] = "";
    CHECK(fd >= 0 && pread(fd, text, 7, (off_t)(uintptr_t)pages) == 7 && strcmp(text, "parent") == 0);
    CHECK(pwrite(fd, "poked", 6, (off_t)(uintptr_t)pages) == 6);
    CHECK(strcmp(pages, "parent") == 0);
    // Read-only in the program: a copy of its own is what is written to.
    CHECK(mprotect(pages, PAGE, PROT_READ) == 0);
    const int own = open("/proc/self/mem", O_RDWR);
    CHECK(own >= 0 && pwrite(own, "P", 1, (off_t)(uintptr_t)pages) == 1 && strcmp(pages, "Parent") == 0);
    CHECK(munmap(pages + PAGE, PAGE) == 0);
    CHECK_ERROR(pread(own, text, 4, (off_t)(uintptr_t)(pages + PAGE)), EIO);
    CHECK(pread(own, text, 8, (off_t)(uintptr_t)(pages + PAGE - 3)) == 3);
    close(go[1]);
    wait_exit(pid, 0);
    CHECK(pread(fd, text, 4, (off_t)(uintptr_t)pages) == 0);
}

ROWS(clear_refs, "S6") {
    char* pages = map_pages(6, MAP_PRIVATE);
    CHECK(mprotect(pages, PAGE, PROT_NONE) == 0 && mprotect(pages + 5 * PAGE, PAGE, PROT_NONE) == 0);
    char* inside = pages + PAGE;
    memset(inside, 1, 4 * PAGE);
    CHECK(proc_number(smaps_of("/proc/self/smaps", inside), "Referenced") == 16);
    const int fd = open("/proc/self/clear_refs", O_WRONLY);
    CHECK(fd >= 0 && write(fd, "1\n", 2) == 2);
    CHECK(proc_number(smaps_of("/proc/self/smaps", inside), "Referenced") == 0);
    // Linux leaves the TLB as it is: there the next use may go unseen.
    ((volatile char*)inside)[0] = 2;
    CHECK(proc_number(smaps_of("/proc/self/smaps", inside), "Referenced") == 4 || !on_guest());
    CHECK_ERROR(write(fd, "0", 1), EINVAL);
    CHECK_ERROR(write(fd, "6", 1), EINVAL);
}

ROWS(policies_are_shown, "S6") {
    const int priority = 10;
    if (syscall(SYS_sched_setscheduler, 0, 1 /* SCHED_FIFO */, &priority) != 0) {
        CHECK(errno == EPERM && !on_guest());
        return;
    }
    char* text = proc_read("/proc/self/stat");
    CHECK(stat_number(text, 18) == -11 && stat_number(text, 40) == 10 && stat_number(text, 41) == 1);
}

GUEST_ROWS(alarms_are_shown, "S6") {
    CHECK(strstr(proc_read("/proc/self/forkscope"), "alarm_left 0\n") != NULL && alarm(100) == 0);
    const char* left = strstr(proc_read("/proc/self/forkscope"), "alarm_left ");
    CHECK(left != NULL && strtoul(left + 11, NULL, 10) > 90000000000 && alarm(0) > 0);
}

ROWS(locked_memory_is_shown, "S6,F4") {
    char* pages = map_pages(4, MAP_PRIVATE);
    if (mlock(pages + PAGE, 2 * PAGE) != 0) {
        CHECK(errno == EPERM || errno == ENOMEM);
        return;
    }
    CHECK(proc_number(proc_read("/proc/self/status"), "VmLck") == 8);
    CHECK(proc_number(smaps_of("/proc/self/smaps", pages + PAGE), "Locked") == 8);
    wait_exit(IN_CHILD({ CHECK(proc_number(proc_read("/proc/self/status"), "VmLck") == 0); }), 0);
    CHECK(munlock(pages, 4 * PAGE) == 0 && proc_number(proc_read("/proc/self/status"), "VmLck") == 0);
}
