// /proc/<pid>: namespaces, tracers, scheduling, limits; and how its files are read (section 6).
#include "proc_text.h"

#include <ctype.h>
#include <dirent.h>
#include <sys/prctl.h>
#include <sys/ptrace.h>
#include <sys/stat.h>

// Two tasks are in one namespace if the links name the same file.
ROWS(namespaces_are_files, "S6,C10,C18") {
    static const char* const kKinds[] = {"ipc", "mnt", "pid", "uts"};
    struct stat mine, theirs;
    char link[64], text[64];
    for (unsigned i = 0; i < 4; ++i) {
        snprintf(link, sizeof(link), "/proc/self/ns/%s", kKinds[i]);
        CHECK(stat(link, &mine) == 0 && S_ISREG(mine.st_mode));
        snprintf(text, sizeof(text), "%s:[%lu]", kKinds[i], (unsigned long)mine.st_ino);
        check_link(link, text);
        wait_exit(IN_CHILD({
                      CHECK(stat(link, &theirs) == 0 && theirs.st_ino == mine.st_ino && theirs.st_dev == mine.st_dev);
                      if (getuid() != 0 || i == 2 || i == 0) _exit(0);
                      const unsigned long flag = i == 1 ? CLONE_NEWNS : CLONE_NEWUTS;
                      const pid_t apart = (pid_t)syscall(SYS_clone, flag | SIGCHLD, 0, 0, 0, 0);
                      if (apart == 0) _exit(stat(link, &theirs) == 0 && theirs.st_ino != mine.st_ino ? 0 : 1);
                      CHECK(apart > 0);
                      wait_exit(apart, 0);
                  }),
                  0);
    }
    CHECK(open("/proc/self/ns/uts", O_RDONLY) >= 0);
    CHECK_ERROR(open("/proc/self/ns/none", O_RDONLY), ENOENT);
}

// A mount shows the tasks of the namespace that it was made in, by their numbers there.
ROWS(a_mount_shows_one_pid_namespace, "S6,C18") {
    if (getuid() != 0) return;
    const char* directory = scratch_directory();
    const pid_t pid = (pid_t)syscall(SYS_clone, CLONE_NEWPID | CLONE_NEWNS | SIGCHLD, 0, 0, 0, 0);
    CHECK(pid >= 0);
    if (pid == 0) {
        const pid_t outside = (pid_t)strtol(proc_read("/proc/self/stat"), NULL, 10);
        CHECK(getpid() == 1 && outside > 1);
        char* text = proc_read("/proc/self/status");
        int inner[2];
        CHECK(sscanf(proc_field(text, "NSpid"), "%d\t%d\n", &inner[0], &inner[1]) == 2 && inner[0] == outside && inner[1] == 1);
        CHECK(mount(NULL, "/", NULL, MS_REC | MS_PRIVATE, NULL) == 0);
        CHECK(mount("proc", directory, "proc", 0, NULL) == 0);
        text = proc_read("%s/self/status", directory);
        CHECK(text != NULL && proc_number(text, "Pid") == 1 && proc_number(text, "PPid") == 0);
        CHECK(sscanf(proc_field(text, "NSpid"), "%d\t%d\n", &inner[0], &inner[1]) == 1 && inner[0] == 1);
        const pid_t child = IN_CHILD(pause());
        CHECK(child == 2 && proc_number(proc_read("%s/2/status", directory), "PPid") == 1);
        DIR* dir = opendir(directory);
        CHECK(dir != NULL);
        int seen = 0;
        for (struct dirent* entry; (entry = readdir(dir)) != NULL;) seen += isdigit(entry->d_name[0]) ? 1 : 0;
        CHECK(seen == 2 && proc_read("%s/%d/stat", directory, outside) == NULL);
        CHECK(kill(child, SIGKILL) == 0 && waitpid(child, NULL, 0) == child);
        _exit(0);
    }
    wait_exit(pid, 0);
    CHECK(rmdir(directory) == 0);
}

// Whose tracer it is shows in status, and in the letter of its stop.
ROWS(a_tracee_is_shown, "S6,C6") {
    const pid_t pid = IN_CHILD({
        CHECK(ptrace(PTRACE_TRACEME, 0, NULL, NULL) == 0);
        raise(SIGUSR1);
    });
    int status;
    CHECK(waitpid(pid, &status, 0) == pid && WIFSTOPPED(status));
    char* text = proc_read("/proc/%d/status", pid);
    CHECK(strncmp(proc_field(text, "State"), "t (tracing stop)", 16) == 0 && proc_number(text, "TracerPid") == getpid());
    CHECK(*stat_field(proc_read("/proc/%d/stat", pid), 3) == 't');
    CHECK(ptrace(PTRACE_CONT, pid, NULL, NULL) == 0);
    wait_exit(pid, 0);
}

