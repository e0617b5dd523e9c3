// /proc's files about the whole system: frames, counts, lists and settings (row W10, section 6).
#include "proc_text.h"

#include <sys/msg.h>
#include <sys/sem.h>
#include <sys/shm.h>
#include <time.h>

ROWS(meminfo_agrees_with_sysinfo, "S6,W10") {
    char* text = proc_read("/proc/meminfo");
    struct sysinfo info;
    CHECK(text != NULL && sysinfo(&info) == 0);
    CHECK((uint64_t)proc_number(text, "MemTotal") == info.totalram * info.mem_unit / 1024);
    CHECK(strncmp(text, "MemTotal:  ", 11) == 0 && strstr(text, " kB\nMemFree:  ") != NULL);
    for (const char* const* name = (const char* const[]){"Cached", "AnonPages", "Mapped", "Shmem", "Slab", "KernelStack",
                                                         "PageTables", "SwapTotal", NULL};
         *name != NULL; ++name) {
        CHECK(proc_number(text, *name) >= 0);
    }
}

static const char* const kCounts[] = {"MemFree", "AnonPages", "Mapped", "Shmem", "Cached", "Slab", "KernelStack", "PageTables"};
enum { kNrCounts = sizeof(kCounts) / sizeof(kCounts[0]) };

static void take_counts(long* out) {
    char* text = proc_read("/proc/meminfo");
    for (int i = 0; i < kNrCounts; ++i) out[i] = proc_number(text, kCounts[i]);
}

// Shared memory is cached, mapped and shared; it goes with its last mapping.
static void count_shared_memory(void) {
    long before[kNrCounts], during[kNrCounts], after[kNrCounts];
    char* shared = map_pages(8, MAP_SHARED);
    take_counts(before);
    for (int i = 0; i < 8; ++i) shared[i * PAGE] = 1;
    take_counts(during);
    CHECK(during[2] - before[2] == 32 && during[3] - before[3] == 32 && during[4] - before[4] == 32);
    CHECK(during[1] == before[1]);
    CHECK(munmap(shared, 8 * PAGE) == 0);
    take_counts(after);
    CHECK(after[2] == before[2] && after[3] == before[3] && after[4] == before[4]);
}

// A child costs a kernel stack, tables, and copies of what it writes.
static void count_child(char* pages, bool rehearsal) {
    long before[kNrCounts], during[kNrCounts], after[kNrCounts];
    int fds[2];
    CHECK(pipe(fds) == 0);
    take_counts(before);
    const pid_t pid = IN_CHILD({
        char byte;
        for (int i = 0; i < 8; ++i) pages[i * PAGE] = 2;
        close(fds[1]);
        (void)!read(fds[0], &byte, 1);
    });
    for (int i = 0; i < 1000 && *stat_field(proc_read("/proc/%d/stat", pid), 3) != 'S'; ++i) usleep(1000);
    take_counts(during);
    CHECK(during[6] - before[6] == 16 && during[7] > before[7] && during[1] - before[1] >= 32);
    close(fds[1]);
    wait_exit(pid, 0);
    take_counts(after);
    for (int i = 0; i < kNrCounts; ++i) {
        // Slabs are shared with all other tasks; everything else is as before.
        const bool exact = strcmp(kCounts[i], "Slab") != 0 && strcmp(kCounts[i], "MemFree") != 0;
        if (rehearsal) continue;
        if (exact && after[i] != before[i]) printf("  %s: %ld kB, was %ld kB\n", kCounts[i], after[i], before[i]);
        CHECK(!exact || after[i] == before[i]);
    }
    close(fds[0]);
}

// What each call takes shows in kB, exactly, and comes back.
GUEST_ROWS(meminfo_is_exact, "W10") {
    char* pages = map_pages(8, MAP_PRIVATE);
    for (int i = 0; i < 8; ++i) pages[i * PAGE] = 1;
    // The program's own first touches, of its code as well, come before what is counted.
    long counts[kNrCounts];
    for (int i = 0; i < 4; ++i) take_counts(counts);
    wait_exit(IN_CHILD(), 0);
    usleep(1000);
    count_child(pages, true);
    count_shared_memory();
    count_child(pages, false);
}

// The objects of one cache that are in use.
static long objects_of(const char* slabinfo, const char* cache) {
    char line[64];
    snprintf(line, sizeof(line), "\n%s ", cache);
    const char* at = strstr(slabinfo, line);
    CHECK(at != NULL);
    return strtol(at + strlen(line), NULL, 10);
}

