// Words for numbers.
#include "tools/log/text/decode.hpp"

#include <fmt/format.h>

#include <array>
#include <cstring>
#include <iterator>
#include <string_view>
#include <utility>

#include "emu/log/event_names.hpp"
#include "guest/abi/clone.hpp"

namespace forkscope::tools {

namespace {

struct NamedFlag {
    uint64_t bit;
    const char* name;
};
constexpr std::array<NamedFlag, 24> kCloneFlags = {{{abi::kCloneVm, "CLONE_VM"},
                                                    {abi::kCloneFs, "CLONE_FS"},
                                                    {abi::kCloneFiles, "CLONE_FILES"},
                                                    {abi::kCloneSighand, "CLONE_SIGHAND"},
                                                    {abi::kClonePidfd, "CLONE_PIDFD"},
                                                    {abi::kClonePtrace, "CLONE_PTRACE"},
                                                    {abi::kCloneVfork, "CLONE_VFORK"},
                                                    {abi::kCloneParent, "CLONE_PARENT"},
                                                    {abi::kCloneThread, "CLONE_THREAD"},
                                                    {abi::kCloneNewNs, "CLONE_NEWNS"},
                                                    {abi::kCloneSysvSem, "CLONE_SYSVSEM"},
                                                    {abi::kCloneSetTls, "CLONE_SETTLS"},
                                                    {abi::kCloneParentSetTid, "CLONE_PARENT_SETTID"},
                                                    {abi::kCloneChildClearTid, "CLONE_CHILD_CLEARTID"},
                                                    {abi::kCloneDetached, "CLONE_DETACHED"},
                                                    {abi::kCloneUntraced, "CLONE_UNTRACED"},
                                                    {abi::kCloneChildSetTid, "CLONE_CHILD_SETTID"},
                                                    {abi::kCloneStopped, "CLONE_STOPPED"},
                                                    {abi::kCloneNewUts, "CLONE_NEWUTS"},
                                                    {abi::kCloneNewIpc, "CLONE_NEWIPC"},
                                                    {abi::kCloneNewUser, "CLONE_NEWUSER"},
                                                    {abi::kCloneNewPid, "CLONE_NEWPID"},
                                                    {abi::kCloneNewNet, "CLONE_NEWNET"},
                                                    {abi::kCloneIo, "CLONE_IO"}}};

constexpr std::array<const char*, 32> kSignals = {
    nullptr,     "SIGHUP",  "SIGINT",    "SIGQUIT", "SIGILL",   "SIGTRAP", "SIGABRT", "SIGBUS",
    "SIGFPE",    "SIGKILL", "SIGUSR1",   "SIGSEGV", "SIGUSR2",  "SIGPIPE", "SIGALRM", "SIGTERM",
    "SIGSTKFLT", "SIGCHLD", "SIGCONT",   "SIGSTOP", "SIGTSTP",  "SIGTTIN", "SIGTTOU", "SIGURG",
    "SIGXCPU",   "SIGXFSZ", "SIGVTALRM", "SIGPROF", "SIGWINCH", "SIGIO",   "SIGPWR",  "SIGSYS"};

struct Syscall {
    uint64_t number;
    const char* name;
};
#define SYSCALL(number, name, signature) {number, #name},
#define MISSING_SYSCALL SYSCALL
constexpr Syscall kSyscalls[] = {
#include "guest/abi/syscalls.def"
};
#undef SYSCALL

constexpr std::array<const char*, 32> kExceptions = {
    "#DE", "#DB", "NMI", "#BP", "#OF",   "#BR", "#UD", "#NM", "#DF", nullptr, "#TS",
    "#NP", "#SS", "#GP", "#PF", nullptr, "#MF", "#AC", "#MC", "#XM", "#VE",   "#CP"};

constexpr std::array<const char*, 16> kAnnouncements = {
    "none",       "task-create", "task-name", "task-switch", "task-exec",   "task-exit",
    "task-reap",  "fork-begin",  "fork-end",  "cow-break",   "frame-alloc", "frame-free",
    "frame-refs", "mm-destroy",  "power-off", "marker"};

// The name at `number`, or the number after a word.
template <size_t N>
[[nodiscard]] std::string named(const std::array<const char*, N>& names, uint64_t number,
                                std::string_view word) {
    if (number < N && names[number] != nullptr) return names[number];
    return fmt::format("{} {}", word, number);
}

}  // namespace

std::string clone_flags_text(uint64_t flags) {
    std::string text;
    const auto add = [&text](std::string_view word) {
        if (!text.empty()) text += '|';
        text += word;
    };
    uint64_t rest = flags & ~abi::kCSignal;
    for (const NamedFlag& flag : kCloneFlags) {
        if ((rest & flag.bit) == 0) continue;
        rest &= ~flag.bit;
        add(flag.name);
    }
    if (rest != 0) add(fmt::format("{:#x}", rest));
    if ((flags & abi::kCSignal) != 0) add(signal_text(flags & abi::kCSignal));
    return text.empty() ? "0" : text;
}

std::string signal_text(uint64_t signal) { return named(kSignals, signal, "signal"); }

std::string wait_status_text(uint32_t status) {
    const uint32_t signal = status & 0x7f;
    if (signal == 0) return fmt::format("exit {}", (status >> 8) & 0xff);
    return fmt::format("killed by {}{}", signal_text(signal), (status & 0x80) != 0 ? ", core dumped" : "");
}

std::string errno_text(int64_t error) {
    // What the kernel keeps to itself: the call was interrupted by a signal, and is made again.
    constexpr int64_t kRestart[] = {-512, -513, -514, -516};
    constexpr const char* kRestartNames[] = {"ERESTARTSYS", "ERESTARTNOINTR", "ERESTARTNOHAND",
                                             "ERESTART_RESTARTBLOCK"};
    for (size_t i = 0; i < std::size(kRestart); ++i) {
        if (error == kRestart[i]) return kRestartNames[i];
    }
    const char* name = error < 0 && error > -4096 ? strerrorname_np(static_cast<int>(-error)) : nullptr;
    return name != nullptr ? name : fmt::format("error {}", error);
}

std::string syscall_name(uint64_t number) {
    for (const Syscall& call : kSyscalls)
        if (call.number == number) return call.name;
    return fmt::format("syscall_{}", number);
}

std::string vector_text(uint16_t vector) {
    if (vector < kExceptions.size() && kExceptions[vector] != nullptr) return kExceptions[vector];
    return fmt::format("{:#x}", vector);
}

std::string flush_text(uint16_t kind) {
    if (kind == 0 || kind >= log::kFlushNames.size()) return fmt::format("flush {}", kind);
    return std::string(log::kFlushNames[kind]);
}

std::string announcement_name(uint16_t code) { return named(kAnnouncements, code, "announcement"); }

std::string cause_text(log::Cause cause) {
    const auto number = static_cast<size_t>(cause);
    if (number >= log::kCauseNames.size()) return fmt::format("cause {}", number);
    return cause == log::Cause::None ? "" : std::string(log::kCauseNames[number]);
}

std::string delivery_text(uint16_t delivery) {
    static constexpr std::array<const char*, 4> kNames = {nullptr, "delivered", "became a double fault",
                                                          "became a triple fault"};
    return named(kNames, delivery, "delivery");
}

std::string root_death_text(uint16_t death) {
    static constexpr std::array<const char*, 6> kNames = {
        nullptr,   "emptied",           "written misaligned", "written with an implausible entry",
        "cleared", "announced as freed"};
    return named(kNames, death, "death");
}

std::string stop_text(uint16_t stop) {
    static constexpr std::array<const char*, 7> kNames = {
        nullptr, "power off",     "exit by the guest",   "triple fault",
        "reset", "limit reached", "stopped from outside"};
    return named(kNames, stop, "stop");
}

std::string finding_text(uint16_t finding) {
    static constexpr std::array<const char*, log::kFindingCount> kNames = {
        nullptr,
        "stale TLB entry for user space",
        "stale TLB entry for kernel space",
        "redundant flush",
        "private frame writable while two spaces map it",
        "frame freed while mapped",
        "page table in a frame announced as something else",
        "dirty bit lost",
        "wrong reference count"};
    return named(kNames, finding, "finding");
}

std::string access_text(uint8_t flags) {
    std::string text;
    const auto add = [&](uint8_t bit, std::string_view word) {
        if ((flags & bit) == 0) return;
        if (!text.empty()) text += ' ';
        text += word;
    };
    add(log::kAccessRead, "read");
    add(log::kAccessWrite, "write");
    add(log::kAccessFetch, "fetch");
    return text.empty() ? "?" : text;
}

}  // namespace forkscope::tools
