// What signals do by default (man 7 signal, "Standard signals").
#pragma once

#include "guest/abi/signal.hpp"

namespace guest {

inline constexpr abi::SigSet kUnblockable = abi::sig_bit(abi::kSigKill) | abi::sig_bit(abi::kSigStop);
inline constexpr abi::SigSet kStopSignals = abi::sig_bit(abi::kSigStop) | abi::sig_bit(abi::kSigTstp) |
                                            abi::sig_bit(abi::kSigTtin) | abi::sig_bit(abi::kSigTtou);
inline constexpr abi::SigSet kIgnoredSignals = abi::sig_bit(abi::kSigCont) | abi::sig_bit(abi::kSigChld) |
                                               abi::sig_bit(abi::kSigWinch) | abi::sig_bit(abi::kSigUrg);
inline constexpr abi::SigSet kCoreSignals = abi::sig_bit(abi::kSigQuit) | abi::sig_bit(abi::kSigIll) |
                                            abi::sig_bit(abi::kSigTrap) | abi::sig_bit(abi::kSigAbrt) |
                                            abi::sig_bit(abi::kSigFpe) | abi::sig_bit(abi::kSigSegv) |
                                            abi::sig_bit(abi::kSigBus) | abi::sig_bit(abi::kSigSys) |
                                            abi::sig_bit(abi::kSigXcpu) | abi::sig_bit(abi::kSigXfsz);
// Faults of the instruction itself come before whatever else is pending.
inline constexpr abi::SigSet kSynchronousSignals = abi::sig_bit(abi::kSigSegv) | abi::sig_bit(abi::kSigBus) |
                                                   abi::sig_bit(abi::kSigIll) | abi::sig_bit(abi::kSigTrap) |
                                                   abi::sig_bit(abi::kSigFpe) | abi::sig_bit(abi::kSigSys);

constexpr bool ignored_by_default(int sig) { return (abi::sig_bit(sig) & kIgnoredSignals) != 0; }
constexpr bool stops_by_default(int sig) { return (abi::sig_bit(sig) & kStopSignals) != 0; }
constexpr bool dumps_core(int sig) { return (abi::sig_bit(sig) & kCoreSignals) != 0; }
constexpr bool kills_by_default(int sig) { return !ignored_by_default(sig) && !stops_by_default(sig); }

}  // namespace guest
