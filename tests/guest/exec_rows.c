// execve.
#include "rows.h"

#include <elf.h>
#include <sys/auxv.h>
#include <sys/stat.h>

extern char** environ;

// What a shell under the new program finds: a script's exit code.
static pid_t run(char* const argv[], char* const envp[]) {
    return IN_CHILD({
        execve(argv[0], argv, envp);
        _exit(errno == ENOENT ? 126 : 127);
    });
}

ROWS(arguments_and_environment, "F1") {
    char* argv[] = {"/bin/busybox", "sh", "-c", "test \"$1\" = 'a b' && test $# = 2 && test \"$VALUE\" = x && exit 5",
                    "zero", "a b", "", NULL};
    char* envp[] = {"VALUE=x", NULL};
    wait_exit(run(argv, envp), 5);
}

ROWS(errors, "F1") {
    char* argv[] = {"x", NULL};
    CHECK_ERROR(execve("/no/such/file", argv, environ), ENOENT);
    CHECK_ERROR(execve("/tmp", argv, environ), EACCES);
    char name[] = "/tmp/rowsXXXXXX";
    const int fd = mkstemp(name);
    CHECK(fd >= 0 && write(fd, "nonsense", 8) == 8);
    CHECK_ERROR(execve(name, argv, environ), EACCES);
    CHECK(fchmod(fd, 0755) == 0 && close(fd) == 0);
    CHECK_ERROR(execve(name, argv, environ), ENOEXEC);
    CHECK(unlink(name) == 0);
    CHECK_ERROR(execve(opaque(8), argv, environ), EFAULT);
    CHECK_ERROR(execve("/bin/busybox", opaque(8), environ), EFAULT);
}

ROWS(too_many_arguments, "F1") {
    enum { kCount = 3000, kLength = 1000 };
    static char* argv[kCount + 1];
    char* text = malloc(kLength);
    memset(text, 'x', kLength);
    text[kLength - 1] = '\0';
    for (int i = 0; i < kCount; ++i) argv[i] = text;
    CHECK_ERROR(execve("/bin/busybox", argv, environ), E2BIG);
    char* huge = malloc(200000);
    memset(huge, 'y', 199999);
    huge[199999] = '\0';
    char* one[] = {"busybox", huge, NULL};
    CHECK_ERROR(execve("/bin/busybox", one, environ), E2BIG);
}

ROWS(scripts, "F1") {
    char name[] = "/tmp/rowsXXXXXX";
    const int fd = mkstemp(name);
    const char text[] = "#! /bin/busybox sh\ntest \"$1\" = one && exit 6\nexit 1\n";
    CHECK(fd >= 0 && write(fd, text, sizeof(text) - 1) == sizeof(text) - 1);
    CHECK(fchmod(fd, 0755) == 0 && close(fd) == 0);
    char* argv[] = {name, "one", NULL};
    wait_exit(run(argv, environ), 6);
    CHECK(unlink(name) == 0);
}

ROWS(close_on_exec, "F10") {
    int kept[2], closed[2];
    CHECK(pipe(kept) == 0 && pipe2(closed, O_CLOEXEC) == 0);
    char script[128];
    snprintf(script, sizeof(script), "echo >&%d || exit 1; (echo >&%d) 2>/dev/null && exit 2; exit 8", kept[1], closed[1]);
    char* argv[] = {"/bin/busybox", "sh", "-c", script, NULL};
    wait_exit(run(argv, environ), 8);
}

static void handler(int sig) { (void)sig; }

ROWS(handlers_reset_ignored_stay, "C5") {
    CHECK(signal(SIGUSR1, handler) != SIG_ERR && signal(SIGUSR2, SIG_IGN) != SIG_ERR);
    char* argv[] = {"/bin/busybox", "sh", "-c", "kill -USR2 $$; kill -USR1 $$; exit 1", NULL};
    const int status = wait_status(run(argv, environ));
    CHECK(WIFSIGNALED(status) && WTERMSIG(status) == SIGUSR1);
}

ROWS(auxiliary_vector, "F1") {
    CHECK(getauxval(AT_PAGESZ) == PAGE && getauxval(AT_CLKTCK) == 100);
    const Elf64_Phdr* headers = (const Elf64_Phdr*)getauxval(AT_PHDR);
    CHECK(getauxval(AT_PHENT) == sizeof(Elf64_Phdr) && getauxval(AT_PHNUM) > 2);
    bool has_load = false;
    for (unsigned long i = 0; i < getauxval(AT_PHNUM); ++i) has_load = has_load || headers[i].p_type == PT_LOAD;
    CHECK(has_load);
    const unsigned char* random = (const unsigned char*)getauxval(AT_RANDOM);
    int sum = 0;
    for (int i = 0; i < 16; ++i) sum |= random[i];
    CHECK(sum != 0);
    CHECK(getauxval(AT_ENTRY) != 0 && strstr((const char*)getauxval(AT_EXECFN), "rows") != NULL);
    // A handler's frame: the registers, the FPU's 512 bytes, siginfo.
    CHECK(getauxval(51 /* AT_MINSIGSTKSZ */) > 512 + 256 + 128);
    CHECK(getauxval(AT_EUID) == geteuid() && getauxval(AT_GID) == getgid() && getauxval(AT_EGID) == getegid());
    CHECK(strcmp((const char*)getauxval(AT_PLATFORM), "x86_64") == 0 && getauxval(AT_FLAGS) == 0);
    CHECK(getauxval(AT_SECURE) == 0 && getauxval(AT_UID) == getuid());
}

static char bss_of_a_page_and_more[3 * PAGE];
static int initialized[3 * PAGE / sizeof(int)] = {1, 2, 3};

ROWS(data_and_bss, "F1") {
    for (size_t i = 0; i < sizeof(bss_of_a_page_and_more); ++i) CHECK(bss_of_a_page_and_more[i] == 0);
    CHECK(initialized[0] == 1 && initialized[2] == 3 && initialized[3 * PAGE / sizeof(int) - 1] == 0);
}

// What a program writes to its own data does not change the file that it came from.
ROWS(file_stays_as_it_is, "W2") {
    initialized[0] = 77;
    const pid_t pid = IN_CHILD({
        CHECK(initialized[0] == 77);
        initialized[0] = 78;
    });
    wait_exit(pid, 0);
    CHECK(initialized[0] == 77);
    char* argv[] = {"/proc/self/exe", "data_and_bss", NULL};
    if (!on_guest()) wait_exit(run(argv, environ), 0);
}

ROWS(personality_is_inherited, "F12") {
    CHECK(syscall(SYS_personality, 0xffffffffu) == 0);
    CHECK(syscall(SYS_personality, 0x0040000) == 0);  // ADDR_NO_RANDOMIZE
    wait_exit(IN_CHILD({ CHECK(syscall(SYS_personality, 0xffffffffu) == 0x0040000); }), 0);
}
