// What the guest asked for and nobody answered: ports, addresses and model-specific registers. Each is told
// where -d writes when it comes for the first time, and all of them in a few lines at the end.
#pragma once

#include <string>
#include <vector>

#include "emu/cli/trace_text.hpp"
#include "emu/machine/machine.hpp"

namespace forkscope::cli {

class Unanswered {
public:
    // Listens to the machine from now on. trace: may be null. This outlives the run.
    void listen(machine::Machine& machine, TraceText* trace);

    // One line for each kind that there is: "ports: 0x402 (read), 0x1ce (write)".
    [[nodiscard]] std::vector<std::string> summary() const;

private:
    struct Asked {
        uint64_t address;
        bus::Direction direction;
    };
    std::vector<Asked> ports_, pages_, msrs_;
};

}  // namespace forkscope::cli
