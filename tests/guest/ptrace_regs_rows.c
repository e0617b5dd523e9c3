// ptrace(): registers, masks, and calls that a stop interrupts.
#include "tracer.h"

#include <stddef.h>
#include <sys/uio.h>
#include <time.h>

ROWS(registers_are_read_and_written, "P16") {
    const pid_t pid = TRACED_CHILD({
        long a = 0;
        double b = 0;
        __asm__ volatile(
            "int3\n"
            "movsd %%xmm3, %1\n"
            : "=a"(a), "=m"(b)
            :
            : "xmm3");
        _exit(a == 17 && b == 2.5 ? 4 : 1);
    });
    go(pid, 0);
    expect_signal(pid, SIGTRAP);
    struct user_regs_struct regs = get_regs(pid);
    CHECK(regs.cs == 0x33 && regs.ss == 0x2b && regs.fs_base != 0);
    const size_t rip_at = offsetof(struct user, regs.rip);
    CHECK((unsigned long)TRACE(PTRACE_PEEKUSER, pid, rip_at, 0) == regs.rip);
    CHECK_ERROR(TRACE(PTRACE_PEEKUSER, pid, rip_at + 1, 0), EIO);
    CHECK_ERROR(TRACE(PTRACE_PEEKUSER, pid, 10000, 0), EIO);
    CHECK_ERROR(TRACE(PTRACE_POKEUSER, pid, offsetof(struct user, u_tsize), 1), EIO);
    CHECK(TRACE(PTRACE_POKEUSER, pid, offsetof(struct user, regs.rax), 17) == 0);
    CHECK_ERROR(TRACE(PTRACE_POKEUSER, pid, offsetof(struct user, regs.cs), 0), EIO);
    CHECK_ERROR(TRACE(PTRACE_POKEUSER, pid, offsetof(struct user, regs.fs_base), -1L), EIO);
    struct user_fpregs_struct fp;
    CHECK(TRACE(PTRACE_GETFPREGS, pid, 0, &fp) == 0 && fp.mxcsr == 0x1f80);
    const double value = 2.5;
    memcpy((char*)fp.xmm_space + 3 * 16, &value, sizeof(value));
    CHECK(TRACE(PTRACE_SETFPREGS, pid, 0, &fp) == 0);
    go(pid, 0);
    expect_exit(pid, 4);
}

ROWS(register_sets, "P16") {
    const pid_t pid = TRACED_CHILD({
        long a = 0;
        __asm__ volatile("int3\n" : "=a"(a) : : "rbx");
        _exit((int)a);
    });
    go(pid, 0);
    expect_signal(pid, SIGTRAP);
    struct user_regs_struct set;
    const struct user_regs_struct regs = get_regs(pid);
    struct iovec where = {&set, sizeof(set)};
    CHECK(TRACE(PTRACE_GETREGSET, pid, 1, &where) == 0 && where.iov_len == sizeof(set));
    CHECK(memcmp(&set, &regs, sizeof(set)) == 0);
    set.rax = 23;
    CHECK(TRACE(PTRACE_SETREGSET, pid, 1, &where) == 0);
    where.iov_len = 3;
    CHECK_ERROR(TRACE(PTRACE_GETREGSET, pid, 1, &where), EINVAL);
    where.iov_len = 16;
    CHECK(TRACE(PTRACE_GETREGSET, pid, 1, &where) == 0 && where.iov_len == 16);
    char fp[4096];
    where = (struct iovec){fp, sizeof(fp)};
    CHECK(TRACE(PTRACE_GETREGSET, pid, 2, &where) == 0 && where.iov_len == 512);
    CHECK_ERROR(TRACE(PTRACE_GETREGSET, pid, 0x7777, &where), EINVAL);
    go(pid, 0);
    expect_exit(pid, 23);
}

#define DEBUGREG(number) (offsetof(struct user, u_debugreg) + 8UL * (number))

static volatile long watched[2];

static __attribute__((noinline)) void write_watched(long value) { watched[1] = value; }

