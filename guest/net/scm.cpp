// Control messages: parsed when they are sent, written when they are received.
#include "guest/net/scm.hpp"

#include "guest/fs/fdtable.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/string.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

DEFINE_KMEM_CACHE(scm_fp_list)

namespace {

// Bytes of control messages that one call may send (Linux: net.core.optmem_max).
constexpr size_t kOptmemMax = 20480;

constinit spinlock_t deferred_lock;
constinit IntrusiveList<scm_fp_list, &scm_fp_list::deferred> deferred_files;
constinit bool closing = false;

Result<> add_files(scm_cookie& scm, const char* data, size_t bytes) {
    const size_t count = bytes / sizeof(int32_t);
    if (count == 0) return {};
    if (count > abi::kScmMaxFd) return Errno::Inval;
    if (!scm.files) {
        // Files in flight are in nobody's table: they count against the sender all the same.
        const auto inflight = static_cast<uint64_t>(current()->cred->user->unix_inflight.load());
        if (inflight > rlimit(abi::Rlimit::NoFile) && !capable(kCapSysResource) && !capable(kCapSysAdmin))
            return Errno::TooManyRefs;
        scm.files = TRY(make_owned<scm_fp_list>());
        scm.files->user = current()->cred->user;
    }
    if (scm.files->count + count > abi::kScmMaxFd) return Errno::Inval;
    for (size_t i = 0; i < count; ++i) {
        int32_t fd;
        memcpy(&fd, data + i * sizeof(fd), sizeof(fd));
        // As fget_raw does in Linux: also what O_PATH opened.
        RefPtr<file> f = TRY(current_file_raw(fd));
        scm.files->fp[scm.files->count++] = f.leak();
    }
    return {};
}

bool is_mine(uint32_t id, uint32_t real, uint32_t effective, uint32_t saved) {
    return id == real || id == effective || id == saved;
}

// Credentials may be claimed if they are the sender's, or by the privileged.
Result<> set_creds(scm_cookie& scm, const abi::Ucred& claimed) {
    const cred& mine = current_cred();
    if (claimed.pid != task_tgid_vnr(current()) && !capable(kCapSysAdmin)) return Errno::Perm;
    if (!is_mine(claimed.uid, mine.uid, mine.euid, mine.suid) && !capable(kCapSetuid)) return Errno::Perm;
    if (!is_mine(claimed.gid, mine.gid, mine.egid, mine.sgid) && !capable(kCapSetgid)) return Errno::Perm;
    const spinlock_guard guard(tasklist_lock);
    pid* of = find_vpid(claimed.pid);
    if (of == nullptr) return Errno::Srch;
    scm.creds.pid = RefPtr<pid>(of);
    scm.creds.uid = claimed.uid;
    scm.creds.gid = claimed.gid;
    return {};
}

Result<> take_message(scm_cookie& scm, const abi::Cmsghdr& header, const char* data) {
    if (header.level != abi::kSolSocket) return {};
    const size_t bytes = header.len - sizeof(header);
    if (header.type == abi::kScmRights) return add_files(scm, data, bytes);
    if (header.type != abi::kScmCredentials) return Errno::Inval;
    abi::Ucred claimed;
    if (bytes != sizeof(claimed)) return Errno::Inval;
    memcpy(&claimed, data, sizeof(claimed));
    return set_creds(scm, claimed);
}

// One control message, cut to what there is room for.
void put_cmsg(scm_room& room, int32_t type, const void* data, size_t bytes) {
    abi::Cmsghdr header{sizeof(header) + bytes, abi::kSolSocket, type};
    if (!room.at || room.left < sizeof(header)) {
        room.flags |= abi::kMsgCTrunc;
        return;
    }
    if (room.left < header.len) {
        room.flags |= abi::kMsgCTrunc;
        header.len = room.left;
    }
    if (!put_user(room.at.cast<abi::Cmsghdr>(), header).ok()) return;
    if (!copy_to_user(room.at.address() + sizeof(header), data, header.len - sizeof(header)).ok()) return;
    const size_t space = abi::cmsg_align(sizeof(header) + bytes);
    const size_t used = space < room.left ? space : room.left;
    room.at = UserPtr<void>(room.at.address() + used);
    room.left -= used;
}

// The next file becomes a descriptor whose number is at `where`. MFile, Fault.
Result<> install_file(file* f, VirtAddr where, uint32_t flags) {
    ReservedFd fd = TRY(reserve_fd(flags));
    TRY(put_user(UserPtr<int32_t>(where), static_cast<int32_t>(fd.number())));
    fd.install(RefPtr<file>(f));
    return {};
}

void put_files(const scm_fp_list& files, scm_room& room) {
    const VirtAddr data = room.at.address() + sizeof(abi::Cmsghdr);
    size_t fit = 0;
    if (room.at && room.left > sizeof(abi::Cmsghdr))
        fit = (room.left - sizeof(abi::Cmsghdr)) / sizeof(int32_t);
    if (fit > files.count) fit = files.count;
    const uint32_t flags = (room.flags & abi::kMsgCmsgCloExec) != 0 ? abi::kOCloExec : 0;
    size_t done = 0;
    while (done < fit && install_file(files.fp[done], data + done * sizeof(int32_t), flags).ok()) ++done;
    if (done < files.count) room.flags |= abi::kMsgCTrunc;
    if (done == 0) return;
    const abi::Cmsghdr header{sizeof(header) + done * sizeof(int32_t), abi::kSolSocket, abi::kScmRights};
    if (!put_user(room.at.cast<abi::Cmsghdr>(), header).ok()) return;
    const size_t space = abi::cmsg_align(header.len);
    const size_t used = space < room.left ? space : room.left;
    room.at = UserPtr<void>(room.at.address() + used);
    room.left -= used;
}

}  // namespace

