// /proc/<pid>: links to places, descriptors, threads, and which processes are there (section 6).
#include "proc_text.h"

#include <ctype.h>
#include <dirent.h>
#include <pthread.h>
#include <sys/stat.h>

ROWS(links_to_places, "S6,F12,C3") {
    const char* directory = scratch_directory();
    CHECK(chdir(directory) == 0);
    check_link("/proc/self/cwd", directory);
    check_link("/proc/self/root", "/");
    struct stat own, there;
    CHECK(stat("/proc/self/cwd", &there) == 0 && stat(".", &own) == 0);
    CHECK(own.st_ino == there.st_ino && own.st_dev == there.st_dev);
    CHECK(lstat("/proc/self/cwd", &there) == 0 && S_ISLNK(there.st_mode));
    CHECK(rmdir(directory) == 0);
    char gone[64];
    snprintf(gone, sizeof(gone), "%s (deleted)", directory);
    check_link("/proc/self/cwd", gone);
    char exe[PATH_MAX];
    const ssize_t length = readlink("/proc/self/exe", exe, sizeof(exe) - 1);
    CHECK(length > 0);
    exe[length] = '\0';
    CHECK(strcmp(strrchr(exe, '/'), "/procfd_rows") == 0);
    CHECK(stat("/proc/self/exe", &there) == 0 && stat(exe, &own) == 0 && own.st_ino == there.st_ino);
    char number[32];
    snprintf(number, sizeof(number), "%d", getpid());
    check_link("/proc/self", number);
    snprintf(number, sizeof(number), "%d/task/%d", getpid(), gettid());
    check_link("/proc/thread-self", number);
    CHECK_ERROR(readlink("/proc/self/stat", exe, sizeof(exe)), EINVAL);
}

ROWS(descriptors, "S6,F10,C4") {
    char name[] = "/tmp/proc_rowsXXXXXX";
    const int fd = mkstemp(name);
    CHECK(fd >= 0 && write(fd, "contents", 8) == 8);
    char link[64];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", fd);
    check_link(link, name);
    struct stat status;
    CHECK(lstat(link, &status) == 0 && (status.st_mode & 07777) == 0700 && status.st_size == 64);
    // The link leads to the file itself: to another description of it, with an offset of its own.
    const int again = open(link, O_RDONLY | O_CLOEXEC);
    char bytes[9] = "";
    CHECK(again >= 0 && read(again, bytes, 8) == 8 && strcmp(bytes, "contents") == 0);
    CHECK(unlink(name) == 0);
    char gone[64];
    snprintf(gone, sizeof(gone), "%s (deleted)", name);
    check_link(link, gone);
    CHECK(open(link, O_RDWR) >= 0);
    snprintf(link, sizeof(link), "/proc/self/fdinfo/%d", again);
    char* text = proc_read_at(link);
    CHECK(text != NULL && proc_number(text, "pos") == 8);
    CHECK(strtol(proc_field(text, "flags"), NULL, 8) == (O_RDONLY | O_CLOEXEC | 0100000));
    CHECK(fstat(fd, &status) == 0);
    CHECK(proc_number(text, "mnt_id") > 0 && (!on_guest() || proc_number(text, "ino") == (long)status.st_ino));
    int ends[2];
    CHECK(pipe(ends) == 0 && fstat(ends[0], &status) == 0);
    snprintf(link, sizeof(link), "/proc/self/fd/%d", ends[0]);
    snprintf(gone, sizeof(gone), "pipe:[%lu]", (unsigned long)status.st_ino);
    check_link(link, gone);
    // A pipe can be opened once more as well.
    snprintf(link, sizeof(link), "/proc/self/fd/%d", ends[1]);
    const int writer = open(link, O_WRONLY);
    CHECK(writer >= 0 && write(writer, "x", 1) == 1 && read(ends[0], bytes, 8) == 1 && bytes[0] == 'x');
    CHECK(close(ends[1]) == 0);
    CHECK_ERROR(readlink(link, gone, sizeof(gone)), ENOENT);
    CHECK_ERROR(open("/proc/self/fd/999", O_RDONLY), ENOENT);
    CHECK_ERROR(open("/proc/self/fd/00", O_RDONLY), ENOENT);
}