// Not every virtual machine looks for what the registers say: there the tracee just runs to its end.
ROWS(watchpoints, "P12,P16") {
    void (*volatile writer)(long) = write_watched;
    const pid_t pid = TRACED_CHILD({
        watched[1] = 1;
        watched[1] = 2;
        writer(3);
        wait_exit(IN_CHILD({ writer(4); }), 0);  // the child has none of this
    });
    CHECK_ERROR(TRACE(PTRACE_POKEUSER, pid, DEBUGREG(0), 1UL << 63), EINVAL);
    CHECK_ERROR(TRACE(PTRACE_POKEUSER, pid, DEBUGREG(4), 0), EIO);
    CHECK(TRACE(PTRACE_POKEUSER, pid, DEBUGREG(0), (uintptr_t)&watched[1] + 1) == 0);
    CHECK_ERROR(TRACE(PTRACE_POKEUSER, pid, DEBUGREG(7), 0x90001), EINVAL);  // 8 bytes, not aligned
    CHECK(TRACE(PTRACE_POKEUSER, pid, DEBUGREG(0), &watched[1]) == 0);
    CHECK((uintptr_t)TRACE(PTRACE_PEEKUSER, pid, DEBUGREG(0), 0) == (uintptr_t)&watched[1]);
    CHECK(TRACE(PTRACE_POKEUSER, pid, DEBUGREG(1), writer) == 0);
    CHECK_ERROR(TRACE(PTRACE_POKEUSER, pid, DEBUGREG(7), 0x20001), EINVAL);  // a port
    CHECK(TRACE(PTRACE_POKEUSER, pid, DEBUGREG(7), 0x90001) == 0);
    CHECK(TRACE(PTRACE_PEEKUSER, pid, DEBUGREG(7), 0) == 0x90001);
    go(pid, 0);
    int status = 0;
    wait_stop(pid, &status);
    if (WSTOPSIG(status) == SIGCHLD) {
        printf("  no watchpoint is hit on this machine\n");
        go(pid, 0);
        expect_exit(pid, 0);
        return;
    }
    CHECK(WSTOPSIG(status) == SIGTRAP);
    siginfo_t info;
    CHECK(TRACE(PTRACE_GETSIGINFO, pid, 0, &info) == 0 && info.si_code == 4);  // TRAP_HWBKPT
    CHECK((TRACE(PTRACE_PEEKUSER, pid, DEBUGREG(6), 0) & 0xf) == 1);
    CHECK(TRACE(PTRACE_PEEKDATA, pid, &watched[1], 0) == 1);  // it has been written
    go(pid, 0);
    expect_signal(pid, SIGTRAP);
    CHECK(TRACE(PTRACE_PEEKDATA, pid, &watched[1], 0) == 2);
    CHECK(TRACE(PTRACE_POKEUSER, pid, DEBUGREG(7), 4) == 0);  // now one on an instruction
    go(pid, 0);
    expect_signal(pid, SIGTRAP);
    CHECK(get_regs(pid).rip == (uintptr_t)writer && get_regs(pid).rdi == 3);
    CHECK((TRACE(PTRACE_PEEKUSER, pid, DEBUGREG(6), 0) & 0xf) == 2);
    go(pid, 0);
    expect_signal(pid, SIGCHLD);
    go(pid, 0);
    expect_exit(pid, 0);
}

ROWS(the_signal_mask_of_a_tracee, "P16") {
    const pid_t pid = TRACED_CHILD({
        sigset_t set;
        sigemptyset(&set);
        sigaddset(&set, SIGUSR1);
        CHECK(sigprocmask(SIG_BLOCK, &set, NULL) == 0);
        CHECK(raise(SIGUSR1) == 0);
        // Not by raise, which blocks everything for a moment.
        CHECK(kill(getpid(), SIGSTOP) == 0);
        CHECK(sigprocmask(SIG_SETMASK, NULL, &set) == 0);
        _exit(sigismember(&set, SIGUSR2) && !sigismember(&set, SIGUSR1) ? 2 : 1);
    });
    go(pid, 0);
    expect_signal(pid, SIGSTOP);
    unsigned long mask = 0;
    CHECK_ERROR(TRACE(PTRACE_GETSIGMASK, pid, 4, &mask), EINVAL);
    CHECK(TRACE(PTRACE_GETSIGMASK, pid, 8, &mask) == 0 && mask == 1UL << (SIGUSR1 - 1));
    struct __ptrace_peeksiginfo_args peek = {.off = 0, .flags = 0, .nr = 4};
    siginfo_t infos[4];
    CHECK(TRACE(PTRACE_PEEKSIGINFO, pid, &peek, infos) == 1 && infos[0].si_signo == SIGUSR1);
    peek.off = 1;
    CHECK(TRACE(PTRACE_PEEKSIGINFO, pid, &peek, infos) == 0);
    mask = 1UL << (SIGUSR2 - 1) | 1UL << (SIGKILL - 1);
    CHECK(TRACE(PTRACE_SETSIGMASK, pid, 8, &mask) == 0);
    go(pid, 0);
    expect_signal(pid, SIGUSR1);  // not blocked any more
    go(pid, 0);
    expect_exit(pid, 2);
}

