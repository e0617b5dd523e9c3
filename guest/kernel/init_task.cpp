// Task 0: born with the kernel, parent of init, later the idle task.
#include "guest/kernel/init_task.hpp"

#include "guest/arch/event_port.hpp"
#include "guest/arch/process.hpp"
#include "guest/fs/fdtable.hpp"
#include "guest/fs/fs_struct.hpp"
#include "guest/fs/mount.hpp"
#include "guest/kernel/sched_core.hpp"
#include "guest/lib/string.hpp"

extern "C" char init_stack[];

namespace guest {

constinit task_struct init_task;

namespace {

constexpr abi::RlimitPair kUnlimited{abi::kRlimInfinity, abi::kRlimInfinity};

void set_default_limits(signal_struct& signal) {
    for (abi::RlimitPair& limit : signal.rlim) limit = kUnlimited;
    const auto set = [&signal](abi::Rlimit which, uint64_t current, uint64_t maximum) {
        signal.rlim[static_cast<unsigned>(which)] = {current, maximum};
    };
    set(abi::Rlimit::Stack, 8 * 1024 * 1024, abi::kRlimInfinity);
    set(abi::Rlimit::Core, 0, abi::kRlimInfinity);
    set(abi::Rlimit::NoFile, 1024, 4096);
    set(abi::Rlimit::MemLock, 8 * 1024 * 1024, 8 * 1024 * 1024);
    set(abi::Rlimit::MsgQueue, 819200, 819200);
    set(abi::Rlimit::Nice, 0, 0);
    set(abi::Rlimit::RtPrio, 0, 0);
}

template <typename T>
T* must(Result<RefPtr<T>> made) {
    if (!made) panic("too little memory for the first task");
    return made.release_value().leak();
}

uts_namespace* make_uts() {
    auto* uts = must(make_ref<uts_namespace>());
    strlcpy(uts->name.sysname, "Linux", sizeof(uts->name.sysname));
    strlcpy(uts->name.nodename, "forkscope", sizeof(uts->name.nodename));
    strlcpy(uts->name.release, "3.13.0-forkscope", sizeof(uts->name.release));
    strlcpy(uts->name.version, "#1", sizeof(uts->name.version));
    strlcpy(uts->name.machine, "x86_64", sizeof(uts->name.machine));
    strlcpy(uts->name.domainname, "(none)", sizeof(uts->name.domainname));
    return uts;
}

}  // namespace

void init_task_early() {
    new (&init_task.stack) KernelStack(init_stack);
    init_thread_info(init_task);
    init_task.flags = PF_KTHREAD;
    init_task.active_mm = &init_mm;
    init_mm.mm_count.inc();  // borrowed, as by any kernel thread
    init_task.group_leader = init_task.real_parent = init_task.parent = &init_task;
    strlcpy(init_task.comm, "swapper", sizeof(init_task.comm));
}

void init_task_late() {
    announce(abi::Announcement::TaskCreate, 0, 0, 0, 0);
    announce_name(init_task);
    auto* credentials = must(make_ref<cred>());
    credentials->user = RefPtr<user_struct>::adopt(must(alloc_uid(0)));
    init_task.real_cred = RefPtr<const cred>::adopt(credentials);
    init_task.cred = init_task.real_cred;
    init_task.sighand = RefPtr<sighand_struct>::adopt(must(make_ref<sighand_struct>()));
    init_task.signal = RefPtr<signal_struct>::adopt(must(make_ref<signal_struct>()));
    set_default_limits(*init_task.signal);
    list_add_tail(init_task.thread_node, init_task.signal->thread_head);

    // Never freed: this reference is the kernel's own.
    init_pid_ns.pidmap[0] = 1;
    init_pid_ns.child_reaper = &init_task;
    auto* nsproxy = must(make_ref<struct nsproxy>());
    nsproxy->uts_ns = RefPtr<uts_namespace>::adopt(make_uts());
    nsproxy->ipc_ns = RefPtr<ipc_namespace>::adopt(must(make_ref<ipc_namespace>()));
    nsproxy->pid_ns_for_children = RefPtr<pid_namespace>(&init_pid_ns);
    init_task.nsproxy = RefPtr<struct nsproxy>::adopt(nsproxy);

    // Process group and session 0, which exist without a number of their own.
    auto* zero = must(make_ref<struct pid>());
    init_pid_ns.get();
    zero->numbers[0].ns = &init_pid_ns;
    init_task.thread_pid = RefPtr<struct pid>::adopt(zero);
    attach_pid(&init_task, PIDTYPE_PGID, init_task.thread_pid);
    attach_pid(&init_task, PIDTYPE_SID, init_task.thread_pid);
}

void init_task_set_root(vfs_root root) {
    init_task.nsproxy->mnt_ns = std::move(root.ns);
    init_task.files.reset(must(make_ref<files_struct>()));
    path pwd = root.root;
    init_task.fs.reset(must(make_ref<fs_struct>(std::move(root.root), std::move(pwd), abi::umode_t{022})));
}

void announce_name(const task_struct& task) {
    uint64_t name[kCommLength / sizeof(uint64_t)];
    memcpy(name, task.comm, sizeof(name));
    announce(abi::Announcement::TaskName, static_cast<uint64_t>(task.pid), name[0], name[1]);
}

void set_task_comm(task_struct* task, const char* name) {
    char padded[kCommLength] = {};
    strlcpy(padded, name, sizeof(padded));
    memcpy(task->comm, padded, sizeof(padded));
    announce_name(*task);
}

}  // namespace guest
