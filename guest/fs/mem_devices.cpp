// /dev/null, zero, full, random and urandom (major 1).
#include "guest/fs/special.hpp"
#include "guest/kernel/random.hpp"

namespace guest {

namespace {

enum class Minor : uint32_t { Null = 3, Zero = 5, Full = 7, Random = 8, Urandom = 9 };

Minor minor_of(const file& f) { return static_cast<Minor>(abi::dev_minor(f.node().i_rdev)); }

Result<size_t> moved_or_fault(size_t wanted, size_t moved) {
    if (moved == 0 && wanted != 0) return Errno::Fault;
    return moved;
}

Result<size_t> read_random(iov_iter& to) {
    const size_t wanted = to.count();
    size_t moved = 0;
    while (to.count() != 0) {
        char chunk[128];
        const size_t part = to.count() < sizeof(chunk) ? to.count() : sizeof(chunk);
        get_random_bytes(chunk, part);
        const size_t copied = to.copy_to(chunk, part);
        moved += copied;
        if (copied < part) break;
    }
    return moved_or_fault(wanted, moved);
}

Result<size_t> mem_read(file& f, iov_iter& to, abi::loff_t&) {
    switch (minor_of(f)) {
        case Minor::Null:
            return size_t{0};
        case Minor::Zero:
        case Minor::Full: {
            const size_t wanted = to.count();
            return moved_or_fault(wanted, to.fill_zero(wanted));
        }
        case Minor::Random:
        case Minor::Urandom:
            return read_random(to);
    }
    return Errno::NxIo;
}

// What is written to random is taken and changes nothing: runs repeat.
Result<size_t> mem_write(file& f, iov_iter& from, abi::loff_t&) {
    if (minor_of(f) == Minor::Full) return Errno::NoSpc;
    const size_t bytes = from.count();
    from.advance(bytes);
    return bytes;
}

Result<abi::loff_t> mem_llseek(file& f, abi::loff_t, uint32_t) {
    f.f_pos = 0;
    return abi::loff_t{0};
}

Result<> mem_mmap(file& f, vm_area_struct& area) {
    if (minor_of(f) != Minor::Zero) return Errno::NoDev;
    return zero_mmap(f, area);
}

Result<> mem_open(inode& node, file&) {
    switch (static_cast<Minor>(abi::dev_minor(node.i_rdev))) {
        case Minor::Null:
        case Minor::Zero:
        case Minor::Full:
        case Minor::Random:
        case Minor::Urandom:
            return {};
    }
    return Errno::NxIo;
}

constexpr file_operations kMemOperations{
    .llseek = mem_llseek, .read = mem_read, .write = mem_write, .mmap = mem_mmap, .open = mem_open};

}  // namespace

void mem_devices_init() { register_chrdev(kMemMajor, kMemOperations, "mem"); }

}  // namespace guest
