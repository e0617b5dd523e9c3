// The file system that unnamed pipes live in: it has inodes, but no names.
#include "guest/fs/dentry.hpp"
#include "guest/fs/mount.hpp"
#include "guest/fs/pipe.hpp"
#include "guest/lib/format.hpp"

namespace guest {

namespace {

size_t pipefs_dname(const dentry& d, char* buffer, size_t size) {
    return scnprintf(buffer, size, "pipe:[%lu]", d.d_inode->i_ino);
}

constexpr dentry_operations kPipefsDentry{.d_dname = pipefs_dname};
constexpr super_operations kPipefsSuper{};

Result<RefPtr<dentry>> pipefs_mount(const file_system_type& type, const char*) {
    RefPtr<super_block> sb = TRY(make_ref<super_block>(type, kPipefsSuper, kPipefsMagic));
    return d_make_root(TRY(new_inode(*sb, nullptr, abi::kIfDir | 0555)));
}

constexpr file_system_type kPipefsType{"pipefs", pipefs_mount};

// Never let go.
constinit vfsmount* pipe_mnt = nullptr;

}  // namespace

Result<> pipefs_init() {
    RefPtr<dentry> root = TRY(pipefs_mount(kPipefsType, nullptr));
    pipe_mnt = TRY(make_ref<vfsmount>(std::move(root))).leak();
    return {};
}

Result<pipe_ends> create_pipe(uint32_t flags) {
    RefPtr<inode> node =
        TRY(new_inode(pipe_mnt->mnt_root->sb(), pipe_mnt->mnt_root->d_inode.get(), abi::kIfIfo | 0600));
    node->i_fop = &fifo_file_operations;  // for who opens it by /proc/<pid>/fd
    RefPtr<dentry> name = TRY(d_make_root(node, &kPipefsDentry));
    const path place(RefPtr<vfsmount>(pipe_mnt), std::move(name));
    pipe_ends ends;
    ends.read = TRY(alloc_file(place, file::kRead, abi::kORdOnly | flags, pipe_file_operations));
    TRY(pipe_open_end(*node, *ends.read));
    ends.write = TRY(alloc_file(place, file::kWrite, abi::kOWrOnly | flags, pipe_file_operations));
    TRY(pipe_open_end(*node, *ends.write));
    return ends;
}

}  // namespace guest
