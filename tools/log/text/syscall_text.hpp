// System calls as strace writes them.
#pragma once

#include <string>
#include <string_view>

#include "tools/log/analysis/syscall_book.hpp"

namespace forkscope::tools {

// "mmap(NULL, 4096, PROT_READ|PROT_WRITE, MAP_PRIVATE|MAP_ANONYMOUS, -1, 0)": by the signature of the call in
// guest/abi/syscalls.def. Memory that an argument points to is not in a log, so pointers are shown as they
// are.
[[nodiscard]] std::string call_text(const analysis::SystemCall& call);

// "0x7f1234000000", "3", "-1 ENOENT (No such file or directory)", "?" for one that
// does not return, or whose result is not seen because a signal handler runs first.
[[nodiscard]] std::string result_text(const analysis::SystemCall& call);

// One argument or result of a kind that syscalls.def names ("fd", "prot"), with what it must be for others.
[[nodiscard]] std::string value_text(std::string_view kind, uint64_t value);

}  // namespace forkscope::tools
