// Types on the PS/2 keyboard whenever the guest waits for input.
#pragma once

#include <functional>
#include <vector>

#include "devices/i8042.hpp"
#include "emu/bus/clock.hpp"
#include "emu/machine/key_text.hpp"

namespace forkscope::machine {

// A guest waits for input when it has been idle for some time (a second before the first key and after Enter,
// less between keys), or has asked the keyboard controller or the BIOS again and again without an answer. By
// virtual time alone, so runs repeat.
class Typist {
public:
    // What the guest has done so far.
    struct Signs {
        std::function<VirtualNs()> halted;     // virtual time in HLT
        std::function<uint64_t()> bios_calls;  // calls of the BIOS's keyboard service
    };
    // All references outlive this.
    Typist(bus::TimerQueue& timers, devices::I8042& keyboard, std::vector<KeyStroke> strokes, Signs signs);

    [[nodiscard]] bool done() const { return next_ == strokes_.size(); }

private:
    void tick(VirtualNs now);
    [[nodiscard]] bool guest_waits();

    devices::I8042& keyboard_;
    std::vector<KeyStroke> strokes_;
    Signs signs_;
    bus::Timer timer_;
    size_t next_ = 0;
    VirtualNs halted_before_ = 0;
    uint64_t polls_before_ = 0;
    VirtualNs waited_ = 0;       // how long the guest has waited by now
    VirtualNs patience_;         // how long it must, before the next key
    VirtualNs quiet_until_ = 0;  // a wait that the text asks for
};

}  // namespace forkscope::machine
