// What signals do by default (man 7 signal, "Standard signals").
#pragma once

#include "guest/abi/signal.hpp"

namespace guest {

inline constexpr abi::SigSet kUnblockable = abi::sigmask(abi::kSigKill) | abi::sigmask(abi::kSigStop);
inline constexpr abi::SigSet kStopSignals = abi::sigmask(abi::kSigStop) | abi::sigmask(abi::kSigTstp) |
                                            abi::sigmask(abi::kSigTtin) | abi::sigmask(abi::kSigTtou);
inline constexpr abi::SigSet kIgnoredSignals = abi::sigmask(abi::kSigCont) | abi::sigmask(abi::kSigChld) |
                                               abi::sigmask(abi::kSigWinch) | abi::sigmask(abi::kSigUrg);
inline constexpr abi::SigSet kCoreSignals = abi::sigmask(abi::kSigQuit) | abi::sigmask(abi::kSigIll) |
                                            abi::sigmask(abi::kSigTrap) | abi::sigmask(abi::kSigAbrt) |
                                            abi::sigmask(abi::kSigFpe) | abi::sigmask(abi::kSigSegv) |
                                            abi::sigmask(abi::kSigBus) | abi::sigmask(abi::kSigSys) |
                                            abi::sigmask(abi::kSigXcpu) | abi::sigmask(abi::kSigXfsz);
// Faults of the instruction itself come before whatever else is pending.
inline constexpr abi::SigSet kSynchronousSignals = abi::sigmask(abi::kSigSegv) | abi::sigmask(abi::kSigBus) |
                                                   abi::sigmask(abi::kSigIll) | abi::sigmask(abi::kSigTrap) |
                                                   abi::sigmask(abi::kSigFpe) | abi::sigmask(abi::kSigSys);

constexpr bool ignored_by_default(int sig) { return (abi::sigmask(sig) & kIgnoredSignals) != 0; }
constexpr bool stops_by_default(int sig) { return (abi::sigmask(sig) & kStopSignals) != 0; }
constexpr bool dumps_core(int sig) { return (abi::sigmask(sig) & kCoreSignals) != 0; }
constexpr bool kills_by_default(int sig) { return !ignored_by_default(sig) && !stops_by_default(sig); }

}  // namespace guest