ROWS(descriptors_are_listed, "S6,F10") {
    for (int i = 0; i < 100; ++i) CHECK(dup2(0, 200 + 3 * i) >= 0);
    DIR* dir = opendir("/proc/self/fd");
    CHECK(dir != NULL);
    int seen = 0;
    for (struct dirent* entry; (entry = readdir(dir)) != NULL;) {
        if (!isdigit(entry->d_name[0])) continue;
        CHECK(entry->d_type == DT_LNK);
        const int fd = atoi(entry->d_name);
        CHECK(fcntl(fd, F_GETFD) >= 0);
        if (fd >= 200) ++seen;
    }
    CHECK(seen == 100 && closedir(dir) == 0);
}

ROWS(fdinfo_of_special_files, "S6,C17") {
    const int event = (int)syscall(SYS_eventfd2, 7, 0);
    char* text = proc_read("/proc/self/fdinfo/%d", event);
    CHECK(event >= 0 && text != NULL && proc_hex(text, "eventfd-count") == 7 && proc_number(text, "pos") == 0);
    const pid_t pid = IN_CHILD();
    const int process = (int)syscall(434, pid, 0);  // pidfd_open
    CHECK(process >= 0 && proc_number(proc_read("/proc/self/fdinfo/%d", process), "Pid") == pid);
    char link[64];
    snprintf(link, sizeof(link), "/proc/self/fd/%d", event);
    check_link(link, "anon_inode:[eventfd]");
    wait_exit(pid, 0);
    CHECK(proc_number(proc_read("/proc/self/fdinfo/%d", process), "Pid") == -1);
}

static int gate[2];
static void* wait_at_gate(void* out) {
    *(pid_t*)out = gettid();
    char byte;
    (void)!read(gate[0], &byte, 1);
    return NULL;
}

ROWS(threads_are_listed, "S6,C9") {
    enum { kThreads = 5 };
    CHECK(pipe(gate) == 0);
    pthread_t threads[kThreads];
    pid_t tids[kThreads] = {0};
    for (int i = 0; i < kThreads; ++i) CHECK(pthread_create(&threads[i], NULL, wait_at_gate, &tids[i]) == 0);
    for (int i = 0; i < kThreads; ++i) {
        for (int tries = 0; tries < 2000 && ((volatile pid_t*)tids)[i] == 0; ++tries) usleep(1000);
    }
    CHECK(proc_number(proc_read("/proc/self/status"), "Threads") == kThreads + 1);
    CHECK(stat_number(proc_read("/proc/self/stat"), 20) == kThreads + 1);
    DIR* dir = opendir("/proc/self/task");
    CHECK(dir != NULL);
    int seen = 0;
    for (struct dirent* entry; (entry = readdir(dir)) != NULL;) {
        if (!isdigit(entry->d_name[0])) continue;
        char* text = proc_read("/proc/self/task/%s/status", entry->d_name);
        CHECK(text != NULL && proc_number(text, "Pid") == atoi(entry->d_name) && proc_number(text, "Tgid") == getpid());
        ++seen;
    }
    CHECK(seen == kThreads + 1);
    // A thread is found in /proc by its number, but not listed; and is no thread of others.
    char* text = proc_read("/proc/%d/stat", tids[0]);
    CHECK(text != NULL && strtol(text, NULL, 10) == tids[0] && stat_number(text, 4) == getppid());
    CHECK(proc_read("/proc/1/task/%d/stat", tids[0]) == NULL && errno == ENOENT);
    // Its name is its own.
    const int fd = open("/proc/thread-self/comm", O_WRONLY);
    CHECK(fd >= 0 && write(fd, "main", 4) == 4);
    CHECK(strcmp(proc_read("/proc/self/task/%d/comm", tids[1]), "procfd_rows\n") == 0);
    dir = opendir("/proc");
    for (struct dirent* entry; (entry = readdir(dir)) != NULL;) CHECK(atoi(entry->d_name) != tids[2]);
    for (int i = 0; i < kThreads; ++i) CHECK(write(gate[1], "x", 1) == 1);
    for (int i = 0; i < kThreads; ++i) CHECK(pthread_join(threads[i], NULL) == 0);
    for (int tries = 0; tries < 2000 && proc_number(proc_read("/proc/self/status"), "Threads") != 1; ++tries) usleep(1000);
    CHECK(proc_read("/proc/self/task/%d/stat", tids[0]) == NULL && errno == ENOENT);
}

