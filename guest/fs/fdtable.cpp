// Descriptor tables.
#include "guest/fs/fdtable.hpp"

#include "guest/fs/locks.hpp"
#include "guest/lib/string.hpp"

namespace guest {

DEFINE_KMEM_CACHE(files_struct)

namespace {

constexpr unsigned kWordBits = 64;

bool test_bit(const uint64_t* words, unsigned bit) {
    return (words[bit / kWordBits] >> bit % kWordBits & 1) != 0;
}
void set_bit(uint64_t* words, unsigned bit, bool on) {
    const uint64_t mask = uint64_t{1} << bit % kWordBits;
    uint64_t& word = words[bit / kWordBits];
    word = on ? word | mask : word & ~mask;
}

// The first clear bit from start on; `bits` if all are set.
unsigned find_clear_bit(const uint64_t* words, unsigned bits, unsigned start) {
    for (unsigned at = start; at < bits;) {
        const uint64_t free = ~words[at / kWordBits] >> at % kWordBits;
        if (free != 0) return at + static_cast<unsigned>(__builtin_ctzll(free));
        at = (at / kWordBits + 1) * kWordBits;
    }
    return bits;
}

// The three arrays of a table in one piece of memory, which begins at fd.
Result<fdtable> alloc_fdtable(unsigned max_fds) {
    const size_t words = max_fds / kWordBits;
    void* memory = kzalloc(max_fds * sizeof(file*) + 2 * words * sizeof(uint64_t));
    if (memory == nullptr) return Errno::NoMem;
    fdtable table;
    table.max_fds = max_fds;
    table.fd = static_cast<file**>(memory);
    table.open_fds = reinterpret_cast<uint64_t*>(table.fd + max_fds);
    table.close_on_exec = table.open_fds + words;
    return table;
}

void copy_fdtable(fdtable& to, const fdtable& from, unsigned count) {
    memcpy(to.fd, from.fd, count * sizeof(file*));
    memcpy(to.open_fds, from.open_fds, count / kWordBits * sizeof(uint64_t));
    memcpy(to.close_on_exec, from.close_on_exec, count / kWordBits * sizeof(uint64_t));
}

void free_fdtable(files_struct& files) {
    if (files.fdt.fd != files.fd_array) kfree(files.fdt.fd);
}

// Makes room for descriptor nr. file_lock is held.
Result<> expand_files(files_struct& files, unsigned nr) {
    if (nr < files.fdt.max_fds) return {};
    if (nr >= kNrOpenMax) return Errno::MFile;
    unsigned size = files.fdt.max_fds;
    while (size <= nr) size *= 2;
    fdtable bigger = TRY(alloc_fdtable(size));
    copy_fdtable(bigger, files.fdt, files.fdt.max_fds);
    free_fdtable(files);
    files.fdt = bigger;
    return {};
}

file* slot_of(const files_struct& files, int fd) {
    if (fd < 0 || static_cast<unsigned>(fd) >= files.fdt.max_fds) return nullptr;
    return files.fdt.fd[fd];
}

// fd becomes free. file_lock is held.
void release_fd_locked(files_struct& files, unsigned fd) {
    files.fdt.fd[fd] = nullptr;
    set_bit(files.fdt.open_fds, fd, false);
    set_bit(files.fdt.close_on_exec, fd, false);
    if (fd < files.next_fd) files.next_fd = fd;
}

// As many descriptors, in whole words, as hold every open one below limit.
unsigned needed_size(const fdtable& table, unsigned limit) {
    unsigned words = (limit < table.max_fds ? limit + kWordBits - 1 : table.max_fds) / kWordBits;
    while (words > 1 && table.open_fds[words - 1] == 0) --words;
    return words * kWordBits;
}

}  // namespace

files_struct::files_struct() : fdt{kInline, fd_array, &open_fds_init, &close_on_exec_init} {}

files_struct::~files_struct() {
    for (unsigned fd = 0; fd < fdt.max_fds; ++fd) {
        if (fdt.fd[fd] != nullptr) filp_close(*this, RefPtr<file>::adopt(std::exchange(fdt.fd[fd], nullptr)));
    }
    free_fdtable(*this);
}

files_struct* get_files_struct(files_struct* files) {
    files->get();
    return files;
}

void put_files_struct(files_struct* files) { files->put(); }

Result<RefPtr<files_struct>> dup_fd(const files_struct& old, unsigned limit) {
    RefPtr<files_struct> copy = TRY(make_ref<files_struct>());
    const spinlock_guard guard(old.file_lock);
    const unsigned size = needed_size(old.fdt, limit);
    if (size > copy->fdt.max_fds) copy->fdt = TRY(alloc_fdtable(size));
    copy_fdtable(copy->fdt, old.fdt, size);
    for (unsigned fd = 0; fd < size; ++fd) {
        file*& slot = copy->fdt.fd[fd];
        if (slot != nullptr && fd < limit) {
            slot->get();
        } else if (test_bit(copy->fdt.open_fds, fd)) {
            // Beyond the limit, or reserved by a thread that is just opening something: it is not ours.
            release_fd_locked(*copy, fd);
        }
    }
    copy->next_fd = find_clear_bit(copy->fdt.open_fds, size, 0);
    return copy;
}

void do_close_on_exec(files_struct& files) {
    for (unsigned fd = 0; fd < files.fdt.max_fds; ++fd) {
        if (test_bit(files.fdt.close_on_exec, fd)) {
            if (RefPtr<file> f = take_fd(files, static_cast<int>(fd))) filp_close(files, std::move(f));
        }
    }
}

Result<int> alloc_fd(files_struct& files, unsigned start, unsigned limit, uint32_t flags) {
    const spinlock_guard guard(files.file_lock);
    const unsigned from = start > files.next_fd ? start : files.next_fd;
    const unsigned fd =
        from < files.fdt.max_fds ? find_clear_bit(files.fdt.open_fds, files.fdt.max_fds, from) : from;
    if (fd >= limit) return Errno::MFile;
    TRY(expand_files(files, fd));
    if (start <= files.next_fd) files.next_fd = fd + 1;
    set_bit(files.fdt.open_fds, fd, true);
    set_bit(files.fdt.close_on_exec, fd, (flags & abi::kOCloExec) != 0);
    return static_cast<int>(fd);
}

void put_unused_fd(files_struct& files, int fd) {
    const spinlock_guard guard(files.file_lock);
    release_fd_locked(files, static_cast<unsigned>(fd));
}

void fd_install(files_struct& files, int fd, RefPtr<file> f) {
    const spinlock_guard guard(files.file_lock);
    BUG_ON(files.fdt.fd[fd] != nullptr);
    files.fdt.fd[fd] = f.leak();
}

RefPtr<file> fget_raw(const files_struct& files, int fd) {
    const spinlock_guard guard(files.file_lock);
    return RefPtr<file>(slot_of(files, fd));
}

RefPtr<file> fget(const files_struct& files, int fd) {
    const spinlock_guard guard(files.file_lock);
    file* f = slot_of(files, fd);
    if (f == nullptr || (f->f_mode & file::kPath) != 0) return nullptr;
    return RefPtr<file>(f);
}

RefPtr<file> take_fd(files_struct& files, int fd) {
    const spinlock_guard guard(files.file_lock);
    file* f = slot_of(files, fd);
    if (f != nullptr) release_fd_locked(files, static_cast<unsigned>(fd));
    return RefPtr<file>::adopt(f);
}

Result<> close_fd(files_struct& files, int fd) {
    RefPtr<file> f = take_fd(files, fd);
    if (!f) return Errno::BadF;
    filp_close(files, std::move(f));
    return {};
}

Result<> replace_fd(files_struct& files, int fd, RefPtr<file> f, uint32_t flags, unsigned limit) {
    if (fd < 0 || static_cast<unsigned>(fd) >= limit) return Errno::BadF;
    const auto nr = static_cast<unsigned>(fd);
    RefPtr<file> old;
    {
        const spinlock_guard guard(files.file_lock);
        TRY(expand_files(files, nr));
        file*& slot = files.fdt.fd[nr];
        if (slot == nullptr && test_bit(files.fdt.open_fds, nr)) return Errno::Busy;
        old = RefPtr<file>::adopt(slot);
        slot = f.leak();
        set_bit(files.fdt.open_fds, nr, true);
        set_bit(files.fdt.close_on_exec, nr, (flags & abi::kOCloExec) != 0);
    }
    if (old) filp_close(files, std::move(old));
    return {};
}

bool get_close_on_exec(const files_struct& files, int fd) {
    const spinlock_guard guard(files.file_lock);
    return slot_of(files, fd) != nullptr && test_bit(files.fdt.close_on_exec, static_cast<unsigned>(fd));
}

void set_close_on_exec(files_struct& files, int fd, bool on) {
    const spinlock_guard guard(files.file_lock);
    if (slot_of(files, fd) != nullptr) set_bit(files.fdt.close_on_exec, static_cast<unsigned>(fd), on);
}

int next_open_fd(const files_struct& files, unsigned start) {
    const spinlock_guard guard(files.file_lock);
    for (unsigned fd = start; fd < files.fdt.max_fds; ++fd) {
        if (files.fdt.fd[fd] != nullptr) return static_cast<int>(fd);
    }
    return -1;
}

void filp_close(const files_struct& files, RefPtr<file> f) {
    if ((f->f_mode & file::kPath) != 0) return;
    if (f->f_op->flush != nullptr) f->f_op->flush(*f);
    locks_remove_posix(*f, &files);
}

}  // namespace guest
