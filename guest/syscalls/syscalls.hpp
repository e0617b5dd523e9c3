// The system calls on processes, memory, signals and time. Rows in abi/syscalls.def; behaviour and errors are
// those of the manual pages (man 2).
#pragma once

#include "guest/abi/capability.hpp"
#include "guest/abi/clone.hpp"
#include "guest/abi/file.hpp"
#include "guest/abi/process.hpp"
#include "guest/abi/signal.hpp"
#include "guest/abi/timex.hpp"
#include "guest/lib/address.hpp"
#include "guest/lib/result.hpp"

namespace guest {

using UserString = UserPtr<const char>;

// process.cpp
Result<long> sys_fork();
Result<long> sys_vfork();
Result<long> sys_clone(uint64_t flags, VirtAddr stack, UserPtr<int32_t> parent_tid,
                       UserPtr<int32_t> child_tid, uint64_t tls);
Result<long> sys_execve(UserString path, UserPtr<const UserString> argv, UserPtr<const UserString> envp);
Result<long> sys_execveat(int dirfd, UserString path, UserPtr<const UserString> argv,
                          UserPtr<const UserString> envp, uint32_t flags);
Result<long> sys_personality(uint32_t wanted);
Result<long> sys_exit(int code);
Result<long> sys_exit_group(int code);
Result<long> sys_wait4(int pid, UserPtr<int32_t> status, uint32_t options, UserPtr<abi::Rusage> usage);
Result<long> sys_waitid(int which, int id, UserPtr<abi::SigInfo> info, uint32_t options,
                        UserPtr<abi::Rusage> usage);

// clone3.cpp
Result<long> sys_clone3(UserPtr<abi::CloneArgs> args, uint64_t bytes);

// pidfd.cpp
Result<long> sys_pidfd_open(int pid, uint32_t flags);
Result<long> sys_pidfd_send_signal(int fd, int sig, UserPtr<abi::SigInfo> info, uint32_t flags);
Result<long> sys_pidfd_getfd(int fd, int target, uint32_t flags);

// ptrace.cpp
Result<long> sys_ptrace(int64_t request, int pid, uint64_t address, uint64_t data);

// process_madvise.cpp
Result<long> sys_process_madvise(int pidfd, UserPtr<const abi::Iovec> vec, uint64_t count, int advice,
                                 uint32_t flags);
// process_vm.cpp
Result<long> sys_process_vm_readv(int pid, UserPtr<const abi::Iovec> local, uint64_t locals,
                                  UserPtr<const abi::Iovec> remote, uint64_t remotes, uint64_t flags);
Result<long> sys_process_vm_writev(int pid, UserPtr<const abi::Iovec> local, uint64_t locals,
                                   UserPtr<const abi::Iovec> remote, uint64_t remotes, uint64_t flags);

// ids.cpp
Result<long> sys_getpid();
Result<long> sys_gettid();
Result<long> sys_getppid();
Result<long> sys_getpgid(int pid);
Result<long> sys_getpgrp();
Result<long> sys_setpgid(int pid, int pgid);
Result<long> sys_getsid(int pid);
Result<long> sys_setsid();
Result<long> sys_set_tid_address(UserPtr<int32_t> address);

// creds.cpp
Result<long> sys_getuid();
Result<long> sys_getgid();
Result<long> sys_geteuid();
Result<long> sys_getegid();
Result<long> sys_setuid(uint32_t uid);
Result<long> sys_setgid(uint32_t gid);
Result<long> sys_setresuid(uint32_t real, uint32_t effective, uint32_t saved);
Result<long> sys_setresgid(uint32_t real, uint32_t effective, uint32_t saved);
Result<long> sys_setreuid(uint32_t real, uint32_t effective);
Result<long> sys_setregid(uint32_t real, uint32_t effective);
Result<long> sys_setfsuid(uint32_t uid);
Result<long> sys_setfsgid(uint32_t gid);
Result<long> sys_getresuid(UserPtr<uint32_t> real, UserPtr<uint32_t> effective, UserPtr<uint32_t> saved);
Result<long> sys_getresgid(UserPtr<uint32_t> real, UserPtr<uint32_t> effective, UserPtr<uint32_t> saved);
Result<long> sys_getgroups(int count, UserPtr<uint32_t> groups);
Result<long> sys_setgroups(int count, UserPtr<const uint32_t> groups);

// capability.cpp
Result<long> sys_capget(UserPtr<abi::CapUserHeader> header, UserPtr<abi::CapUserData> data);
Result<long> sys_capset(UserPtr<abi::CapUserHeader> header, UserPtr<const abi::CapUserData> data);

// mm.cpp
Result<long> sys_mmap(VirtAddr address, uint64_t bytes, uint64_t prot, uint64_t flags, int fd,
                      uint64_t offset);
Result<long> sys_munmap(VirtAddr address, uint64_t bytes);
Result<long> sys_mprotect(VirtAddr address, uint64_t bytes, uint64_t prot);
Result<long> sys_pkey_mprotect(VirtAddr address, uint64_t bytes, uint64_t prot, int key);
Result<long> sys_pkey_alloc(uint32_t flags, uint32_t rights);
Result<long> sys_pkey_free(int key);
Result<long> sys_remap_file_pages(VirtAddr address, uint64_t bytes, uint64_t prot, uint64_t pgoff,
                                  uint64_t flags);
Result<long> sys_mremap(VirtAddr address, uint64_t old_bytes, uint64_t new_bytes, uint64_t flags,
                        VirtAddr target);
Result<long> sys_madvise(VirtAddr address, uint64_t bytes, int advice);
Result<long> sys_msync(VirtAddr address, uint64_t bytes, uint32_t flags);
Result<long> sys_mincore(VirtAddr address, uint64_t bytes, UserPtr<uint8_t> out);
Result<long> sys_brk(VirtAddr end);

// mlock.cpp
Result<long> sys_mlock(VirtAddr address, uint64_t bytes);
Result<long> sys_mlock2(VirtAddr address, uint64_t bytes, int flags);
Result<long> sys_munlock(VirtAddr address, uint64_t bytes);
Result<long> sys_mlockall(int flags);
Result<long> sys_munlockall();

// signal.cpp
Result<long> sys_rt_sigaction(int sig, UserPtr<const abi::SigAction> fresh, UserPtr<abi::SigAction> old,
                              size_t set_bytes);
Result<long> sys_rt_sigprocmask(int how, UserPtr<const abi::SigSet> set, UserPtr<abi::SigSet> old,
                                size_t set_bytes);
Result<long> sys_rt_sigpending(UserPtr<abi::SigSet> out, size_t set_bytes);
Result<long> sys_rt_sigsuspend(UserPtr<const abi::SigSet> mask, size_t set_bytes);
Result<long> sys_rt_sigreturn();
Result<long> sys_sigaltstack(UserPtr<const abi::SigAltStack> fresh, UserPtr<abi::SigAltStack> old);
Result<long> sys_kill(int pid, int sig);
Result<long> sys_tkill(int tid, int sig);
Result<long> sys_tgkill(int tgid, int tid, int sig);
Result<long> sys_pause();
Result<long> sys_restart_syscall();

// sigqueue.cpp
Result<long> sys_rt_sigtimedwait(UserPtr<const abi::SigSet> wanted, UserPtr<abi::SigInfo> out,
                                 UserPtr<const abi::Timespec> timeout, size_t set_bytes);
Result<long> sys_rt_sigqueueinfo(int tgid, int sig, UserPtr<const abi::SigInfo> info);
Result<long> sys_rt_tgsigqueueinfo(int tgid, int tid, int sig, UserPtr<const abi::SigInfo> info);

// sleep.cpp
Result<long> sys_nanosleep(UserPtr<const abi::Timespec> request, UserPtr<abi::Timespec> remaining);
Result<long> sys_clock_nanosleep(int clock, int flags, UserPtr<const abi::Timespec> request,
                                 UserPtr<abi::Timespec> remaining);

// timer.cpp
Result<long> sys_getitimer(int which, UserPtr<abi::Itimerval> out);
Result<long> sys_setitimer(int which, UserPtr<const abi::Itimerval> in, UserPtr<abi::Itimerval> out);
Result<long> sys_alarm(uint32_t seconds);
Result<long> sys_timer_create(int clock, UserPtr<const abi::Sigevent> event, UserPtr<int32_t> id);
Result<long> sys_timer_settime(int id, int flags, UserPtr<const abi::Itimerspec> in,
                               UserPtr<abi::Itimerspec> out);
Result<long> sys_timer_gettime(int id, UserPtr<abi::Itimerspec> out);
Result<long> sys_timer_getoverrun(int id);
Result<long> sys_timer_delete(int id);

// time.cpp
Result<long> sys_clock_gettime(int clock, UserPtr<abi::Timespec> out);
Result<long> sys_clock_getres(int clock, UserPtr<abi::Timespec> out);
Result<long> sys_clock_settime(int clock, UserPtr<const abi::Timespec> in);
Result<long> sys_settimeofday(UserPtr<const abi::Timeval> in, VirtAddr zone);
Result<long> sys_gettimeofday(UserPtr<abi::Timeval> out, VirtAddr zone);
Result<long> sys_time(UserPtr<int64_t> out);
Result<long> sys_times(UserPtr<abi::Tms> out);

// sched.cpp
Result<long> sys_sched_yield();
Result<long> sys_sched_getaffinity(int pid, uint32_t bytes, UserPtr<uint64_t> mask);
Result<long> sys_rseq(VirtAddr area, uint32_t bytes, int flags, uint32_t signature);
Result<long> sys_getcpu(UserPtr<uint32_t> cpu, UserPtr<uint32_t> node);

Result<long> sys_sched_setaffinity(int pid, uint32_t bytes, UserPtr<const uint8_t> mask);

// sched_policy.cpp
Result<long> sys_sched_setparam(int pid, UserPtr<const int32_t> param);
Result<long> sys_sched_getparam(int pid, UserPtr<int32_t> param);
Result<long> sys_sched_setscheduler(int pid, int policy, UserPtr<const int32_t> param);
Result<long> sys_sched_getscheduler(int pid);
Result<long> sys_sched_get_priority_max(int policy);
Result<long> sys_sched_get_priority_min(int policy);
Result<long> sys_sched_rr_get_interval(int pid, UserPtr<abi::Timespec> out);
Result<long> sys_sched_setattr(int pid, UserPtr<abi::SchedAttr> attr, uint32_t flags);
Result<long> sys_sched_getattr(int pid, UserPtr<abi::SchedAttr> attr, uint32_t bytes, uint32_t flags);

// setns.cpp, kcmp.cpp, membarrier.cpp
Result<long> sys_setns(int fd, int flags);
Result<long> sys_kcmp(int first, int second, int type, uint64_t first_fd, uint64_t second_fd);
Result<long> sys_membarrier(int command, uint32_t flags, int cpu);

// priority.cpp
Result<long> sys_getpriority(int which, int who);
Result<long> sys_setpriority(int which, int who, int nice);

// ioprio.cpp
Result<long> sys_ioprio_get(int which, int who);
Result<long> sys_ioprio_set(int which, int who, int ioprio);

// futex.cpp
Result<long> sys_futex(UserPtr<uint32_t> address, int operation, uint32_t value, uint64_t timeout_or_count,
                       UserPtr<uint32_t> other, uint32_t value3);
Result<long> sys_futex_waitv(UserPtr<const abi::FutexWaitv> waiters, uint32_t count, uint32_t flags,
                             UserPtr<const abi::Timespec> timeout, int clock);
Result<long> sys_set_robust_list(UserPtr<void> head, size_t bytes);
Result<long> sys_get_robust_list(int pid, UserPtr<uint64_t> head, UserPtr<uint64_t> bytes);

// drivers/tty_hangup.cpp
Result<long> sys_vhangup();

// misc.cpp
Result<long> sys_uname(UserPtr<abi::UtsName> out);
Result<long> sys_sysinfo(UserPtr<abi::SysInfo> out);
Result<long> sys_getrusage(int who, UserPtr<abi::Rusage> out);
Result<long> sys_getrlimit(uint32_t which, UserPtr<abi::RlimitPair> out);
Result<long> sys_setrlimit(uint32_t which, UserPtr<const abi::RlimitPair> in);
Result<long> sys_prlimit64(int pid, uint32_t which, UserPtr<const abi::RlimitPair> in,
                           UserPtr<abi::RlimitPair> out);
Result<long> sys_sethostname(VirtAddr name, int length);
Result<long> sys_setdomainname(VirtAddr name, int length);
Result<long> sys_unshare(uint64_t flags);
Result<long> sys_prctl(int option, uint64_t arg2, uint64_t arg3, uint64_t arg4, uint64_t arg5);
Result<long> sys_arch_prctl(int option, uint64_t argument);
Result<long> sys_getrandom(VirtAddr out, size_t bytes, uint32_t flags);
Result<long> sys_reboot(uint32_t magic1, uint32_t magic2, uint32_t command);

// syslog.cpp
Result<long> sys_syslog(int type, VirtAddr to, int length);

// adjtimex.cpp
Result<long> sys_adjtimex(UserPtr<abi::Timex> user);
Result<long> sys_clock_adjtime(int clock, UserPtr<abi::Timex> user);

}  // namespace guest
