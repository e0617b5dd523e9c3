// memfd_create and the seals on its files.
#include "rows.h"

#include <sys/stat.h>

#ifndef MFD_NOEXEC_SEAL
#define MFD_NOEXEC_SEAL 8u
#define MFD_EXEC 0x10u
#endif
#ifndef F_SEAL_FUTURE_WRITE
#define F_SEAL_FUTURE_WRITE 0x10
#endif
#ifndef F_SEAL_EXEC
#define F_SEAL_EXEC 0x20
#endif

static int make(unsigned flags) {
    const int fd = (int)syscall(SYS_memfd_create, "rows", flags);
    CHECK(fd >= 0);
    return fd;
}
static int sealed(int seals) {
    const int fd = make(MFD_ALLOW_SEALING);
    CHECK(ftruncate(fd, PAGE) == 0);
    CHECK(fcntl(fd, F_ADD_SEALS, seals) == 0 && fcntl(fd, F_GET_SEALS) == seals);
    return fd;
}
static char* map(int fd, int prot, int flags) { return mmap(NULL, PAGE, prot, flags, fd, 0); }

ROWS(a_file_without_a_name, "F10") {
    const int fd = make(0);
    CHECK(fcntl(fd, F_GETFD) == 0 && (fcntl(fd, F_GETFL) & O_ACCMODE) == O_RDWR);
    CHECK(write(fd, "hello", 5) == 5 && lseek(fd, 0, SEEK_SET) == 0);
    struct stat stat;
    CHECK(fstat(fd, &stat) == 0 && S_ISREG(stat.st_mode) && stat.st_size == 5 && stat.st_nlink == 0);
    char path[64], link[64] = {0};
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    CHECK(readlink(path, link, sizeof(link) - 1) > 0 && strcmp(link, "/memfd:rows (deleted)") == 0);
    wait_exit(IN_CHILD({
                  char text[8] = {0};
                  CHECK(read(fd, text, sizeof(text)) == 5 && strcmp(text, "hello") == 0);
              }),
              0);
    char* memory = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED);
    CHECK(memory != MAP_FAILED && memory[0] == 'h');
    memory[0] = 'H';
    char first;
    CHECK(pread(fd, &first, 1, 0) == 1 && first == 'H');
    CHECK(fcntl(make(MFD_CLOEXEC), F_GETFD) == FD_CLOEXEC);
}

ROWS(arguments, "F10") {
    char name[300];
    memset(name, 'n', sizeof(name));
    name[249] = '\0';
    CHECK(syscall(SYS_memfd_create, name, 0) >= 0);
    name[249] = 'n', name[250] = '\0';
    CHECK_ERROR(syscall(SYS_memfd_create, name, 0), EINVAL);
    CHECK_ERROR(syscall(SYS_memfd_create, "x", 0x40), EINVAL);
    CHECK_ERROR(syscall(SYS_memfd_create, "x", MFD_EXEC | MFD_NOEXEC_SEAL), EINVAL);
    CHECK_ERROR(syscall(SYS_memfd_create, opaque(4096), 0), EFAULT);
    CHECK(syscall(SYS_memfd_create, "", 0) >= 0);
}

ROWS(who_may_seal, "F10") {
    const int closed = make(0);
    CHECK(fcntl(closed, F_GET_SEALS) == F_SEAL_SEAL);
    CHECK_ERROR(fcntl(closed, F_ADD_SEALS, F_SEAL_WRITE), EPERM);
    const int fd = make(MFD_ALLOW_SEALING);
    CHECK(fcntl(fd, F_GET_SEALS) == 0);
    CHECK_ERROR(fcntl(fd, F_ADD_SEALS, 0x100), EINVAL);
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    const int reader = open(path, O_RDONLY);
    CHECK_ERROR(fcntl(reader, F_ADD_SEALS, F_SEAL_GROW), EPERM);
    CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_GROW | F_SEAL_SEAL) == 0);
    CHECK(fcntl(reader, F_GET_SEALS) == (F_SEAL_GROW | F_SEAL_SEAL));
    CHECK_ERROR(fcntl(fd, F_ADD_SEALS, F_SEAL_SHRINK), EPERM);
    int ends[2];
    CHECK(pipe(ends) == 0);
    CHECK_ERROR(fcntl(ends[1], F_GET_SEALS), EINVAL);
    CHECK_ERROR(fcntl(ends[1], F_ADD_SEALS, F_SEAL_WRITE), EINVAL);
}

