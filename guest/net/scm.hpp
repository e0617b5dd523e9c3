// What goes with a message beside its bytes: descriptors and credentials (man 7 unix, "Ancillary messages").
#pragma once

#include "guest/abi/socket.hpp"
#include "guest/fs/file.hpp"
#include "guest/kernel/cred.hpp"
#include "guest/kernel/pid.hpp"
#include "guest/lib/new.hpp"

namespace guest {

struct unix_creds {
    RefPtr<struct pid> pid;  // null: not told
    uint32_t uid = ~0U;
    uint32_t gid = ~0U;
    [[nodiscard]] bool operator==(const unix_creds& other) const {
        return pid == other.pid && uid == other.uid && gid == other.gid;
    }
    // As the running task's namespace sees it.
    [[nodiscard]] abi::Ucred to_user() const;
};
// The running process's. `effective`: as SO_PEERCRED tells; else the real ids, as messages do.
enum class CredIds { Real, Effective };
[[nodiscard]] unix_creds current_creds(CredIds ids);

// Open files that are sent.
struct scm_fp_list {
    KMEM_CACHED()
    scm_fp_list() = default;
    scm_fp_list(const scm_fp_list&) = delete;
    scm_fp_list& operator=(const scm_fp_list&) = delete;
    // Closes them.
    ~scm_fp_list();

    unsigned count = 0;
    RefPtr<user_struct> user;  // who sent them
    list_head deferred;        // while they wait to be closed
    file* fp[abi::kScmMaxFd];
};
// Closes files, but not from within the closing of another: a long chain of sockets that carry each other
// would need as much stack.
void scm_close(OwnPtr<scm_fp_list> files);

struct scm_cookie {
    unix_creds creds;
    OwnPtr<scm_fp_list> files;
};

// Reads the control messages at `control`, `bytes` long. Inval, BadF, Perm, Srch, NoBufs, TooManyRefs, Fault.
Result<> scm_send(UserPtr<void> control, size_t bytes, scm_cookie& scm);
// Room for control messages in the receiver's memory, and how it was used.
struct scm_room {
    UserPtr<void> at;
    uint64_t left = 0;   // bytes
    uint32_t flags = 0;  // kMsgCTrunc, and kMsgCmsgCloExec as the caller gave it
};
// Writes what came: credentials if wanted, and a new descriptor for each file. Fault is not told, as on
// Linux.
enum class WantCreds { No, Yes };
void scm_recv(scm_cookie& scm, scm_room& room, WantCreds creds);
// The same files once more, for MSG_PEEK. NoMem.
Result<OwnPtr<scm_fp_list>> scm_fp_dup(const scm_fp_list& files);

}  // namespace guest
