#include "devices/virtio_queue.hpp"

#include <algorithm>

namespace forkscope::devices {

namespace {

struct Descriptor {
    uint64_t address;
    uint32_t size;
    uint16_t flags;
    uint16_t next;
};
static_assert(sizeof(Descriptor) == 16);
constexpr uint16_t kNext = 1, kWritable = 2, kIndirect = 4;
constexpr uint16_t kNoInterrupt = 1;
constexpr uint64_t kRingIndex = 2, kRing = 4;
struct UsedElement {
    uint32_t id;
    uint32_t written;
};

template <typename Copy>
bool over_pieces(std::span<const VirtioQueue::Piece> pieces, uint64_t offset, size_t size, const Copy& copy) {
    size_t done = 0;
    for (const VirtioQueue::Piece& piece : pieces) {
        if (done == size) break;
        if (offset >= piece.size) {
            offset -= piece.size;
            continue;
        }
        const size_t part = std::min<uint64_t>(piece.size - offset, size - done);
        if (!copy(piece.base + offset, done, part)) return false;
        done += part;
        offset = 0;
    }
    return done == size;
}

}  // namespace

VirtioQueue::Next VirtioQueue::take(bus::GuestMemory& memory, Chain& chain) {
    if (!regs.ready) return Next::None;
    uint16_t index = 0;
    if (!memory.load(PhysAddr(regs.driver + kRingIndex), index)) return Next::Broken;
    if (index == regs.next_available) return Next::None;
    if (static_cast<uint16_t>(index - regs.next_available) > regs.size) return Next::Broken;
    const uint64_t slot = regs.next_available % regs.size;
    if (!memory.load(PhysAddr(regs.driver + kRing + 2 * slot), chain.head)) return Next::Broken;
    ++regs.next_available;
    chain.readable = chain.writable = 0;
    uint16_t at = chain.head;
    for (unsigned n = 0; n < regs.size; ++n) {
        Descriptor d;
        if (at >= regs.size || !memory.load(PhysAddr(regs.descriptors + uint64_t{at} * sizeof d), d))
            return Next::Broken;
        const bool writable = (d.flags & kWritable) != 0;
        // Readable ones come first; indirect ones were not offered.
        if ((d.flags & kIndirect) != 0 || (!writable && chain.writable != 0)) return Next::Broken;
        chain.pieces[n] = {PhysAddr(d.address), d.size};
        ++(writable ? chain.writable : chain.readable);
        if ((d.flags & kNext) == 0) return Next::Taken;
        at = d.next;
    }
    return Next::Broken;  // a loop
}

bool VirtioQueue::give_back(bus::GuestMemory& memory, const Chain& chain, uint32_t written) {
    const uint64_t slot = regs.next_used % regs.size;
    if (!memory.store(PhysAddr(regs.device + kRing + sizeof(UsedElement) * slot),
                      UsedElement{chain.head, written}))
        return false;
    return memory.store(PhysAddr(regs.device + kRingIndex), ++regs.next_used);
}

bool VirtioQueue::wants_interrupt(bus::GuestMemory& memory) const {
    uint16_t flags = 0;
    return memory.load(PhysAddr(regs.driver), flags) && (flags & kNoInterrupt) == 0;
}

bool read_chain(bus::GuestMemory& memory, const VirtioQueue::Chain& chain, uint64_t offset,
                std::span<uint8_t> to) {
    return over_pieces(
        std::span(chain.pieces).first(chain.readable), offset, to.size(),
        [&](PhysAddr from, size_t done, size_t part) { return memory.read(from, to.subspan(done, part)); });
}

bool write_chain(bus::GuestMemory& memory, const VirtioQueue::Chain& chain, uint64_t offset,
                 std::span<const uint8_t> from) {
    return over_pieces(
        std::span(chain.pieces).subspan(chain.readable, chain.writable), offset, from.size(),
        [&](PhysAddr to, size_t done, size_t part) { return memory.write(to, from.subspan(done, part)); });
}

}  // namespace forkscope::devices
