// Open text files: made up at the first read, written as one piece.
#include "guest/fs/proc/proc.hpp"
#include "guest/kernel/ptrace.hpp"

#include "guest/fs/vfs.hpp"
#include "guest/lib/string.hpp"

namespace guest {

DEFINE_KMEM_CACHE(proc_text)

proc_text::~proc_text() {
    if (mm != nullptr) mmdrop(mm);
}

const pid_namespace& proc_text::ns() const { return proc_pid_ns(*f.node().i_sb); }

namespace {

proc_text& text_of(const file& f) { return *static_cast<proc_text*>(f.private_data); }

// The right to see the address space is that of the moment of opening, and so is the address space.
Result<> open_mm(proc_text& text, const inode& node) {
    const TaskRef task = get_proc_task(node);
    if (!task) return Errno::Srch;
    if (!ptrace_may_access(*task)) return Errno::Access;
    const MmRef mm = get_task_mm(*task);
    if (!mm) return {};  // a zombie: there is nothing to show
    mm->mm_count.inc();
    text.mm = mm.get();
    return {};
}

Result<> proc_text_open(inode& node, file& f) {
    OwnPtr<proc_text> text = TRY(make_owned<proc_text>(f));
    const pid_entry* entry = proc_of(node).of_task;
    if (entry != nullptr && entry->of_mm) TRY(open_mm(*text, node));
    if (entry != nullptr && entry->open != nullptr) {
        const TaskRef task = get_proc_task(node);
        if (!task) return Errno::Inval;
        TRY(entry->open(*task));
    }
    f.private_data = text.leak();
    return {};
}

void proc_text_release(inode&, file& f) { delete &text_of(f); }

Result<> make_text(proc_text& text) {
    const proc_inode& info = proc_of(text.f.node());
    if (info.global != nullptr) {
        if (info.global->show == nullptr) return Errno::Inval;
        return info.global->show(text);
    }
    const TaskRef task = get_proc_task(text.f.node());
    if (!task) return Errno::Srch;
    if (info.of_task->show == nullptr) return Errno::Inval;
    return info.of_task->show(text, *task);
}

Result<size_t> proc_text_read(file& f, iov_iter& to, abi::loff_t& pos) {
    proc_text& text = text_of(f);
    const mutex_guard guard(text.lock);
    if (pos == 0 || !text.filled) {
        text.filled = false;
        text.clear();
        TRY(make_text(text));
        TRY(text.finish());
        text.filled = true;
    }
    return text.copy_out(to, pos);
}

// What one write brings is at most a page, and is taken as a whole.
Result<size_t> proc_text_write(file& f, iov_iter& from, abi::loff_t& pos) {
    const proc_inode& info = proc_of(f.node());
    const bool writable =
        info.global != nullptr ? info.global->write != nullptr : info.of_task->write != nullptr;
    if (!writable) return Errno::Io;
    size_t bytes = from.count();
    if (bytes >= kPageSize) bytes = kPageSize - 1;
    KBuffer buffer = TRY(KBuffer::allocate(kPageSize));
    if (from.copy_from(buffer.data(), bytes) != bytes) return Errno::Fault;
    buffer.data()[bytes] = '\0';
    size_t taken = 0;
    if (info.global != nullptr) {
        taken = TRY(info.global->write(buffer.data(), bytes));
    } else {
        const TaskRef task = get_proc_task(f.node());
        if (!task) return Errno::Srch;
        taken = TRY(info.of_task->write(*task, buffer.data(), bytes));
    }
    pos += static_cast<abi::loff_t>(taken);
    return taken;
}

}  // namespace

constinit const file_operations proc_text_file_operations{.llseek = dcache_dir_llseek,
                                                          .read = proc_text_read,
                                                          .write = proc_text_write,
                                                          .open = proc_text_open,
                                                          .release = proc_text_release};

Result<int64_t> proc_parse_int(const char* text) {
    constexpr uint64_t kMost = 0x7fffffff;
    while (*text == ' ' || *text == '\t' || *text == '\n') ++text;
    const bool negative = *text == '-';
    if (negative || *text == '+') ++text;
    const char* end = text;
    const uint64_t value = simple_strtoull(text, &end, 10);
    if (end == text) return Errno::Inval;
    if (end - text > 10 || value > kMost) return Errno::Range;
    while (*end == ' ' || *end == '\t' || *end == '\n') ++end;
    if (*end != '\0') return Errno::Inval;
    return negative ? -static_cast<int64_t>(value) : static_cast<int64_t>(value);
}

void seq_path(seq_file& m, const path& p, const path& root, const char* escape) {
    auto* buffer = static_cast<char*>(kmalloc(abi::kPathMax));
    if (buffer == nullptr) {
        m.puts("(no memory)");
        return;
    }
    Result<char*> text = d_path(p, root, buffer, abi::kPathMax);
    m.escape(text.ok() ? text.value() : "(too long)", escape);
    kfree(buffer);
}

}  // namespace guest