abi::Ucred unix_creds::to_user() const {
    const bool told = uid != ~0U;
    return {pid ? pid_vnr(pid.get()) : 0, told ? uid : abi::kOverflowId, told ? gid : abi::kOverflowId};
}

unix_creds current_creds(CredIds ids) {
    const cred& mine = current_cred();
    unix_creds out;
    out.pid = RefPtr<pid>(current()->group_leader->thread_pid.get());
    out.uid = ids == CredIds::Real ? mine.uid : mine.euid;
    out.gid = ids == CredIds::Real ? mine.gid : mine.egid;
    return out;
}

scm_fp_list::~scm_fp_list() {
    for (unsigned i = 0; i < count; ++i) put_file(fp[i]);
}

void scm_close(OwnPtr<scm_fp_list> files) {
    if (!files) return;
    {
        const spinlock_guard guard(deferred_lock);
        deferred_files.push_back(*files.leak());
        if (closing) return;
        closing = true;
    }
    for (;;) {
        OwnPtr<scm_fp_list> next;
        {
            const spinlock_guard guard(deferred_lock);
            next = OwnPtr<scm_fp_list>(deferred_files.pop_front());
            if (!next) closing = false;
        }
        if (!next) return;
    }
}

Result<> scm_send(UserPtr<void> control, size_t bytes, scm_cookie& scm) {
    if (bytes == 0) return {};
    if (bytes > kOptmemMax) return Errno::NoBufs;
    KBuffer memory = TRY(KBuffer::allocate(bytes));
    TRY(copy_from_user(memory.data(), control, bytes));
    for (size_t at = 0; at + sizeof(abi::Cmsghdr) <= bytes;) {
        abi::Cmsghdr header;
        memcpy(&header, memory.data() + at, sizeof(header));
        if (header.len < sizeof(header) || header.len > bytes - at) return Errno::Inval;
        TRY(take_message(scm, header, memory.data() + at + sizeof(header)));
        at += abi::cmsg_align(header.len);
    }
    return {};
}

void scm_recv(scm_cookie& scm, scm_room& room, WantCreds creds) {
    if (creds == WantCreds::Yes) {
        const abi::Ucred told = scm.creds.to_user();
        put_cmsg(room, abi::kScmCredentials, &told, sizeof(told));
    }
    if (scm.files) put_files(*scm.files, room);
}

Result<OwnPtr<scm_fp_list>> scm_fp_dup(const scm_fp_list& files) {
    OwnPtr<scm_fp_list> copy = TRY(make_owned<scm_fp_list>());
    copy->user = files.user;
    for (unsigned i = 0; i < files.count; ++i) copy->fp[i] = get_file(files.fp[i]);
    copy->count = files.count;
    return copy;
}

}  // namespace guest
