#include "devices/event_port.hpp"

#include <utility>

namespace forkscope::devices {

namespace {

constexpr uint16_t kData = 0;
constexpr uint16_t kCommand = abi::kEventCommandPort - abi::kEventDataPort;
constexpr uint16_t kSignature = abi::kEventSignaturePort - abi::kEventDataPort;

bool is_register(const bus::PortAccess& access, uint16_t offset, bus::Width width) {
    return access.offset == offset && access.width == width;
}

}  // namespace

uint32_t EventPort::read(const bus::PortAccess& access) {
    if (is_register(access, kSignature, bus::Width::Dword)) return abi::kEventSignature;
    ++misfits_;
    return 0xffffffff;
}

void EventPort::write(const bus::PortAccess& access, uint32_t value) {
    Gathered& gathered = regs_.cpus[access.cpu];
    if (is_register(access, kData, bus::Width::Dword)) {
        if (gathered.halves == 2 * abi::kEventWords) return;
        gathered.words[gathered.halves / 2] |= uint64_t{value} << (32 * (gathered.halves % 2));
        ++gathered.halves;
    } else if (is_register(access, kCommand, bus::Width::Word)) {
        const Gathered taken = std::exchange(gathered, Gathered{});
        listener_.announced(static_cast<abi::Announcement>(value), taken.words, access.cpu);
    } else {
        ++misfits_;
    }
}

}  // namespace forkscope::devices
