// SIGINT, SIGTERM, SIGHUP and SIGPIPE (nobody reads the output any more) end the machine in good order while
// one of these lives: the log is closed and the terminal is given back. A second one ends the program.
// SIGXFSZ is ignored: a file at its size limit is a write error, which is told as any other.
#pragma once

#include <csignal>

#include "emu/machine/machine.hpp"

namespace forkscope::cli {

class StopSignals {
public:
    // At most one at a time. A signal that the program was started to ignore stays ignored.
    explicit StopSignals(machine::Machine& machine);
    ~StopSignals();
    StopSignals(const StopSignals&) = delete;
    StopSignals& operator=(const StopSignals&) = delete;

private:
    static constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP, SIGPIPE};
    struct sigaction before_[4] = {};
    struct sigaction before_size_limit_ = {};
};

}  // namespace forkscope::cli
