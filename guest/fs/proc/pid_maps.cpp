// /proc/<pid>/maps: the areas of an address space, a line each.
#include "guest/fs/proc/pid_maps.hpp"
#include "guest/fs/dentry.hpp"
#include "guest/fs/fs_struct.hpp"
#include "guest/fs/mount.hpp"
#include "guest/fs/proc/pid_files.hpp"

namespace guest {

namespace {

constexpr size_t kNameColumn = 73;  // where names begin

// "[heap]" and "[stack]" name what the program was given when it started.
const char* special_name(const vm_area_struct& vma) {
    const mm_struct& mm = *vma.vm_mm;
    if (vma.vm_start < mm.brk && vma.vm_end > mm.start_brk) return "[heap]";
    if (vma.vm_start <= mm.start_stack && vma.vm_end >= mm.start_stack) return "[stack]";
    return nullptr;
}

}  // namespace

void show_map_vma(seq_file& m, const vm_area_struct& vma, const path& root) {
    const uint64_t flags = vma.vm_flags;
    const auto letter = [flags](uint64_t bit, char yes) { return (flags & bit) != 0 ? yes : '-'; };
    abi::dev_t dev = 0;
    uint64_t ino = 0;
    uint64_t offset = 0;
    if (vma.vm_file) {
        const inode& node = vma.vm_file->node();
        dev = node.i_sb->s_dev;
        ino = node.i_ino;
        offset = vma.vm_pgoff << kPageShift;
    }
    m.printf("%08lx-%08lx %c%c%c%c %08lx %02x:%02x %lu ", vma.vm_start.raw(), vma.vm_end.raw(),
             letter(VM_READ, 'r'), letter(VM_WRITE, 'w'), letter(VM_EXEC, 'x'),
             (flags & VM_MAYSHARE) != 0 ? 's' : 'p', offset, abi::dev_major(dev), abi::dev_minor(dev), ino);
    if (vma.vm_file) {
        m.pad_to(kNameColumn);
        seq_path(m, vma.vm_file->f_path, root, "\n");
    } else if (const char* name = special_name(vma)) {
        m.pad_to(kNameColumn);
        m.puts(name);
    }
    m.putc('\n');
}

path reader_root() {
    const auto fs = get_task_fs(*current());
    return fs ? get_fs_root(*fs) : path();
}

Result<> maps_show(proc_text& m, task_struct&) {
    const auto mm = mmget_not_zero(m.mm);
    if (!mm) return {};
    const path root = reader_root();
    const read_guard guard(mm->mmap_sem);
    for (const vm_area_struct& vma : mm->mmap) show_map_vma(m, vma, root);
    return {};
}

}  // namespace guest
