// SIGINT, SIGTERM and SIGHUP end the machine in good order while one of these lives: the log is closed and
// the terminal is given back. A second one ends the program.
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
    static constexpr int kSignals[] = {SIGINT, SIGTERM, SIGHUP};
    struct sigaction before_[3] = {};
};

}  // namespace forkscope::cli
