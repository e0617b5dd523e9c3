#include "emu/cli/stop_signals.hpp"

#include <iterator>

namespace forkscope::cli {

namespace {

machine::Machine* running = nullptr;

void handle(int signal) { running->interrupt(signal); }

}  // namespace

StopSignals::StopSignals(machine::Machine& machine) {
    static_assert(std::size(kSignals) == std::extent_v<decltype(before_)>);
    running = &machine;
    struct sigaction action = {};
    action.sa_handler = handle;
    action.sa_flags = static_cast<int>(SA_RESETHAND);
    for (size_t i = 0; i < std::size(kSignals); ++i) {
        sigaction(kSignals[i], nullptr, &before_[i]);
        if (before_[i].sa_handler != SIG_IGN) sigaction(kSignals[i], &action, nullptr);
    }
    struct sigaction ignore = {};
    ignore.sa_handler = SIG_IGN;
    sigaction(SIGXFSZ, &ignore, &before_size_limit_);
}

StopSignals::~StopSignals() {
    for (size_t i = 0; i < std::size(kSignals); ++i) sigaction(kSignals[i], &before_[i], nullptr);
    sigaction(SIGXFSZ, &before_size_limit_, nullptr);
    running = nullptr;
}

}  // namespace forkscope::cli
