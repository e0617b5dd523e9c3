// Descriptors that name a process.
#include "guest/kernel/pidfd.hpp"

#include "guest/fs/anon_inodes.hpp"
#include "guest/fs/fdtable.hpp"
#include "guest/fs/poll.hpp"
#include "guest/fs/seq_file.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

// Readable once the process, or for PIDFD_THREAD the thread, has ended; hung up once it is reaped.
uint32_t pidfd_poll(file& f, poll_table* table) {
    pid& of = *pidfd_pid(f);
    poll_wait(f, of.wait_pidfd, table);
    const spinlock_guard guard(tasklist_lock);
    const task_struct* task = pid_task(&of, PIDTYPE_PID);
    constexpr uint32_t kReadable = abi::kPollIn | abi::kPollRdNorm;
    if (task == nullptr) return kReadable | abi::kPollHup;
    if (task->exit_state == TaskState::Running) return 0;
    const bool thread = (f.f_flags & kPidfdThread) != 0;
    const bool lives_on = thread_group_leader(task) && !thread_group_empty(task);
    return thread || !lives_on ? kReadable : 0;
}

void pidfd_release(inode&, file& f) { static_cast<pid*>(f.private_data)->put(); }

// As the reader's namespace and those below it number the process: 0 if not at all, -1 once it is reaped.
void pidfd_show_fdinfo(file& f, seq_file& m) {
    pid& of = *pidfd_pid(f);
    const pid_namespace& ns = task_active_pid_ns(current());
    pid_nr_t nr = -1;
    {
        const spinlock_guard guard(tasklist_lock);
        if (pid_task(&of, PIDTYPE_PID) != nullptr) nr = pid_nr_ns(&of, ns);
    }
    m.printf("Pid:\t%d\nNSpid:\t%d", nr, nr);
    for (unsigned level = ns.level + 1; nr > 0 && level <= of.level; ++level)
        m.printf("\t%d", of.numbers[level].nr);
    m.putc('\n');
}

constexpr file_operations kPidfdOperations{
    .poll = pidfd_poll, .release = pidfd_release, .show_fdinfo = pidfd_show_fdinfo};

}  // namespace

pid* pidfd_pid(const file& f) {
    return f.f_op == &kPidfdOperations ? static_cast<pid*>(f.private_data) : nullptr;
}

Result<RefPtr<file>> pidfd_file(pid& of, uint32_t flags) {
    const uint32_t access = abi::kORdWr | (flags & kPidfdNonBlock);
    RefPtr<file> f = TRY(anon_inode_getfile("[pidfd]", kPidfdOperations, &of, access));
    of.get();
    f->f_flags |= flags & kPidfdThread;
    return f;
}

Result<RefPtr<pid>> pidfd_get_pid(int fd, uint32_t& flags) {
    const RefPtr<file> f = TRY(current_file(fd));
    pid* of = pidfd_pid(*f);
    if (of == nullptr) return Errno::BadF;
    flags = f->f_flags;
    return RefPtr<pid>(of);
}

ChildPidfd::~ChildPidfd() {
    if (fd_ >= 0) put_unused_fd(*current()->files, fd_);
}

Result<> ChildPidfd::prepare(pid& of, uint32_t flags, UserPtr<int32_t> out) {
    file_ = TRY(pidfd_file(of, flags));
    fd_ = TRY(alloc_fd(*current()->files, 0, nofile_limit(), abi::kOCloExec));
    return put_user(out, static_cast<int32_t>(fd_));
}

void ChildPidfd::install() {
    if (fd_ < 0) return;
    fd_install(*current()->files, fd_, std::move(file_));
    fd_ = -1;
}

}  // namespace guest
