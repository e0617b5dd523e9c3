// Files about an address space: opening, and mem, which is the memory itself.
#include "guest/fs/proc/pid_open_mm.hpp"

#include "guest/fs/vfs.hpp"
#include "guest/kernel/ptrace.hpp"
#include "guest/lib/new.hpp"
#include "guest/mm/memory.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

DEFINE_KMEM_CACHE(OpenMm)

OpenMm::~OpenMm() {
    if (mm != nullptr) mmdrop(mm);
}

Result<> open_mm_open(inode& node, file& f) {
    const TaskRef task = get_proc_task(node);
    if (!task) return Errno::Srch;
    if (!ptrace_may_access(*task)) return Errno::Access;
    OwnPtr<OpenMm> open = TRY(make_owned<OpenMm>());
    const MmRef mm = get_task_mm(*task);
    if (mm) {
        mm->mm_count.inc();
        open->mm = mm.get();
    }
    open->privileged = capable(kCapSysAdmin);
    f.private_data = open.leak();
    return {};
}

void open_mm_release(inode&, file& f) { delete &open_mm_of(f); }

// --- mem: the memory itself, at its addresses

namespace {

template <typename Move>
Result<size_t> mem_rw(file& f, iov_iter& bytes, abi::loff_t& pos, Move&& move) {
    const MmRef mm = mmget_not_zero(open_mm_of(f).mm);
    if (!mm) return size_t{0};
    KBuffer buffer = TRY(KBuffer::allocate(kPageSize));
    size_t done = 0;
    while (bytes.count() != 0) {
        const size_t part = bytes.count() < kPageSize ? bytes.count() : kPageSize;
        const VirtAddr at(static_cast<uint64_t>(pos));
        Result<size_t> moved =
            at < kTaskSize ? move(*mm, at, buffer.data(), part) : Result<size_t>(size_t{0});
        if (!moved.ok() || moved.value() == 0) {
            if (done != 0) break;
            return moved.ok() ? Errno::Io : moved.error();
        }
        done += moved.value();
        pos += static_cast<abi::loff_t>(moved.value());
        if (moved.value() < part) break;
    }
    return done;
}

Result<size_t> mem_read(file& f, iov_iter& to, abi::loff_t& pos) {
    return mem_rw(f, to, pos, [&to](mm_struct& mm, VirtAddr at, char* buffer, size_t part) -> Result<size_t> {
        const size_t got = access_remote_vm(mm, at, buffer, part, Access::Read);
        const size_t copied = to.copy_to(buffer, got);
        if (copied == 0 && got != 0) return Errno::Fault;
        return copied;
    });
}

Result<size_t> mem_write(file& f, iov_iter& from, abi::loff_t& pos) {
    return mem_rw(f, from, pos,
                  [&from](mm_struct& mm, VirtAddr at, char* buffer, size_t part) -> Result<size_t> {
                      const size_t got = from.copy_from(buffer, part);
                      if (got == 0) return Errno::Fault;
                      return access_remote_vm(mm, at, buffer, got, Access::Write);
                  });
}

}  // namespace

constinit const file_operations proc_mem_file_operations{.llseek = dcache_dir_llseek,
                                                         .read = mem_read,
                                                         .write = mem_write,
                                                         .open = open_mm_open,
                                                         .release = open_mm_release};

}  // namespace guest
