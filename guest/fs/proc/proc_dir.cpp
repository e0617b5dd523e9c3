// Directories, files and links that are always there, from tables of proc_entry.
#include "guest/fs/dentry.hpp"
#include "guest/fs/proc/proc.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/lib/string.hpp"

namespace guest {

namespace {

constexpr abi::loff_t kFirstEntry = 2;

// Of an entry: its address tells it from all others in the tables, which lie in the kernel's image.
uint64_t entry_ino(const proc_entry& entry) { return reinterpret_cast<uint64_t>(&entry) & 0x3fffffff; }

bool has_name(const proc_entry& entry, const qstr& name) {
    return strlen(entry.name) == name.len && memcmp(entry.name, name.name, name.len) == 0;
}

Result<> instantiate(dentry& child, const proc_entry& entry) {
    proc_inode info;
    info.global = &entry;
    const abi::umode_t type = entry.mode & abi::kIfMt;
    const inode_operations& iop = type == abi::kIfDir   ? proc_dir_inode_operations
                                  : type == abi::kIfLnk ? proc_link_inode_operations
                                                        : proc_file_inode_operations;
    const file_operations& fop = type == abi::kIfDir ? proc_dir_file_operations : proc_text_file_operations;
    return proc_instantiate(child, std::move(info), entry.mode, entry_ino(entry), iop, fop);
}

Result<> dir_lookup(inode& dir, dentry& child) {
    const proc_entry& entry = *proc_of(dir).global;
    for (size_t i = 0; i < entry.nr_children; ++i) {
        if (has_name(entry.children[i], child.d_name)) return instantiate(child, entry.children[i]);
    }
    return Errno::NoEnt;
}

Result<> dir_iterate(file& f, dir_context& ctx) {
    if (!dir_emit_dots(f, ctx)) return {};
    const proc_entry& entry = *proc_of(f.node()).global;
    for (auto i = static_cast<size_t>(ctx.pos - kFirstEntry); i < entry.nr_children; ++i) {
        const proc_entry& child = entry.children[i];
        const auto next = static_cast<abi::loff_t>(i) + kFirstEntry + 1;
        if (!dir_emit(ctx, child.name, entry_ino(child), child.mode, next)) return {};
    }
    return {};
}

Result<size_t> link_readlink(inode& link, char* buffer, size_t size) {
    return proc_of(link).global->readlink(proc_pid_ns(*link.i_sb), buffer, size);
}

// Rights are the kernel's to say.
Result<> proc_setattr(inode& node, const iattr& attr) {
    if ((attr.valid & iattr::kMode) != 0) return Errno::Perm;
    setattr_copy(node, attr);
    return {};
}

}  // namespace

constinit const inode_operations proc_dir_inode_operations{.lookup = dir_lookup, .setattr = proc_setattr};
constinit const file_operations proc_dir_file_operations{
    .llseek = dcache_dir_llseek, .read = generic_read_dir, .iterate = dir_iterate};
constinit const inode_operations proc_file_inode_operations{.setattr = proc_setattr};
constinit const inode_operations proc_link_inode_operations{.readlink = link_readlink,
                                                            .setattr = proc_setattr};

}  // namespace guest
