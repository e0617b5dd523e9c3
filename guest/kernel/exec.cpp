// execve, up to the loaders.
#include "guest/kernel/exec.hpp"

#include "guest/arch/event_port.hpp"
#include "guest/arch/pgtable.hpp"
#include "guest/arch/process.hpp"
#include "guest/arch/tlb.hpp"
#include "guest/fs/fdtable.hpp"
#include "guest/fs/file.hpp"
#include "guest/fs/namei.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/kernel/capability.hpp"
#include "guest/kernel/de_thread.hpp"
#include "guest/kernel/exec_args.hpp"
#include "guest/kernel/fork.hpp"
#include "guest/kernel/futex.hpp"
#include "guest/kernel/ptrace.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/format.hpp"
#include "guest/lib/string.hpp"
#include "guest/mm/bug.hpp"
#include "guest/mm/memory.hpp"
#include "guest/mm/mmap.hpp"

namespace guest {

namespace {

Result<> prepare_binprm(linux_binprm& bprm) {
    abi::loff_t offset = 0;
    memset(bprm.buf, 0, sizeof(bprm.buf));
    TRY(kernel_read(*bprm.program, offset, bprm.buf, sizeof(bprm.buf) - 1));
    return {};
}

// The path and the one optional argument that follow "#!" on the first line.
struct ScriptLine {
    char* interpreter;
    char* argument;  // null: none
};
Result<ScriptLine> parse_script_line(char* line) {
    char* end = strchr(line, '\n');
    if (end == nullptr) end = line + strlen(line);
    const auto is_blank = [](char c) { return c == ' ' || c == '\t'; };
    while (end > line && is_blank(end[-1])) --end;
    *end = '\0';
    while (is_blank(*line)) ++line;
    if (*line == '\0') return Errno::NoExec;
    char* at = line;
    while (*at != '\0' && !is_blank(*at)) ++at;
    if (*at == '\0') return ScriptLine{line, nullptr};
    *at++ = '\0';
    while (is_blank(*at)) ++at;
    return ScriptLine{line, at};
}

// argv[0] gives way to the interpreter, its argument and the script's path; the file becomes the
// interpreter's.
Result<> load_script(linux_binprm& bprm) {
    if (bprm.path_inaccessible) return Errno::NoEnt;
    KBuffer line = TRY(KBuffer::allocate(kBinprmBufSize));
    memcpy(line.data(), bprm.buf, kBinprmBufSize);
    const ScriptLine script = TRY(parse_script_line(line.data() + 2));
    if (bprm.argc > 0) {
        bprm.p += bprm.last_pushed;
        --bprm.argc;
    }
    TRY(push_string(bprm, bprm.interp[0] != '\0' ? bprm.interp : bprm.filename));
    ++bprm.argc;
    if (script.argument != nullptr) {
        TRY(push_string(bprm, script.argument));
        ++bprm.argc;
    }
    TRY(push_string(bprm, script.interpreter));
    ++bprm.argc;
    strlcpy(bprm.interp, script.interpreter, sizeof(bprm.interp));
    bprm.program = TRY(open_exec(abi::kAtFdCwd, script.interpreter));
    return {};
}

Result<> search_binary_handler(linux_binprm& bprm, pt_regs& regs) {
    for (unsigned depth = 0; depth < kMaxInterpreters; ++depth) {
        TRY(prepare_binprm(bprm));
        if (bprm.buf[0] != '#' || bprm.buf[1] != '!') {
            TRY(bprm_creds_from_file(bprm));
            return load_elf_binary(bprm, regs);
        }
        TRY(load_script(bprm));
    }
    return Errno::Loop;
}

void announce_exec(const task_struct& task) {
    uint64_t name[kCommLength / sizeof(uint64_t)];
    memcpy(name, task.comm, sizeof(name));
    announce(abi::Announcement::TaskExec, static_cast<uint64_t>(task.pid), name[0], name[1],
             task.mm->root().raw());
}

const char* last_component_of(const char* path) {
    const char* slash = strrchr(path, '/');
    return slash != nullptr ? slash + 1 : path;
}

// bug=exec-without-flush: the new program's tables are put into the top table that CR3 holds already, and
// nobody forgets the old program's pages.
void take_tables_in_place(mm_struct& fresh, mm_struct& old) {
    constexpr unsigned kUserEntries = kTableEntries / 2;
    for (unsigned i = 0; i < kUserEntries; ++i) {
        const pgd_t of_old = old.pgd[i];
        if (of_old.raw == fresh.pgd[i].raw) continue;
        set_entry(&old.pgd[i], fresh.pgd[i]);
        set_entry(&fresh.pgd[i], of_old);
    }
    std::swap(fresh.pgd, old.pgd);
    this_cpu().active_mm = &fresh;
}

// The new tables take over; whoever shared the old address space keeps it.
void exec_mmap(linux_binprm& bprm) {
    task_struct& task = *current();
    mm_struct* old = task.mm.get();
    mm_release(task, old);
    mm_struct* fresh = bprm.mm.leak();
    mm_struct* borrowed = nullptr;
    {
        const spinlock_guard guard(task.alloc_lock);
        (void)task.mm.leak();
        if (old == nullptr) borrowed = task.active_mm;
        task.mm.reset(fresh);
        task.active_mm = fresh;
        if (has_bug(Bug::ExecWithoutFlush) && old != nullptr && old->mm_users.load() == 1) {
            take_tables_in_place(*fresh, *old);
        } else {
            switch_mm(*fresh);
        }
    }
    if (old != nullptr) {
        if (task.signal->maxrss < old->hiwater_rss) task.signal->maxrss = old->hiwater_rss;
        mmput(old);
    }
    if (borrowed != nullptr) mmdrop(borrowed);
}

// The tid of before: a thread other than the leader gets the leader's.
pid_nr_t tid_for_tracer() {
    const spinlock_guard guard(tasklist_lock);
    return pid_nr_ns(current()->thread_pid.get(), task_active_pid_ns(current()->parent));
}

Result<> unshare_for_exec(task_struct& task) {
    if (task.files->ref_count() == 1) return {};
    Handle<files_struct, put_files_struct> copy(TRY(dup_fd(*task.files)).leak());
    const spinlock_guard guard(task.alloc_lock);
    std::swap(task.files, copy);
    return {};
}

}  // namespace

Result<> flush_old_exec(linux_binprm& bprm) {
    task_struct& task = *current();
    TRY(de_thread(task));
    // Threads are gone and share no more: a table of their own would cost the process its record locks.
    TRY(unshare_for_exec(task));
    futex_exec_release(task);
    exec_mmap(bprm);
    // The point of no return.
    task.flags &= ~(PF_FORKNOEXEC | PF_KTHREAD);
    task.did_exec = true;
    flush_thread();
    task.sas = {0, abi::kSsDisable, 0, 0};
    task.restart = restart_block{};
    {
        const spinlock_guard guard(task.sighand->siglock);
        flush_signal_handlers(&task);
    }
    task.exit_signal = abi::kSigChld;
    task.robust_list = UserPtr<void>();
    set_task_comm(&task, last_component_of(bprm.filename));
    do_close_on_exec(*task.files);
    install_exec_creds(bprm);
    return {};
}

namespace {

// Where a path that begins at a descriptor leads, in words: what a script's interpreter is told.
Result<KBuffer> name_at(int dirfd, const char* path) {
    constexpr size_t kRoomForNumber = 24;
    KBuffer text = TRY(KBuffer::allocate(strlen(path) + kRoomForNumber));
    if (path[0] == '/' || dirfd == abi::kAtFdCwd) {
        memcpy(text.data(), path, strlen(path) + 1);
    } else {
        const char* slash = path[0] != '\0' ? "/" : "";
        (void)snprintf(text.data(), text.size(), "/dev/fd/%d%s%s", dirfd, slash, path);
    }
    return text;
}

}  // namespace

Result<> do_execve(const char* filename, const ArgVector& argv, const ArgVector& envp) {
    return do_execveat(abi::kAtFdCwd, filename, 0, argv, envp);
}

Result<> do_execveat(int dirfd, const char* path, uint32_t flags, const ArgVector& argv,
                     const ArgVector& envp) {
    if ((current()->flags & PF_NPROC_EXCEEDED) != 0 && is_over_process_limit(*current_cred().user))
        return Errno::Again;
    current()->flags &= ~PF_NPROC_EXCEEDED;
    linux_binprm bprm;
    const lookup_flags how{.follow = (flags & abi::kAtSymlinkNoFollow) == 0,
                           .empty = (flags & abi::kAtEmptyPath) != 0};
    bprm.program = TRY(open_exec(dirfd, path, how));
    const KBuffer name = TRY(name_at(dirfd, path));
    const char* const filename = name.data();
    bprm.filename = filename;
    bprm.path_inaccessible =
        path[0] != '/' && dirfd != abi::kAtFdCwd && get_close_on_exec(*current()->files, dirfd);
    TRY(bprm_mm_init(bprm));
    bprm.argc = TRY(count_strings(argv));
    bprm.envc = TRY(count_strings(envp));
    TRY(push_string(bprm, filename));
    bprm.exec = bprm.p;
    TRY(push_strings(bprm, envp, bprm.envc));
    bprm.arg_end = bprm.p;
    TRY(push_strings(bprm, argv, bprm.argc));
    // Some programs read argv[0] without a look at argc.
    if (bprm.argc == 0) {
        TRY(push_string(bprm, ""));
        bprm.argc = 1;
    }
    const pid_nr_t old_tid = tid_for_tracer();
    const Result<> loaded = search_binary_handler(bprm, *task_pt_regs(current()));
    if (!loaded) {
        // The old program is gone already: there is nothing to return to.
        if (!bprm.mm) force_sig(abi::kSigSegv, current());
        return loaded.error();
    }
    announce_exec(*current());
    ptrace_event(abi::kPtraceEventExec, static_cast<uint64_t>(old_tid));
    return {};
}

}  // namespace guest
