#include "emu/bus/port_bus.hpp"

#include <utility>

namespace forkscope::bus {

PortBus::PortBus() : owners_(kPortCount, kNobody) {}

Result<> PortBus::insert(std::string_view name, PortRange range, PortDevice& device) {
    const uint32_t first = range.first;
    if (range.count == 0 || range.count > kPortCount - first)
        return fail("ports of {}: {:#x} ports from {:#x} do not fit into 64 Ki", name, range.count, first);
    for (uint32_t port = first; port < first + range.count; ++port) {
        if (owners_[port] == kNobody) continue;
        return fail("port {:#x} is claimed by both {} and {}", port, claims_[owners_[port]].name, name);
    }
    if (claims_.size() == kNobody) return fail("ports of {}: too many port ranges", name);
    const auto index = static_cast<ClaimIndex>(claims_.size());
    claims_.push_back({std::string(name), range, &device, device.widths(), {}});
    for (uint32_t port = first; port < first + range.count; ++port) owners_[port] = index;
    return {};
}

PortBus::ClaimIndex PortBus::owner_of(uint32_t port, unsigned bytes, bool* split) const {
    const ClaimIndex owner = owners_[port];
    *split = false;
    for (uint32_t p = port + 1; p < port + bytes; ++p) {
        const ClaimIndex other = p < kPortCount ? owners_[p] : kNobody;
        if (other != owner) *split = true;
    }
    return *split ? kNobody : owner;
}

uint32_t PortBus::read(uint16_t port, Width width, CpuId cpu) {
    bool split;
    const ClaimIndex owner = owner_of(port, bytes_of(width), &split);
    if (split) {
        uint32_t value = 0;
        for (uint32_t i = 0; i < bytes_of(width); ++i) {
            const uint32_t p = uint32_t{port} + i;
            const uint32_t byte = p < kPortCount ? read(static_cast<uint16_t>(p), Width::Byte, cpu) : 0xff;
            value |= byte << (8 * i);
        }
        return value;
    }
    const auto ones = static_cast<uint32_t>(all_ones(width));
    if (owner == kNobody) {
        note_unclaimed(port, width, Direction::Read);
        return ones;
    }
    Claim& claim = claims_[owner];
    ++claim.counts.reads;
    const unsigned piece = piece_bytes(claim.widths, width);
    if (piece != bytes_of(width)) ++claim.counts.wrong_width;
    if (piece == 0) return ones;
    const auto piece_width = static_cast<Width>(piece);
    uint32_t value = 0;
    for (unsigned i = 0; i < bytes_of(width); i += piece) {
        const auto offset = static_cast<uint16_t>(port - claim.range.first + i);
        const uint32_t part = claim.device->read({offset, piece_width, cpu});
        value |= (part & static_cast<uint32_t>(all_ones(piece_width))) << (8 * i);
    }
    return value;
}

void PortBus::write(uint16_t port, Width width, uint32_t value, CpuId cpu) {
    bool split;
    const ClaimIndex owner = owner_of(port, bytes_of(width), &split);
    if (split) {
        for (uint32_t i = 0; i < bytes_of(width); ++i) {
            const uint32_t p = uint32_t{port} + i;
            if (p < kPortCount) write(static_cast<uint16_t>(p), Width::Byte, value >> (8 * i), cpu);
        }
        return;
    }
    if (owner == kNobody) {
        note_unclaimed(port, width, Direction::Write);
        return;
    }
    Claim& claim = claims_[owner];
    ++claim.counts.writes;
    const unsigned piece = piece_bytes(claim.widths, width);
    if (piece != bytes_of(width)) ++claim.counts.wrong_width;
    if (piece == 0) return;
    const auto piece_width = static_cast<Width>(piece);
    for (unsigned i = 0; i < bytes_of(width); i += piece) {
        const auto offset = static_cast<uint16_t>(port - claim.range.first + i);
        const uint32_t part = (value >> (8 * i)) & static_cast<uint32_t>(all_ones(piece_width));
        claim.device->write({offset, piece_width, cpu}, part);
    }
}

void PortBus::note_unclaimed(uint16_t port, Width width, Direction direction) {
    const auto [entry, is_new] = unclaimed_.try_emplace(port);
    ++(direction == Direction::Read ? entry->second.reads : entry->second.writes);
    if (is_new && unclaimed_handler_) unclaimed_handler_(port, width, direction);
}

}  // namespace forkscope::bus
