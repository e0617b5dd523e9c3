// Files that are known by their descriptor alone.
#include "guest/fs/anon_inodes.hpp"

#include "guest/fs/dentry.hpp"
#include "guest/fs/fdtable.hpp"
#include "guest/fs/mount.hpp"
#include "guest/lib/format.hpp"
#include "guest/lib/panic.hpp"
#include "guest/lib/string.hpp"

namespace guest {

namespace {

constexpr uint64_t kAnonInodeFsMagic = 0x09041934;

// The kind is kept in the dentry, where others have their name.
size_t anon_inodefs_dname(const dentry& d, char* buffer, size_t size) {
    return scnprintf(buffer, size, "anon_inode:%s", d.d_iname);
}

constexpr dentry_operations kAnonDentry{.d_dname = anon_inodefs_dname};
constexpr super_operations kAnonSuper{};

Result<RefPtr<dentry>> anon_inodefs_mount(const file_system_type& type, const char*) {
    RefPtr<super_block> sb = TRY(make_ref<super_block>(type, kAnonSuper, kAnonInodeFsMagic));
    return d_make_root(TRY(new_inode(*sb, nullptr, 0600)));
}

constexpr file_system_type kAnonInodeFs{"anon_inodefs", anon_inodefs_mount};

// Never let go.
constinit vfsmount* anon_mnt = nullptr;

uint32_t access_of(uint32_t flags) {
    switch (flags & abi::kOAccMode) {
        case abi::kORdOnly:
            return file::kRead;
        case abi::kOWrOnly:
            return file::kWrite;
        default:
            return file::kRead | file::kWrite;
    }
}

}  // namespace

void anon_inodes_init() {
    Result<RefPtr<dentry>> root = anon_inodefs_mount(kAnonInodeFs, nullptr);
    if (!root.ok()) panic("VFS: out of memory for anonymous inodes");
    Result<RefPtr<vfsmount>> mount = make_ref<vfsmount>(root.release_value());
    if (!mount.ok()) panic("VFS: out of memory for anonymous inodes");
    anon_mnt = mount.release_value().leak();
}

Result<RefPtr<file>> anon_inode_getfile(const char* kind, const file_operations& ops, void* private_data,
                                        uint32_t flags) {
    RefPtr<dentry> name = TRY(d_make_root(anon_mnt->mnt_root->d_inode, &kAnonDentry));
    strlcpy(name->d_iname, kind, sizeof(name->d_iname));
    const uint32_t kept = flags & (abi::kOAccMode | abi::kONonBlock);
    RefPtr<file> f =
        TRY(alloc_file(path(RefPtr<vfsmount>(anon_mnt), std::move(name)), access_of(flags), kept, ops));
    f->private_data = private_data;
    f->f_mode |= file::kOpened;
    return f;
}

Result<long> anon_inode_getfd(const char* kind, const file_operations& ops, void* private_data,
                              uint32_t flags) {
    ReservedFd fd = TRY(reserve_fd(flags & abi::kOCloExec));
    return fd.install(TRY(anon_inode_getfile(kind, ops, private_data, flags)));
}

}  // namespace guest