static void do_nothing(int sig) { (void)sig; }

// A stop ends the sleep; what becomes of the call is decided when the tracee goes on.
ROWS(stops_restart_calls, "P15") {
    int data[2];
    CHECK(pipe(data) == 0);
    const pid_t pid = IN_CHILD({
        char byte = 0;
        CHECK(read(data[0], &byte, 1) == 1);
        struct sigaction action = {.sa_handler = do_nothing};
        CHECK(sigaction(SIGUSR1, &action, NULL) == 0);
        CHECK_ERROR(read(data[0], &byte, 1), EINTR);
        _exit(byte);
    });
    CHECK(TRACE(PTRACE_SEIZE, pid, 0, 0) == 0);
    struct timespec moment = {0, 20000000};
    nanosleep(&moment, NULL);
    CHECK(TRACE(PTRACE_INTERRUPT, pid, 0, 0) == 0);
    expect_event(pid, PTRACE_EVENT_STOP);
    const struct user_regs_struct regs = get_regs(pid);
    CHECK(regs.orig_rax == SYS_read && (long)regs.rax == -512);  // ERESTARTSYS
    go(pid, 0);
    nanosleep(&moment, NULL);
    CHECK(waitpid(pid, NULL, WNOHANG) == 0 && write(data[1], "q", 1) == 1);
    nanosleep(&moment, NULL);
    CHECK(kill(pid, SIGUSR1) == 0);
    expect_signal(pid, SIGUSR1);
    go(pid, SIGUSR1);
    expect_exit(pid, 'q');
}

ROWS(memory_of_a_process, "W7") {
    char* there = map_pages(3, MAP_PRIVATE);
    memset(there, 'a', 3 * PAGE);
    const pid_t pid = IN_CHILD({
        char* volatile memory = there;
        memory[PAGE] = 'b';
        raise(SIGSTOP);
        _exit(memory[2 * PAGE - 1] == 'x' && memory[2 * PAGE] == 'y' ? 5 : 1);
    });
    int status = 0;
    CHECK(waitpid(pid, &status, WUNTRACED) == pid);
    char here[8] = {0};
    struct iovec local[2] = {{here, 1}, {here + 1, 2}};
    struct iovec remote[2] = {{there + PAGE - 1, 2}, {there + PAGE, 1}};
    CHECK(process_vm_readv(pid, local, 2, remote, 2, 0) == 3 && memcmp(here, "abb", 3) == 0);
    memcpy(here, "xy", 2);
    remote[0] = (struct iovec){there + 2 * PAGE - 1, 2};
    CHECK(process_vm_writev(pid, local, 2, remote, 1, 0) == 2 && there[2 * PAGE] == 'a');
    // As far as it goes, if it goes at all.
    CHECK(munmap(there + 2 * PAGE, PAGE) == 0);
    remote[0] = (struct iovec){there, 3};
    remote[1] = (struct iovec){opaque(4096), 3};
    CHECK(process_vm_readv(getpid(), local, 2, remote, 2, 0) == 3);
    CHECK_ERROR(process_vm_readv(pid, local, 2, remote + 1, 1, 0), EFAULT);
    CHECK_ERROR(process_vm_readv(pid, local, 2, remote, 1, 1), EINVAL);
    CHECK(process_vm_readv(30000, local, 0, remote, 1, 0) == 0);
    CHECK_ERROR(process_vm_readv(pid, local, 1025, remote, 1, 0), EINVAL);
    CHECK_ERROR(process_vm_readv(30000, local, 2, remote, 1, 0), ESRCH);
    char name[64];
    snprintf(name, sizeof(name), "/proc/%d/mem", pid);
    const int memory = open(name, O_RDWR);
    CHECK(memory >= 0 && pread(memory, here, 3, (off_t)(uintptr_t)there + PAGE - 1) == 3);
    CHECK(memcmp(here, "aba", 3) == 0);
    // Where the program itself may not: a page of its text.
    const off_t text = (off_t)(uintptr_t)&wait_stop;
    CHECK(pread(memory, here, 1, text) == 1 && pwrite(memory, here, 1, text) == 1);
    CHECK_ERROR(pread(memory, here, 1, 4096), EIO);
    CHECK(lseek(memory, 5, SEEK_SET) == 5);
    CHECK_ERROR(lseek(memory, 0, SEEK_END), EINVAL);
    CHECK(kill(pid, SIGCONT) == 0);
    wait_exit(pid, 5);
    CHECK(pread(memory, here, 1, text) == 0);  // its memory is gone
}
