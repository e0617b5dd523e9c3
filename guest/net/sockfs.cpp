// Sockets as files, and the file system that they live in: it has inodes, but no names.
#include "guest/abi/termios.hpp"
#include "guest/fs/dentry.hpp"
#include "guest/fs/inode.hpp"
#include "guest/fs/mount.hpp"
#include "guest/fs/special.hpp"
#include "guest/lib/format.hpp"
#include "guest/mm/uaccess.hpp"
#include "guest/net/af_unix.hpp"

namespace guest {

namespace {

constexpr uint64_t kSockfsMagic = 0x534f434b;

size_t sockfs_dname(const dentry& d, char* buffer, size_t size) {
    return scnprintf(buffer, size, "socket:[%lu]", d.d_inode->i_ino);
}

constexpr dentry_operations kSockfsDentry{.d_dname = sockfs_dname};
constexpr super_operations kSockfsSuper{};

Result<RefPtr<dentry>> sockfs_mount(const file_system_type& type, const char*) {
    RefPtr<super_block> sb = TRY(make_ref<super_block>(type, kSockfsSuper, kSockfsMagic));
    return d_make_root(TRY(new_inode(*sb, nullptr, abi::kIfDir | 0555)));
}

constexpr file_system_type kSockfsType{"sockfs", sockfs_mount};

// Never let go.
constinit vfsmount* sock_mnt = nullptr;

Result<size_t> sock_read(file& f, iov_iter& to, abi::loff_t&) {
    if (to.count() == 0) return size_t{0};
    unix_message message;
    return unix_recvmsg(f, to, message, 0);
}

Result<size_t> sock_write(file& f, iov_iter& from, abi::loff_t&) {
    unix_message message;
    return unix_sendmsg(f, from, message, 0);
}

void sock_release(inode&, file& f) {
    auto sock = RefPtr<unix_sock>::adopt(static_cast<unix_sock*>(f.private_data));
    unix_release(*sock);
}

constexpr file_operations kSocketOperations{
    .read = sock_read, .write = sock_write, .poll = unix_poll, .ioctl = sock_ioctl, .release = sock_release};

// Bytes that a read would get: of a stream all, else of the first message. Inval.
Result<size_t> bytes_waiting(unix_sock& sock) {
    const spinlock_guard guard(unix_lock);
    if (sock.state == SockState::Listen) return Errno::Inval;
    size_t bytes = 0;
    for (const unix_skb& skb : sock.receive_queue) {
        bytes += skb.left();
        if (sock.type == abi::kSockDgram) break;
    }
    return bytes;
}

}  // namespace

Result<int64_t> sock_ioctl(file& f, uint32_t request, uint64_t argument) {
    unix_sock& sock = *TRY(sock_of(f));
    size_t number;
    if (request == abi::kFioNRead) {
        number = TRY(bytes_waiting(sock));
    } else if (request == abi::kTiocOutQ) {
        number = sock.wmem;
    } else {
        return Errno::NoTty;
    }
    TRY(put_user(UserPtr<int32_t>(argument), static_cast<int32_t>(number)));
    return int64_t{0};
}

Result<RefPtr<file>> sock_alloc_file(RefPtr<unix_sock> sock, uint32_t flags) {
    RefPtr<inode> node =
        TRY(new_inode(sock_mnt->mnt_root->sb(), sock_mnt->mnt_root->d_inode.get(), abi::kIfSock | 0777));
    node->i_fop = &no_open_file_operations;
    RefPtr<dentry> name = TRY(d_make_root(std::move(node), &kSockfsDentry));
    path place(RefPtr<vfsmount>(sock_mnt), std::move(name));
    const uint32_t kept = abi::kORdWr | (flags & abi::kONonBlock);
    RefPtr<file> f = TRY(alloc_file(std::move(place), file::kRead | file::kWrite, kept, kSocketOperations));
    sock->owner = f.get();
    f->private_data = sock.leak();
    f->f_mode |= file::kOpened;
    return f;
}

Result<unix_sock*> sock_of(const file& f) {
    if (f.f_op != &kSocketOperations) return Errno::NotSock;
    return static_cast<unix_sock*>(f.private_data);
}

void sock_init() {
    Result<RefPtr<dentry>> root = sockfs_mount(kSockfsType, nullptr);
    if (!root.ok()) panic("VFS: out of memory for sockets");
    Result<RefPtr<vfsmount>> mount = make_ref<vfsmount>(root.release_value());
    if (!mount.ok()) panic("VFS: out of memory for sockets");
    sock_mnt = mount.release_value().leak();
}

}  // namespace guest
