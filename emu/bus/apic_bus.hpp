// What passes between an I/O APIC and local APICs.
#pragma once

#include <cstdint>

namespace forkscope::bus {

// Intel SDM vol. 3, 11.6.1 "Interrupt Command Register"; other values are reserved.
enum class DeliveryMode : uint8_t {
    Fixed = 0,
    LowestPriority = 1,
    Smi = 2,
    Nmi = 4,
    Init = 5,
    StartUp = 6,
    ExtInt = 7
};
enum class TriggerMode : uint8_t { Edge = 0, Level = 1 };
enum class DestinationMode : uint8_t { Physical = 0, Logical = 1 };

struct ApicMessage {
    uint8_t destination = 0;
    DestinationMode destination_mode = DestinationMode::Physical;
    DeliveryMode delivery = DeliveryMode::Fixed;
    TriggerMode trigger = TriggerMode::Edge;
    uint8_t vector = 0;
};

// A local APIC's side: takes the message if it is for it.
class ApicReceiver {
public:
    virtual ~ApicReceiver() = default;
    virtual void receive(const ApicMessage& message) = 0;
};

// Hears of the end of level-triggered interrupts: an I/O APIC.
class EndOfInterruptListener {
public:
    virtual ~EndOfInterruptListener() = default;
    virtual void end_of_interrupt(uint8_t vector) = 0;
};

}  // namespace forkscope::bus
