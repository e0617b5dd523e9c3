// fallocate: space for a file before it is written, and holes in what was.
#include "guest/fs/fallocate.hpp"

#include "guest/abi/signal.hpp"
#include "guest/arch/percpu.hpp"
#include "guest/fs/fdtable.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/kernel/signal.hpp"

namespace guest {

namespace {

// With the page's reference the flag stays that page's.
void set_fallocated(address_space& mapping, uint64_t first, uint64_t last, bool on) {
    for (uint64_t index = first; index < last; ++index) {
        if (const PageRef frame = find_get_page(mapping, index)) frame.get()->is_fallocated = on;
    }
}

// Pages of zeros for all of [first, last) that have none. Intr, NoSpc, NoMem.
Result<> add_pages(address_space& mapping, uint64_t first, uint64_t last) {
    for (uint64_t index = first; index < last; ++index) {
        if (signal_pending(current())) return Errno::Intr;
        if (find_get_page(mapping, index)) continue;
        const PageRef fresh = TRY(read_mapping_page(mapping, index));
        fresh.get()->is_fallocated = true;
        cond_resched();
    }
    return {};
}

// What was added without anybody having used it since goes again.
void take_back(address_space& mapping, uint64_t first, uint64_t last) {
    for (uint64_t index = first; index < last; ++index) {
        const PageRef frame = find_get_page(mapping, index);
        if (frame && frame.get()->is_fallocated) drop_page(mapping, index);
    }
}

Result<> preallocate(inode& node, int mode, abi::loff_t offset, abi::loff_t bytes) {
    const abi::loff_t end = offset + bytes;
    if (end > node.i_size) {
        if (static_cast<uint64_t>(end) > file_size_limit()) {
            send_sig(abi::kSigXfsz, current());
            return Errno::FBig;
        }
        if (node.i_data.sealed_against(abi::kSealGrow)) return Errno::Perm;
    }
    const uint64_t first = static_cast<uint64_t>(offset) / kPageSize;
    const uint64_t last = pages_for(static_cast<uint64_t>(end));
    if (last - first > total_ram_pages()) return Errno::NoSpc;
    if (end > node.i_size) clear_past_end(node);
    const Result<> added = add_pages(node.i_data, first, last);
    if (!added) {
        take_back(node.i_data, first, last);
        return added.error();
    }
    set_fallocated(node.i_data, first, last, false);
    if ((mode & abi::kFallocKeepSize) == 0 && end > node.i_size) node.i_size = end;
    return {};
}

}  // namespace

Result<> shmem_fallocate(file& f, int mode, abi::loff_t offset, abi::loff_t bytes) {
    if ((mode & ~(abi::kFallocKeepSize | abi::kFallocPunchHole)) != 0) return Errno::OpNotSupp;
    inode& node = f.node();
    const mutex_guard guard(node.i_mutex);
    if ((mode & abi::kFallocPunchHole) != 0) {
        if (node.i_data.write_sealed()) return Errno::Perm;
        punch_hole(node.i_data, offset, offset + bytes);
    } else {
        TRY(preallocate(node, mode, offset, bytes));
    }
    inode_update_mtime(node);
    return {};
}

Result<> vfs_fallocate(file& f, int mode, abi::loff_t offset, abi::loff_t bytes) {
    if (offset < 0 || bytes <= 0) return Errno::Inval;
    // One thing at a time. A hole never makes the file smaller.
    const int what = mode & ~abi::kFallocKeepSize;
    if (what != 0 && what != abi::kFallocPunchHole && what != abi::kFallocZeroRange &&
        mode != abi::kFallocCollapseRange && mode != abi::kFallocInsertRange)
        return Errno::OpNotSupp;
    if (mode == abi::kFallocPunchHole) return Errno::OpNotSupp;
    if ((f.f_mode & file::kWrite) == 0) return Errno::BadF;
    const abi::umode_t type = f.node().i_mode;
    if (abi::is_fifo(type)) return Errno::SPipe;
    if (abi::is_dir(type)) return Errno::IsDir;
    if (!abi::is_reg(type) && !abi::is_blk(type)) return Errno::NoDev;
    if (bytes > INT64_MAX - offset) return Errno::FBig;
    if (f.f_op->fallocate == nullptr) return Errno::OpNotSupp;
    return f.f_op->fallocate(f, mode, offset, bytes);
}

}  // namespace guest