// Forks leave every cache of the kernel as it was.
GUEST_ROWS(slabs_come_back, "W10") {
    static char before[1 << 14];
    for (int i = 0; i < 300; ++i) wait_exit(IN_CHILD(), 0);
    char* text = proc_read("/proc/slabinfo");
    CHECK(text != NULL && strncmp(text, "slabinfo - version: 2.1\n# name ", 31) == 0);
    snprintf(before, sizeof(before), "%s", text);
    for (int i = 0; i < 300; ++i) wait_exit(IN_CHILD(), 0);
    text = proc_read("/proc/slabinfo");
    for (const char* const* cache = (const char* const[]){"task_struct", "mm_struct", "vm_area_struct", "files_struct",
                                                          "signal_struct", "sighand_struct", "pid", "cred", "file",
                                                          "inode", "dentry", "proc_inode", NULL};
         *cache != NULL; ++cache) {
        CHECK(objects_of(text, *cache) == objects_of(before, *cache));
    }
}

ROWS(system_files_have_their_forms, "S6") {
    struct utsname name;
    CHECK(uname(&name) == 0);
    char* text = proc_read("/proc/version");
    char wanted[200];
    snprintf(wanted, sizeof(wanted), "%s version %s (", name.sysname, name.release);
    CHECK(strncmp(text, wanted, strlen(wanted)) == 0);
    CHECK(strncmp(proc_read("/proc/sys/kernel/osrelease"), name.release, strlen(name.release)) == 0);
    snprintf(wanted, sizeof(wanted), "%s\n", name.nodename);
    CHECK(strcmp(proc_read("/proc/sys/kernel/hostname"), wanted) == 0);
    CHECK(strcmp(proc_read("/proc/sys/kernel/ostype"), "Linux\n") == 0);
    CHECK(atoi(proc_read("/proc/sys/kernel/pid_max")) > getpid() && atoi(proc_read("/proc/sys/kernel/threads-max")) > 1);
    CHECK(atoi(proc_read("/proc/sys/kernel/cap_last_cap")) >= 36 && atoi(proc_read("/proc/sys/kernel/ngroups_max")) >= 32);
    CHECK(atol(proc_read("/proc/sys/fs/file-max")) > 100 && atoi(proc_read("/proc/sys/fs/pipe-max-size")) >= 65536);
    CHECK(strchr("012", proc_read("/proc/sys/vm/overcommit_memory")[0]) != NULL);
    double up, idle, loads[3];
    CHECK(sscanf(proc_read("/proc/uptime"), "%lf %lf\n", &up, &idle) == 2 && up > 0);
    unsigned running, threads;
    CHECK(sscanf(proc_read("/proc/loadavg"), "%lf %lf %lf %u/%u", &loads[0], &loads[1], &loads[2], &running, &threads) == 5);
    CHECK(running >= 1 && threads >= running);
    CHECK(strstr(proc_read("/proc/filesystems"), "nodev\tproc\n") != NULL);
    CHECK(strstr(proc_read("/proc/devices"), "  1 mem\n") != NULL);
    CHECK(strstr(proc_read("/proc/mounts"), " /proc proc rw") != NULL);
    CHECK(strstr(proc_read("/proc/self/mountinfo"), " / /proc rw") != NULL);
    CHECK(strstr(proc_read("/proc/cpuinfo"), "processor\t: 0\nvendor_id\t: ") != NULL);
    CHECK(strstr(proc_read("/proc/cpuinfo"), "flags\t\t:") != NULL && proc_read("/proc/cmdline") != NULL);
    CHECK(proc_field(proc_read("/proc/interrupts"), "  0") != NULL || !on_guest());
}

ROWS(stat_of_the_system, "S6") {
    char* text = proc_read("/proc/stat");
    unsigned long user, nice, system, idle;
    CHECK(sscanf(text, "cpu  %lu %lu %lu %lu", &user, &nice, &system, &idle) == 4);
    CHECK(strstr(text, "\ncpu0 ") != NULL && strstr(text, "\nintr ") != NULL && strstr(text, "\nprocs_running ") != NULL);
    unsigned long forks = strtoul(strstr(text, "\nprocesses ") + 11, NULL, 10);
    for (int i = 0; i < 5; ++i) wait_exit(IN_CHILD(), 0);
    text = proc_read("/proc/stat");
    CHECK(strtoul(strstr(text, "\nprocesses ") + 11, NULL, 10) >= forks + 5);
    const long btime = strtol(strstr(text, "\nbtime ") + 7, NULL, 10);
    struct timespec real, boot;
    CHECK(clock_gettime(CLOCK_REALTIME, &real) == 0 && clock_gettime(CLOCK_BOOTTIME, &boot) == 0);
    CHECK(labs(real.tv_sec - boot.tv_sec - btime) <= 1);
}

