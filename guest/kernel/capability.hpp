// How capability sets change (man 7 capabilities): with the user ids, at execve, and by request.
#pragma once

#include "guest/abi/prctl.hpp"
#include "guest/kernel/cred.hpp"
#include "guest/lib/result.hpp"

namespace guest {

struct linux_binprm;

// cred::securebits; the bit above each locks it.
inline constexpr uint32_t kSecureNoRoot = 1, kSecureNoSetuidFixup = 4, kSecureKeepCaps = 16,
                          kSecureNoCapAmbientRaise = 64, kSecureAllBits = 0x55,
                          kSecureAllLocks = kSecureAllBits << 1;

// After a change of real, effective or saved user id: "Effect of user ID changes on capabilities".
void cap_emulate_setxuid(cred& changed, const cred& old);
// After a change of the file system's user id: the capabilities about files come and go with root's.
void cap_fix_setfsuid(cred& changed, const cred& old);

// Checks what capset(2) asks for against current's sets, and puts it into changed. Perm.
Result<> cap_capset(cred& changed, uint64_t effective, uint64_t permitted, uint64_t inheritable);

// The options of prctl(2) that are about capabilities. Inval, Perm, NoMem.
Result<long> cap_prctl(abi::Prctl option, uint64_t arg2, uint64_t arg3, uint64_t arg4, uint64_t arg5);

// Who the program in bprm will act as, by its file's set-id bits and "Transformation of capabilities during
// execve()": fills bprm.cred. NoMem.
Result<> bprm_creds_from_file(linux_binprm& bprm);
// Past the point of no return: current becomes that.
void install_exec_creds(linux_binprm& bprm);

}  // namespace guest