ROWS(scheduling_is_shown, "S6,P9") {
    unsigned long before, waited, turns, after;
    CHECK(sscanf(proc_read("/proc/self/schedstat"), "%lu %lu %lu\n", &before, &waited, &turns) == 3 && turns > 0);
    // A kernel may add up time at its ticks alone.
    for (int tries = 0; tries < 1000; ++tries) {
        for (volatile int i = 0; i < 1000000; ++i) {}
        CHECK(sscanf(proc_read("/proc/self/schedstat"), "%lu %lu %lu\n", &after, &waited, &turns) == 3);
        if (after > before) break;
    }
    CHECK(after > before);
    for (int i = 0; i < 3; ++i) usleep(1000);
    CHECK(proc_number(proc_read("/proc/self/status"), "voluntary_ctxt_switches") >= 3);
    char* text = proc_read("/proc/self/sched");
    if (text == NULL) return;  // a kernel without the scheduler's statistics
    char wanted[64];
    snprintf(wanted, sizeof(wanted), "procns_rows (%d, #threads: 1)\n---", getpid());
    CHECK(strncmp(text, wanted, strlen(wanted)) == 0);
    const char* switches = strstr(text, "\nnr_switches ");
    CHECK(switches != NULL && strtol(strchr(switches, ':') + 1, NULL, 10) >= 3);
    CHECK(strstr(text, "\nprio ") != NULL && strstr(text, "\npolicy ") != NULL);
    // A child begins at 0.
    wait_exit(IN_CHILD({
                  CHECK(sscanf(proc_read("/proc/self/schedstat"), "%lu", &before) == 1 && before < after);
                  CHECK(proc_number(proc_read("/proc/self/status"), "voluntary_ctxt_switches") < 3);
              }),
              0);
}

ROWS(limits_and_io, "S6,F12,P9") {
    struct rlimit limit = {1000, 2000};
    CHECK(setrlimit(RLIMIT_NOFILE, &limit) == 0);
    char* text = proc_read("/proc/self/limits");
    CHECK(text != NULL && strncmp(text, "Limit                     Soft Limit           Hard Limit           Units     \n", 79) == 0);
    const char* line = strstr(text, "Max open files            1000                 2000                 files     \n");
    CHECK(line != NULL);
    CHECK(strstr(text, "Max nice priority") != NULL);
    const int zero = open("/dev/zero", O_RDONLY);
    char bytes[1000];
    text = proc_read("/proc/self/io");
    CHECK(text != NULL);
    const long rchar = proc_number(text, "rchar"), syscr = proc_number(text, "syscr");
    for (int i = 0; i < 10; ++i) CHECK(read(zero, bytes, sizeof(bytes)) == sizeof(bytes));
    text = proc_read("/proc/self/io");
    CHECK(proc_number(text, "rchar") >= rchar + 10000 && proc_number(text, "syscr") >= syscr + 10);
    wait_exit(IN_CHILD({ CHECK(proc_number(proc_read("/proc/self/io"), "rchar") < 10000); }), 0);
}

ROWS(oom_score, "S6") {
    const int fd = open("/proc/self/oom_score_adj", O_RDWR);
    char text[16] = "";
    CHECK(fd >= 0 && write(fd, "500\n", 4) == 4);
    CHECK(pread(fd, text, sizeof(text) - 1, 0) > 0 && strcmp(text, "500\n") == 0);
    CHECK_ERROR(write(fd, "1001", 4), EINVAL);
    CHECK_ERROR(write(fd, "x", 1), EINVAL);
    wait_exit(IN_CHILD({ CHECK(strcmp(proc_read("/proc/self/oom_score_adj"), "500\n") == 0); }), 0);
    CHECK(strtol(proc_read("/proc/self/oom_score"), NULL, 10) >= 0);
}

// Reading in pieces gives the same as reading at once; from the beginning, it is made anew.
ROWS(reading_in_pieces, "S6") {
    char whole[4096] = "", pieces[4096] = "";
    const int fd = open("/proc/self/limits", O_RDONLY);
    CHECK(fd >= 0);
    const ssize_t length = read(fd, whole, sizeof(whole) - 1);
    CHECK(length > 100 && lseek(fd, 0, SEEK_SET) == 0);
    ssize_t got = 0;
    for (ssize_t part; (part = read(fd, pieces + got, 7)) > 0;) got += part;
    CHECK(got == length && strcmp(whole, pieces) == 0);
    CHECK(pread(fd, pieces, 10, 20) == 10 && memcmp(pieces, whole + 20, 10) == 0);
    CHECK_ERROR(lseek(fd, 0, SEEK_END), EINVAL);
    CHECK_ERROR(write(fd, "x", 1), EBADF);
    struct stat status;
    CHECK(fstat(fd, &status) == 0 && status.st_size == 0 && S_ISREG(status.st_mode));
    const int name = open("/proc/self/comm", O_RDWR);
    char text[20] = "";
    CHECK(read(name, text, sizeof(text)) == 12 && prctl(PR_SET_NAME, "other") == 0);
    CHECK(pread(name, text, sizeof(text), 0) == 6 && memcmp(text, "other\n", 6) == 0);
}

GUEST_ROWS(what_linux_does_not_show, "S6,V1") {
    char* text = proc_read("/proc/self/forkscope");
    CHECK(text != NULL && strstr(text, "page_table_root 0x") != NULL && strstr(text, "kernel_stack 0xffff") != NULL);
    CHECK(strstr(text, "rip ") != NULL && strstr(text, "last_result ") != NULL);
    char root[64];
    CHECK(sscanf(strstr(text, "page_table_root "), "page_table_root %63s", root) == 1);
    // A vfork child runs on its parent's tables, a fork child on its own.
    wait_exit(IN_CHILD({ CHECK(strstr(proc_read("/proc/self/forkscope"), root) == NULL); }), 0);
    const pid_t pid = vfork();
    if (pid == 0) _exit(strstr(proc_read("/proc/self/forkscope"), root) != NULL ? 0 : 1);
    wait_exit(pid, 0);
    char* page = map_pages(1, MAP_PRIVATE);
    page[0] = 1;
    text = proc_read("/proc/self/status");
    const long copies = proc_number(text, "cow_copies"), reuses = proc_number(text, "cow_reuses");
    wait_exit(IN_CHILD(page[0] = 2), 0);
    page[0] = 3;
    text = proc_read("/proc/self/status");
    CHECK(proc_number(text, "cow_copies") + proc_number(text, "cow_reuses") > copies + reuses);
}
