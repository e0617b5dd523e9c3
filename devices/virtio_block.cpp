#include "devices/virtio_block.hpp"

#include <algorithm>
#include <cstring>
#include <string_view>

namespace forkscope::devices {

namespace {

constexpr uint32_t kDeviceId = 2;
constexpr uint64_t kReadOnlyFeature = 1u << 5, kFlushFeature = 1u << 9;
constexpr uint32_t kIn = 0, kOut = 1, kFlush = 4, kGetId = 8;
constexpr uint8_t kOk = 0, kIoError = 1, kUnsupported = 2;
constexpr std::string_view kIdentity = "forkscope";
constexpr size_t kIdentityBytes = 20;
constexpr size_t kChunk = 4096;  // bytes that are copied at a time

struct RequestHeader {
    uint32_t type;
    uint32_t reserved;
    uint64_t sector;
};

uint64_t features_of(const bus::BlockStore& store) {
    return kFlushFeature | (store.read_only() ? kReadOnlyFeature : 0);
}

}  // namespace

VirtioBlock::VirtioBlock(bus::GuestMemory& memory, bus::IrqLine& irq, bus::BlockStore& store)
    : VirtioDevice(memory, irq, kDeviceId, features_of(store), 1), store_(store) {
    const uint64_t capacity = store.sectors();
    std::memcpy(config_.data(), &capacity, sizeof capacity);
}

void VirtioBlock::notified(unsigned queue) {
    while (const VirtioQueue::Chain* chain = take(queue)) {
        const uint64_t writable = chain->writable_bytes();
        if (writable == 0) {
            give_back(queue, *chain, 0);
            continue;
        }
        // The last byte is the status.
        const Outcome outcome = carry_out(*chain, writable - 1);
        const bool told = write_chain(memory(), *chain, writable - 1, {&outcome.status, 1});
        give_back(queue, *chain, told ? outcome.written + 1 : 0);
    }
}

VirtioBlock::Outcome VirtioBlock::carry_out(const VirtioQueue::Chain& chain, uint64_t room) {
    RequestHeader header;
    if (!read_chain(memory(), chain, 0, {reinterpret_cast<uint8_t*>(&header), sizeof header}))
        return {kIoError, 0};
    switch (header.type) {
        case kIn:
        case kOut:
            return transfer(chain, header.type, header.sector, room);
        case kFlush:
            return {store_.flush() ? kOk : kIoError, 0};
        case kGetId: {
            std::array<uint8_t, kIdentityBytes> id{};
            std::copy(kIdentity.begin(), kIdentity.end(), id.begin());
            const auto size = std::min<uint64_t>(room, id.size());
            if (!write_chain(memory(), chain, 0, std::span(id).first(size))) return {kIoError, 0};
            return {kOk, static_cast<uint32_t>(size)};
        }
        default:
            return {kUnsupported, 0};
    }
}

VirtioBlock::Outcome VirtioBlock::transfer(const VirtioQueue::Chain& chain, uint32_t type, uint64_t sector,
                                           uint64_t room) {
    constexpr uint64_t kSector = bus::BlockStore::kSectorBytes;
    const bool in = type == kIn;
    const uint64_t bytes = in ? room : chain.readable_bytes() - sizeof(RequestHeader);
    const uint64_t sectors = store_.sectors();
    if (bytes % kSector != 0 || sector > sectors || bytes / kSector > sectors - sector) return {kIoError, 0};
    if (!in && store_.read_only()) return {kIoError, 0};
    std::array<uint8_t, kChunk> buffer;
    for (uint64_t done = 0; done < bytes;) {
        const auto part = std::span(buffer).first(std::min<uint64_t>(bytes - done, kChunk));
        const uint64_t at = sector + done / kSector;
        const bool ok =
            in ? store_.read(at, part) && write_chain(memory(), chain, done, part)
               : read_chain(memory(), chain, sizeof(RequestHeader) + done, part) && store_.write(at, part);
        if (!ok) return {kIoError, static_cast<uint32_t>(in ? done : 0)};
        done += part.size();
    }
    return {kOk, static_cast<uint32_t>(in ? bytes : 0)};
}

}  // namespace forkscope::devices
