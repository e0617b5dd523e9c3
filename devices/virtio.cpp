#include "devices/virtio.hpp"

namespace forkscope::devices {

namespace {

enum Register : uint64_t {
    Magic = 0x000,
    Version = 0x004,
    DeviceId = 0x008,
    VendorId = 0x00c,
    DeviceFeatures = 0x010,
    DeviceFeaturesSelect = 0x014,
    DriverFeatures = 0x020,
    DriverFeaturesSelect = 0x024,
    QueueSelect = 0x030,
    QueueSizeMax = 0x034,
    QueueSize = 0x038,
    QueueReady = 0x044,
    QueueNotify = 0x050,
    InterruptStatus = 0x060,
    InterruptAcknowledge = 0x064,
    Status = 0x070,
    QueueDescriptors = 0x080,  // each of these three: low half, high half
    QueueDriver = 0x090,
    QueueDevice = 0x0a0,
    ConfigGeneration = 0x0fc,
    Config = 0x100,
};
constexpr uint32_t kMagic = 0x74726976, kModern = 2, kVendor = 0x4b524f46;  // "virt"; "FORK"
constexpr uint64_t kVersion1 = uint64_t{1} << 32;
constexpr uint32_t kDriverOk = 4, kFeaturesOk = 8, kNeedsReset = 64, kFailed = 128;
constexpr uint32_t kUsedBuffer = 1, kConfigChanged = 2;

uint32_t half_of(uint64_t value, uint32_t select) {
    return select < 2 ? static_cast<uint32_t>(value >> (32 * select)) : 0;
}

void set_half(uint64_t& value, unsigned half, uint32_t bits) {
    const uint64_t mask = uint64_t{0xffff'ffff} << (32 * half);
    value = (value & ~mask) | uint64_t{bits} << (32 * half);
}

}  // namespace

VirtioDevice::VirtioDevice(bus::GuestMemory& memory, bus::IrqLine& irq, uint32_t id, uint64_t features,
                           unsigned queues)
    : memory_(memory), irq_(irq), id_(id), features_(features | kVersion1), queue_count_(queues) {}

void VirtioDevice::reset() {
    regs_ = Regs{};
    for (VirtioQueue& queue : queues_) queue.regs = {};
    irq_.lower();
}

VirtioDevice::Regs VirtioDevice::regs() const {
    Regs regs = regs_;
    for (unsigned i = 0; i < kMostQueues; ++i) regs.queues[i] = queues_[i].regs;
    return regs;
}

void VirtioDevice::restore(const Regs& regs) {
    regs_ = regs;
    for (unsigned i = 0; i < kMostQueues; ++i) queues_[i].regs = regs.queues[i];
    irq_.set(regs_.interrupt_status != 0);
}

bool VirtioDevice::driver_ok() const {
    return (regs_.status & kDriverOk) != 0 && (regs_.status & (kNeedsReset | kFailed)) == 0;
}

const VirtioQueue::Chain* VirtioDevice::take(unsigned queue) {
    if (!driver_ok()) return nullptr;
    switch (queues_[queue].take(memory_, chain_)) {
        case VirtioQueue::Next::Taken:
            return &chain_;
        case VirtioQueue::Next::Broken:
            needs_reset();
            return nullptr;
        default:
            return nullptr;
    }
}

void VirtioDevice::give_back(unsigned queue, const VirtioQueue::Chain& chain, uint32_t written) {
    if (!queues_[queue].give_back(memory_, chain, written)) return needs_reset();
    if (queues_[queue].wants_interrupt(memory_)) raise(kUsedBuffer);
}

void VirtioDevice::raise(uint32_t reason) {
    regs_.interrupt_status |= reason;
    irq_.raise();
}

void VirtioDevice::needs_reset() {
    regs_.status |= kNeedsReset;
    raise(kConfigChanged);
}

uint64_t VirtioDevice::read(const bus::MmioAccess& access) {
    if (access.offset >= Config) {
        uint64_t value = 0;
        const std::span<const uint8_t> config = configuration();
        for (unsigned i = 0; i < bus::bytes_of(access.width); ++i) {
            const uint64_t at = access.offset - Config + i;
            if (at < config.size()) value |= uint64_t{config[at]} << (8 * i);
        }
        return value;
    }
    // 4.2.2.2: registers are read and written as aligned doublewords.
    if (access.width != bus::Width::Dword || access.offset % 4 != 0) return 0;
    return read_register(access.offset);
}

void VirtioDevice::write(const bus::MmioAccess& access, uint64_t value) {
    if (access.width == bus::Width::Dword && access.offset % 4 == 0)
        write_register(access.offset, static_cast<uint32_t>(value));
}

uint32_t VirtioDevice::read_register(uint64_t offset) const {
    const bool known = regs_.queue_select < queue_count_;
    switch (offset) {
        case Magic:
            return kMagic;
        case Version:
            return kModern;
        case DeviceId:
            return id_;
        case VendorId:
            return kVendor;
        case DeviceFeatures:
            return half_of(features_, regs_.features_select);
        case QueueSizeMax:
            return known ? VirtioQueue::kMostEntries : 0;
        case QueueReady:
            return known && queues_[regs_.queue_select].regs.ready ? 1 : 0;
        case InterruptStatus:
            return regs_.interrupt_status;
        case Status:
            return regs_.status;
        default:
            return 0;
    }
}

void VirtioDevice::write_register(uint64_t offset, uint32_t value) {
    switch (offset) {
        case DeviceFeaturesSelect:
            regs_.features_select = value;
            return;
        case DriverFeaturesSelect:
            regs_.driver_features_select = value;
            return;
        case DriverFeatures:
            if (regs_.driver_features_select < 2)
                set_half(regs_.driver_features, regs_.driver_features_select, value);
            return;
        case QueueSelect:
            regs_.queue_select = value;
            return;
        case QueueNotify:
            if (value < queue_count_ && driver_ok()) notified(value);
            return;
        case InterruptAcknowledge:
            regs_.interrupt_status &= ~value;
            irq_.set(regs_.interrupt_status != 0);
            return;
        case Status:
            return write_status(value);
        default:
            break;
    }
    if (regs_.queue_select >= queue_count_) return;
    VirtioQueue::Regs& queue = queues_[regs_.queue_select].regs;
    if (offset == QueueSize) {
        const bool power_of_two = value != 0 && (value & (value - 1)) == 0;
        if (power_of_two && value <= VirtioQueue::kMostEntries) queue.size = static_cast<uint16_t>(value);
    } else if (offset == QueueReady) {
        queue.ready = (value & 1) != 0;
    } else {
        write_queue_address(offset, value);
    }
}

void VirtioDevice::write_queue_address(uint64_t offset, uint32_t value) {
    VirtioQueue::Regs& queue = queues_[regs_.queue_select].regs;
    const unsigned half = (offset & 4) != 0 ? 1 : 0;
    switch (offset & ~uint64_t{4}) {
        case QueueDescriptors:
            return set_half(queue.descriptors, half, value);
        case QueueDriver:
            return set_half(queue.driver, half, value);
        case QueueDevice:
            return set_half(queue.device, half, value);
        default:
            return;
    }
}

void VirtioDevice::write_status(uint32_t value) {
    if (value == 0) return reset();
    // 3.1.1: the device agrees to the features by leaving FEATURES_OK set.
    const bool acceptable =
        (regs_.driver_features & ~features_) == 0 && (regs_.driver_features & kVersion1) != 0;
    if ((value & kFeaturesOk) != 0 && !acceptable) value &= ~kFeaturesOk;
    regs_.status = value | (regs_.status & kNeedsReset);
}

}  // namespace forkscope::devices
