// Telling the host what the kernel does.
#include "guest/arch/event_port.hpp"

#include "guest/arch/io.hpp"
#include "guest/arch/irqflags.hpp"

namespace guest {

constinit bool event_port_listens = false;

namespace {
constinit bool silent = false;
}  // namespace

void event_port_stay_silent() { silent = true; }

void event_port_init() {
    event_port_listens = !silent && inl(abi::kEventSignaturePort) == abi::kEventSignature;
}

void announce_words(abi::Announcement what, uint64_t w0, uint64_t w1, uint64_t w2, uint64_t w3) {
    const uint64_t words[abi::kEventWords] = {w0, w1, w2, w3};
    // Words that are not written read as 0: leave the zeros at the end out.
    uint64_t count = abi::kEventWords;
    while (count > 0 && words[count - 1] == 0) --count;
    const void* source = words;
    uint64_t halves = 2 * count;
    const IrqGuard guard;
    asm volatile("rep outsl" : "+S"(source), "+c"(halves) : "d"(abi::kEventDataPort) : "memory");
    outw(abi::kEventCommandPort, static_cast<uint16_t>(what));
}

}  // namespace guest