// The objects that the calls make stand in the lists.
ROWS(system_v_objects, "S6,F8,F11") {
    const int queue = msgget(IPC_PRIVATE, 0640), set = semget(IPC_PRIVATE, 3, 0600), segment = shmget(IPC_PRIVATE, 5000, 0604);
    CHECK(queue >= 0 && set >= 0 && segment >= 0);
    struct {
        long type;
        char text[5];
    } message = {1, "five"};
    CHECK(msgsnd(queue, &message, 5, 0) == 0);
    void* at = shmat(segment, NULL, 0);
    CHECK(at != (void*)-1);
    int id, mode, found = 0;
    long key, first, second;
    for (char* line = proc_read("/proc/sysvipc/msg"); (line = strchr(line, '\n')) != NULL; ++line) {
        if (sscanf(line, "%ld %d %o %ld %ld", &key, &id, &mode, &first, &second) != 5 || id != queue) continue;
        CHECK(key == 0 && mode == 0640 && first == 5 && second == 1);
        ++found;
    }
    for (char* line = proc_read("/proc/sysvipc/sem"); (line = strchr(line, '\n')) != NULL; ++line) {
        if (sscanf(line, "%ld %d %o %ld", &key, &id, &mode, &first) != 4 || id != set) continue;
        CHECK(mode == 0600 && first == 3);
        ++found;
    }
    for (char* line = proc_read("/proc/sysvipc/shm"); (line = strchr(line, '\n')) != NULL; ++line) {
        int creator, last;
        if (sscanf(line, "%ld %d %o %ld %d %d %ld", &key, &id, &mode, &first, &creator, &last, &second) != 7 || id != segment) continue;
        CHECK(mode == 0604 && first == 5000 && creator == getpid() && last == getpid() && second == 1);
        ++found;
    }
    struct area area;
    CHECK(find_area("/proc/self/maps", at, &area) && strcmp(area.rights, "rw-s") == 0);
    CHECK(strcmp(area.name, "/SYSV00000000 (deleted)") == 0 && area.ino == (unsigned long)segment);
    CHECK(msgctl(queue, IPC_RMID, NULL) == 0 && semctl(set, 0, IPC_RMID) == 0 && shmctl(segment, IPC_RMID, NULL) == 0);
    CHECK(found == 3);
}

GUEST_ROWS(settings_can_be_written, "S6") {
    int fd = open("/proc/sys/kernel/hostname", O_WRONLY | O_TRUNC);
    CHECK(fd >= 0 && write(fd, "other\n", 6) == 6 && close(fd) == 0);
    struct utsname name;
    CHECK(uname(&name) == 0 && strcmp(name.nodename, "other") == 0);
    fd = open("/proc/sys/kernel/threads-max", O_WRONLY);
    CHECK_ERROR(write(fd, "-1", 2), EINVAL);
    CHECK_ERROR(write(fd, "x", 1), EINVAL);
    CHECK(write(fd, "500\n", 4) == 4 && atoi(proc_read("/proc/sys/kernel/threads-max")) == 500);
    wait_exit(IN_CHILD({
                  CHECK(setresuid(1000, 1000, 1000) == 0);
                  CHECK_ERROR(open("/proc/sys/kernel/hostname", O_WRONLY), EACCES);
                  CHECK_ERROR(open("/proc/slabinfo", O_RDONLY), EACCES);
              }),
              0);
}

ROWS(identifiers_are_random, "S6") {
    char* ids[3];
    static const char* const kFiles[] = {"random/uuid", "random/uuid", "random/boot_id"};
    for (int i = 0; i < 3; ++i) {
        char name[64];
        snprintf(name, sizeof(name), "/proc/sys/kernel/%s", kFiles[i]);
        ids[i] = proc_read(name);
        CHECK(strlen(ids[i]) == 37 && ids[i][14] == '4' && strchr("89ab", ids[i][19]) != NULL);
        for (int at = 0; at < 36; ++at)
            CHECK(at == 8 || at == 13 || at == 18 || at == 23 ? ids[i][at] == '-'
                                                              : strchr("0123456789abcdef", ids[i][at]) != NULL);
    }
    CHECK(strcmp(ids[0], ids[1]) != 0 && strcmp(ids[2], proc_read("/proc/sys/kernel/random/boot_id")) == 0);
    CHECK(strcmp(proc_read("/proc/sys/kernel/overflowuid"), "65534\n") == 0);
}
