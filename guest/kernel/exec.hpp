// execve: one program takes the place of another.
#pragma once

#include <stdint.h>

#include "guest/arch/ptrace.hpp"
#include "guest/lib/handle.hpp"
#include "guest/lib/new.hpp"
#include "guest/lib/refcount.hpp"
#include "guest/lib/result.hpp"
#include "guest/mm/mm_types.hpp"

namespace guest {

struct cred;
struct file;

inline constexpr size_t kBinprmBufSize = 256;
inline constexpr unsigned kMaxInterpreters = 5;
inline constexpr uint64_t kMaxArgStrlen = 32 * kPageSize;  // one argument, with its terminator

// Strings of an argument vector, in user memory or in the kernel's (for init).
struct ArgVector {
    UserPtr<const UserPtr<const char>> user;
    const char* const* kernel = nullptr;
};

// What is known of the new program before the old one is gone.
struct linux_binprm {
    char buf[kBinprmBufSize] = {};  // the first bytes of the file
    RefPtr<file> program;
    Handle<mm_struct, mmput> mm;  // the new address space: so far a stack with the strings
    vm_area_struct* stack = nullptr;
    VirtAddr p;        // the lowest used byte of the stack
    VirtAddr exec;     // where the path stands on it
    VirtAddr arg_end;  // above the argument strings
    int argc = 0;
    int envc = 0;
    const char* filename = nullptr;  // as the caller named it
    bool executable_stack = false;
    RefPtr<struct cred> cred;          // who the new program acts as
    bool path_inaccessible = false;    // filename leads by a descriptor that execve closes
    bool secureexec = false;           // it has rights that its caller has not (AT_SECURE)
    bool enforce_nondump = false;      // its file may be run, but not read
    char interp[kBinprmBufSize] = {};  // the script's interpreter, once there is one
    uint64_t last_pushed = 0;          // bytes of the string at p: argv[0], once all are there
};

// Both return only on failure before the old program is gone. On success the registers that the current
// system call returns to are the new program's.
Result<> do_execve(const char* filename, const ArgVector& argv, const ArgVector& envp);

// The same for a path that begins at dirfd; flags of kAtEmptyPath and kAtSymlinkNoFollow.
Result<> do_execveat(int dirfd, const char* path, uint32_t flags, const ArgVector& argv,
                     const ArgVector& envp);

// Loaders: NoExec if the file is of another kind. Past the point of no return (flush_old_exec) an error
// kills.
Result<> load_elf_binary(linux_binprm& bprm, pt_regs& regs);

// Pushes a string and its terminator on the new stack. TooBig.
Result<> push_string(linux_binprm& bprm, const char* text);
// The new address space becomes current's, all other threads are gone, handlers and close-on-exec files too.
Result<> flush_old_exec(linux_binprm& bprm);

}  // namespace guest
