// What the socket calls have in common: the socket behind a descriptor, and names in the caller's memory.
#pragma once

#include "guest/lib/address.hpp"
#include "guest/net/af_unix.hpp"

namespace guest {

struct socket_ref {
    RefPtr<file> f;
    unix_sock* sock;  // kept alive by f
};
// BadF, NotSock.
Result<socket_ref> socket_from(int fd);

// Into out.name and out.namelen. Inval, Fault.
Result<> copy_name_from_user(UserPtr<void> from, int len, unix_message& out);
// Cut to the *len bytes that there is room for; *len becomes what it has. Inval, Fault.
Result<> copy_name_to_user(UserPtr<void> to, UserPtr<int32_t> len, const unix_message& name);

}  // namespace guest
