// Who sits at a running machine: sees its screen, works its keyboard and its switches. A window, for one.
#pragma once

#include <chrono>

namespace forkscope::machine {

class Machine;
struct MachineExit;

// Called in the machine's thread, between two blocks of instructions.
class Attendant {
public:
    enum class Order : uint8_t { GoOn, End };

    virtual ~Attendant() = default;
    // Every two milliseconds of virtual time. The machine stands still until it returns. After End the run
    // ends in good order, with status 0.
    [[nodiscard]] virtual Order attend(Machine& machine) = 0;
    // The CPU is in HLT: comes back after so long, or sooner when attend() has something to do.
    virtual void wait(std::chrono::nanoseconds longest) = 0;
    virtual void ended(Machine& machine, const MachineExit& exit) = 0;
};

}  // namespace forkscope::machine
