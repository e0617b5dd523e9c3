// /proc/<pid>/mounts and mountinfo: what is mounted in a task's mount namespace, as far as its root reaches.
#include "guest/fs/dentry.hpp"
#include "guest/fs/fs_struct.hpp"
#include "guest/fs/mount.hpp"
#include "guest/fs/proc/pid_files.hpp"
#include "guest/lib/string.hpp"

namespace guest {

namespace {

constexpr char kEscaped[] = " \t\n\\";  // what would end a field

// Where mnt stands, seen from root; empty if it cannot be reached from there. The text is in buffer.
const char* mount_point(vfsmount& mnt, const path& root, KBuffer& buffer) {
    const path at(RefPtr<vfsmount>(&mnt), mnt.mnt_root);
    Result<char*> text = d_path(at, root, buffer.data(), buffer.size());
    return text.ok() && text.value()[0] == '/' ? text.value() : "";
}

void put_device(seq_file& m, const vfsmount& mnt) {
    m.escape(mnt.mnt_devname != nullptr ? mnt.mnt_devname : "none", kEscaped);
}

// The part of its file system that is mounted: not all of it, for a bind mount.
void put_root_in_fs(seq_file& m, const vfsmount& mnt) {
    auto* buffer = static_cast<char*>(kmalloc(abi::kPathMax));
    if (buffer == nullptr) return m.puts("/");
    Result<char*> text = dentry_path(*mnt.mnt_root, buffer, abi::kPathMax);
    m.escape(text.ok() ? text.value() : "/", kEscaped);
    kfree(buffer);
}

void put_flags(proc_text& m, const vfsmount& mnt) {
    m.puts((mnt.mnt_flags & MNT_READONLY) != 0 ? " ro" : " rw");
    if ((mnt.mnt_flags & MNT_NOSUID) != 0) m.puts(",nosuid");
    if ((mnt.mnt_flags & MNT_NODEV) != 0) m.puts(",nodev");
    if ((mnt.mnt_flags & MNT_NOEXEC) != 0) m.puts(",noexec");
    if ((mnt.mnt_flags & MNT_NOATIME) != 0) m.puts(",noatime");
    if ((mnt.mnt_flags & MNT_NODIRATIME) != 0) m.puts(",nodiratime");
    if ((mnt.mnt_flags & MNT_RELATIME) != 0) m.puts(",relatime");
}

void put_options(proc_text& m, const super_block& sb) {
    if (sb.s_op.show_options != nullptr) sb.s_op.show_options(sb, m);
}

// Calls put(mount, its place) for each.
template <typename Put>
Result<> for_each_mount(task_struct& task, Put&& put) {
    const RefPtr<nsproxy> ns = get_task_nsproxy(task);
    const auto fs = get_task_fs(task);
    if (!ns) return Errno::Inval;
    if (!fs) return Errno::NoEnt;
    const path root = get_fs_root(*fs);
    KBuffer buffer = TRY(KBuffer::allocate(abi::kPathMax));
    RefPtr<vfsmount> mnt = next_mnt(*ns->mnt_ns, nullptr);
    for (; mnt; mnt = next_mnt(*ns->mnt_ns, mnt.get())) {
        const char* place = mount_point(*mnt, root, buffer);
        if (place[0] != '\0') put(*mnt, place);
    }
    return {};
}

}  // namespace

// A task that has ended has no mounts any more.
Result<> mounts_open(task_struct& task) {
    if (!get_task_nsproxy(task)) return Errno::Inval;
    if (!get_task_fs(task)) return Errno::NoEnt;
    return {};
}

Result<> mounts_show(proc_text& m, task_struct& task) {
    return for_each_mount(task, [&m](const vfsmount& mnt, const char* place) {
        put_device(m, mnt);
        m.putc(' ');
        m.escape(place, kEscaped);
        m.printf(" %s", mnt.mnt_root->sb().s_type.name);
        put_flags(m, mnt);
        put_options(m, mnt.mnt_root->sb());
        m.puts(" 0 0\n");
    });
}

Result<> mountstats_show(proc_text& m, task_struct& task) {
    return for_each_mount(task, [&m](const vfsmount& mnt, const char* place) {
        m.puts(mnt.mnt_devname != nullptr ? "device " : "no device");
        if (mnt.mnt_devname != nullptr) m.escape(mnt.mnt_devname, kEscaped);
        m.puts(" mounted on ");
        m.escape(place, kEscaped);
        m.printf(" with fstype %s\n", mnt.mnt_root->sb().s_type.name);
    });
}

Result<> mountinfo_show(proc_text& m, task_struct& task) {
    return for_each_mount(task, [&m](const vfsmount& mnt, const char* place) {
        const super_block& sb = mnt.mnt_root->sb();
        m.printf("%d %d %u:%u ", mnt.mnt_id, parent_mnt_id(mnt), abi::dev_major(sb.s_dev),
                 abi::dev_minor(sb.s_dev));
        put_root_in_fs(m, mnt);
        m.putc(' ');
        m.escape(place, kEscaped);
        put_flags(m, mnt);
        m.printf(" - %s ", sb.s_type.name);
        put_device(m, mnt);
        m.puts(sb.s_readonly ? " ro" : " rw");
        put_options(m, sb);
        m.putc('\n');
    });
}

}  // namespace guest