ROWS(goes_when_it_is_reaped, "S6,F14") {
    int fds[2];
    const pid_t pid = sleeping_child(fds);
    char name[64];
    snprintf(name, sizeof(name), "/proc/%d", pid);
    const int dir = open(name, O_RDONLY | O_DIRECTORY);
    const int stat_fd = openat(dir, "stat", O_RDONLY);
    const int maps_fd = openat(dir, "maps", O_RDONLY);
    const int pagemap_fd = openat(dir, "pagemap", O_RDONLY);
    const int fd_fd = openat(dir, "fd", O_RDONLY | O_DIRECTORY);
    CHECK(dir >= 0 && stat_fd >= 0 && maps_fd >= 0 && fd_fd >= 0 && pagemap_fd >= 0);
    char text[4096];
    CHECK(read(stat_fd, text, 1) == 1);
    let_go(pid, fds);
    CHECK_ERROR(pread(stat_fd, text, sizeof(text), 0), ESRCH);
    CHECK_ERROR(read(maps_fd, text, sizeof(text)), ESRCH);
    CHECK(read(pagemap_fd, text, 8) == 0);
    CHECK_ERROR(openat(dir, "stat", O_RDONLY), ESRCH);
    CHECK_ERROR(openat(fd_fd, "0", O_RDONLY), ENOENT);
    CHECK_ERROR(syscall(SYS_getdents64, dir, text, sizeof(text)), ENOENT);
    CHECK_ERROR(syscall(SYS_getdents64, fd_fd, text, sizeof(text)), ENOENT);
    CHECK_ERROR(access(name, F_OK), ENOENT);
}

ROWS(only_processes_are_listed, "S6,F3") {
    int fds[2];
    const pid_t pid = sleeping_child(fds);
    DIR* dir = opendir("/proc");
    CHECK(dir != NULL);
    bool self = false, child = false, meminfo = false, init = false;
    int before = 0;
    for (struct dirent* entry; (entry = readdir(dir)) != NULL;) {
        if (isdigit(entry->d_name[0])) {
            const int number = atoi(entry->d_name);
            CHECK(entry->d_type == DT_DIR && number > before);
            before = number;
            self = self || number == getpid();
            child = child || number == pid;
            init = init || number == 1;
        }
        meminfo = meminfo || strcmp(entry->d_name, "meminfo") == 0;
    }
    CHECK(self && child && meminfo && init);
    char number[16];
    snprintf(number, sizeof(number), "%d ", pid);
    char* children = proc_read("/proc/thread-self/children");
    CHECK(children == NULL || strcmp(children, number) == 0);
    struct stat status;
    CHECK(stat("/proc", &status) == 0 && S_ISDIR(status.st_mode) && (status.st_mode & 07777) == 0555);
    CHECK_ERROR(mkdir("/proc/new", 0700), ENOENT);
    CHECK_ERROR(open("/proc/new", O_CREAT | O_WRONLY, 0600), ENOENT);
    CHECK_ERROR(stat("/proc/01", &status), ENOENT);
    CHECK_ERROR(stat("/proc/0", &status), ENOENT);
    CHECK_ERROR(unlink("/proc/self/stat"), EPERM);
    let_go(pid, fds);
}

ROWS(owners_and_rights, "S6") {
    if (getuid() != 0) return;
    int fds[2];
    const pid_t pid = sleeping_child(fds);
    CHECK(chmod("/proc/self/stat", 0600) == -1 && errno == EPERM);
    wait_exit(IN_CHILD({
                  CHECK(setresgid(1000, 1000, 1000) == 0 && setresuid(1000, 1000, 1000) == 0);
                  CHECK(proc_read("/proc/%d/stat", pid) != NULL && proc_read("/proc/%d/status", pid) != NULL);
                  CHECK(proc_read("/proc/%d/maps", pid) == NULL && errno == EACCES);
                  CHECK(proc_read("/proc/%d/environ", pid) == NULL && errno == EACCES);
                  CHECK(proc_read("/proc/%d/io", pid) == NULL && errno == EACCES);
                  char link[64];
                  char text[64];
                  snprintf(link, sizeof(link), "/proc/%d/fd/0", pid);
                  CHECK_ERROR(readlink(link, text, sizeof(text)), EACCES);
                  CHECK(proc_read("/proc/%d/fdinfo/0", pid) == NULL && errno == EACCES);
                  snprintf(link, sizeof(link), "/proc/%d/cwd", pid);
                  CHECK_ERROR(readlink(link, text, sizeof(text)), EACCES);
                  CHECK_ERROR(chdir(link), EACCES);
                  CHECK(strcmp(proc_read("/proc/%d/wchan", pid), "0") == 0);
                  // Addresses are not for everybody.
                  CHECK(stat_number(proc_read("/proc/%d/stat", pid), 28) == 0);
                  CHECK(stat_number(proc_read("/proc/%d/stat", pid), 26) == 1);
              }),
              0);
    let_go(pid, fds);
}
