// read, write, seek and truncate for files whose contents are their page cache.
#include "guest/abi/signal.hpp"
#include "guest/arch/percpu.hpp"
#include "guest/fs/fdtable.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/kernel/signal.hpp"
#include "guest/lib/string.hpp"

namespace guest {

namespace {

size_t part_of_page(uint64_t pos, size_t bytes) {
    const size_t room = kPageSize - pos % kPageSize;
    return bytes < room ? bytes : room;
}

// One page's share of a write. How many bytes; 0: the source refused.
Result<size_t> write_part(inode& node, iov_iter& from, uint64_t pos) {
    const PageRef frame = TRY(read_mapping_page(node.i_data, pos / kPageSize));
    return from.copy_from(frame.data() + pos % kPageSize, part_of_page(pos, from.count()));
}

// The first offset at or after pos that lies in a page which is there (want) or is not.
abi::loff_t seek_page(address_space& mapping, abi::loff_t pos, bool want) {
    auto at = static_cast<uint64_t>(pos);
    const auto end = static_cast<uint64_t>(mapping.host->i_size);
    const spinlock_guard guard(mapping.tree_lock);
    while (at < end) {
        const uint64_t index = at / kPageSize;
        uint64_t next = index;
        const bool any = mapping.pages.next(next) != nullptr;
        const bool here = any && next == index;
        if (here == want) return static_cast<abi::loff_t>(at);
        if (want) {
            if (!any) break;
            at = next * kPageSize;
        } else {
            at = (index + 1) * kPageSize;
        }
    }
    return static_cast<abi::loff_t>(end);
}

}  // namespace

void clear_past_end(inode& node) {
    const auto end = static_cast<uint64_t>(node.i_size);
    const uint64_t cut = end % kPageSize;
    if (cut == 0) return;
    if (const PageRef last = find_get_page(node.i_data, end / kPageSize)) {
        memset(last.data() + cut, 0, kPageSize - cut);
    }
}

Result<size_t> generic_file_read(file& f, iov_iter& to, abi::loff_t& pos) {
    inode& node = f.node();
    address_space& mapping = *f.f_mapping;
    size_t done = 0;
    while (to.count() != 0) {
        // The size again each time: another task may write or truncate while a page fault of ours sleeps.
        const auto size = static_cast<uint64_t>(node.i_size);
        const auto at = static_cast<uint64_t>(pos);
        if (at >= size) break;
        const size_t part = part_of_page(at, to.count() < size - at ? to.count() : size - at);
        PageRef frame = find_get_page(mapping, at / kPageSize);
        if (!frame && mapping.a_ops != nullptr && mapping.a_ops->readpage != nullptr) {
            frame = TRY(read_mapping_page(mapping, at / kPageSize));
        }
        const size_t moved = frame ? to.copy_to(frame.data() + at % kPageSize, part) : to.fill_zero(part);
        pos += static_cast<abi::loff_t>(moved);
        done += moved;
        if (moved < part) {
            if (done == 0) return Errno::Fault;
            break;
        }
    }
    file_accessed(f);
    return done;
}

namespace {

// How many bytes at `pos` RLIMIT_FSIZE lets a file have; none: SIGXFSZ and FBig.
Result<uint64_t> room_for_file(uint64_t pos) {
    const uint64_t limit = file_size_limit();
    if (pos < limit) return limit - pos;
    send_sig(abi::kSigXfsz, current());
    return Errno::FBig;
}

}  // namespace

Result<size_t> generic_file_write(file& f, iov_iter& from, abi::loff_t& pos) {
    inode& node = f.node();
    const mutex_guard guard(node.i_mutex);
    if ((f.f_flags & abi::kOAppend) != 0) pos = node.i_size;
    if (from.count() == 0) return size_t{0};
    if (node.i_data.write_sealed()) return Errno::Perm;
    if (pos == INT64_MAX) return Errno::FBig;
    const uint64_t room = TRY(room_for_file(static_cast<uint64_t>(pos)));
    if (from.count() > room) from.truncate(room);
    if (pos > node.i_size) clear_past_end(node);
    size_t done = 0;
    while (from.count() != 0) {
        const size_t wanted = part_of_page(static_cast<uint64_t>(pos), from.count());
        if (pos + static_cast<abi::loff_t>(wanted) > node.i_size &&
            node.i_data.sealed_against(abi::kSealGrow)) {
            if (done != 0) break;
            return Errno::Perm;
        }
        Result<size_t> moved = write_part(node, from, static_cast<uint64_t>(pos));
        if (!moved.ok() || (moved.value() == 0 && done == 0)) {
            if (done != 0) break;
            const Errno why = moved.ok() ? Errno::Fault : moved.error();
            // A page that was made for nothing goes again.
            truncate_inode_pages(node.i_data, node.i_size);
            return why;
        }
        pos += static_cast<abi::loff_t>(moved.value());
        done += moved.value();
        if (pos > node.i_size) node.i_size = pos;
        if (moved.value() < wanted) break;
    }
    inode_update_mtime(node);
    return done;
}

Result<abi::loff_t> generic_file_llseek(file& f, abi::loff_t offset, uint32_t whence) {
    inode& node = f.node();
    const abi::loff_t size = node.i_size;
    abi::loff_t base = 0;
    switch (whence) {
        case abi::kSeekSet:
            break;
        case abi::kSeekCur:
            // Only asks where the file is.
            if (offset == 0) return f.f_pos;
            base = f.f_pos;
            break;
        case abi::kSeekEnd:
            base = size;
            break;
        case abi::kSeekData:
        case abi::kSeekHole: {
            if (offset < 0 || offset >= size) return Errno::NxIo;
            const abi::loff_t found = seek_page(*f.f_mapping, offset, whence == abi::kSeekData);
            if (whence == abi::kSeekData && found >= size) return Errno::NxIo;
            f.f_pos = found;
            return found;
        }
        default:
            return Errno::Inval;
    }
    abi::loff_t target;
    if (__builtin_add_overflow(base, offset, &target)) return Errno::Overflow;
    if (target < 0) return Errno::Inval;
    f.f_pos = target;
    return target;
}

Result<> generic_file_mmap(file& f, vm_area_struct&) {
    file_accessed(f);
    return {};
}

Result<> noop_fsync(file&) { return {}; }

Result<size_t> generic_read_dir(file&, iov_iter&, abi::loff_t&) { return Errno::IsDir; }

Result<> do_truncate(inode& node, abi::loff_t length) {
    if (length < 0) return Errno::Inval;
    const mutex_guard guard(node.i_mutex);
    if (length != node.i_size &&
        node.i_data.sealed_against(length < node.i_size ? abi::kSealShrink : abi::kSealGrow)) {
        return Errno::Perm;
    }
    if (length > node.i_size) TRY(room_for_file(static_cast<uint64_t>(length) - 1));
    if (node.i_op->setattr != nullptr) {
        iattr attr;
        attr.valid = iattr::kSize;
        attr.size = length;
        return node.i_op->setattr(node, attr);
    }
    if (length > node.i_size) {
        clear_past_end(node);
        node.i_size = length;
    } else {
        node.i_size = length;
        truncate_inode_pages(node.i_data, length);
    }
    inode_update_mtime(node);
    return {};
}

}  // namespace guest
