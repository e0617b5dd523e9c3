// Numbers of the log in words: flags, wait statuses, system calls, vectors.
#pragma once

#include <cstdint>
#include <string>

#include "emu/log/event.hpp"
#include "guest/abi/event_port.hpp"

namespace forkscope::tools {

// "SIGCHLD", "CLONE_VM|CLONE_VFORK|SIGCHLD", with what has no name in hexadecimal.
[[nodiscard]] std::string clone_flags_text(uint64_t flags);

// "exit 3", "killed by SIGSEGV", from the status that wait4 shows.
[[nodiscard]] std::string wait_status_text(uint32_t status);

[[nodiscard]] std::string signal_text(uint64_t signal);   // "SIGCHLD"
[[nodiscard]] std::string errno_text(int64_t error);      // of a negative result: "ENOMEM"
[[nodiscard]] std::string syscall_name(uint64_t number);  // "fork"
[[nodiscard]] std::string vector_text(uint16_t vector);   // "#GP", "0x20"
[[nodiscard]] std::string flush_text(uint16_t kind);      // "INVLPG"
[[nodiscard]] std::string announcement_name(uint16_t code);
[[nodiscard]] std::string cause_text(log::Cause cause);
[[nodiscard]] std::string delivery_text(uint16_t delivery);
[[nodiscard]] std::string root_death_text(uint16_t death);
[[nodiscard]] std::string stop_text(uint16_t stop);
[[nodiscard]] std::string finding_text(uint16_t finding);
[[nodiscard]] std::string access_text(uint8_t flags);  // "read", "write fetch"

}  // namespace forkscope::tools