ROWS(size_is_sealed, "F10") {
    char bytes[100] = {0};
    int fd = sealed(F_SEAL_SHRINK);
    CHECK_ERROR(ftruncate(fd, 10), EPERM);
    CHECK(ftruncate(fd, PAGE) == 0 && ftruncate(fd, 2 * PAGE) == 0 && write(fd, bytes, 100) == 100);
    char path[64];
    snprintf(path, sizeof(path), "/proc/self/fd/%d", fd);
    CHECK_ERROR(open(path, O_RDWR | O_TRUNC), EPERM);
    fd = sealed(F_SEAL_GROW);
    CHECK_ERROR(ftruncate(fd, 2 * PAGE), EPERM);
    CHECK(pwrite(fd, bytes, 100, PAGE - 100) == 100);
    CHECK(pwrite(fd, bytes, 100, PAGE - 50) == 50);
    CHECK_ERROR(pwrite(fd, bytes, 100, PAGE), EPERM);
    CHECK(ftruncate(fd, 10) == 0);
}

ROWS(contents_are_sealed, "F10") {
    int fd = sealed(F_SEAL_WRITE);
    CHECK_ERROR(write(fd, "x", 1), EPERM);
    CHECK(map(fd, PROT_READ | PROT_WRITE, MAP_SHARED) == MAP_FAILED && errno == EPERM);
    char* memory = map(fd, PROT_READ | PROT_WRITE, MAP_PRIVATE);
    CHECK(memory != MAP_FAILED);
    memory[0] = 'x';
    char first;
    CHECK(pread(fd, &first, 1, 0) == 1 && first == 0);
    CHECK(ftruncate(fd, 2 * PAGE) == 0);
    // Not while it is mapped to be written.
    fd = make(MFD_ALLOW_SEALING);
    CHECK(ftruncate(fd, PAGE) == 0);
    memory = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED);
    CHECK_ERROR(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE), EBUSY);
    CHECK(munmap(memory, PAGE) == 0);
    CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_WRITE) == 0);
}

ROWS(the_future_is_sealed, "F10") {
    const int fd = make(MFD_ALLOW_SEALING);
    CHECK(ftruncate(fd, PAGE) == 0);
    char* memory = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED);
    CHECK(fcntl(fd, F_ADD_SEALS, F_SEAL_FUTURE_WRITE) == 0);
    memory[0] = 'x';
    CHECK_ERROR(write(fd, "y", 1), EPERM);
    CHECK(map(fd, PROT_READ | PROT_WRITE, MAP_SHARED) == MAP_FAILED && errno == EPERM);
    char* reader = map(fd, PROT_READ, MAP_SHARED);
    CHECK(reader != MAP_FAILED && reader[0] == 'x');
    CHECK_ERROR(mprotect(reader, PAGE, PROT_READ | PROT_WRITE), EACCES);
}

ROWS(rights_to_run_are_sealed, "F10") {
    struct stat stat;
    const int fd = (int)syscall(SYS_memfd_create, "rows", MFD_NOEXEC_SEAL);
    if (fd < 0 && !on_guest() && errno == EINVAL) return;  // before Linux 6.3
    CHECK(fstat(fd, &stat) == 0 && (stat.st_mode & 07777) == 0666);
    CHECK(fcntl(fd, F_GET_SEALS) == F_SEAL_EXEC);
    CHECK_ERROR(fchmod(fd, 0755), EPERM);
    CHECK(fchmod(fd, 0600) == 0);
    const int program = make(MFD_ALLOW_SEALING | MFD_EXEC);
    CHECK(fstat(program, &stat) == 0 && (stat.st_mode & 07777) == 0777);
    CHECK(fcntl(program, F_ADD_SEALS, F_SEAL_EXEC) == 0);
    CHECK(fcntl(program, F_GET_SEALS) ==
          (F_SEAL_EXEC | F_SEAL_SHRINK | F_SEAL_GROW | F_SEAL_WRITE | F_SEAL_FUTURE_WRITE));
}

GUEST_ROWS(nothing_stays, "W10") {
    for (int round = 0; round < 2; ++round) {
        if (round == 1) count_kernel();
        for (int i = 0; i < 20; ++i) {
            const int fd = make(MFD_ALLOW_SEALING);
            CHECK(ftruncate(fd, 16 * PAGE) == 0);
            char* memory = map(fd, PROT_READ | PROT_WRITE, MAP_SHARED);
            memory[0] = 1;
            wait_exit(IN_CHILD({ memory[1] = 2; }), 0);
            CHECK(munmap(memory, PAGE) == 0);
            close(fd);
        }
    }
    expect_counts("memfd");
}
