#include "emu/bus/mmio_bus.hpp"

#include <algorithm>
#include <limits>
#include <utility>

namespace forkscope::bus {

namespace {

// Whether pa + bytes is an address at all.
bool is_past_end(PhysAddr pa, uint64_t bytes) {
    return bytes > std::numeric_limits<uint64_t>::max() - pa.raw();
}

}  // namespace

Result<> MmioBus::insert(std::string_view name, MmioRange range, MmioDevice& device) {
    if (range.size == 0 || is_past_end(range.base, range.size))
        return fail("addresses of {}: {:#x} bytes from {:#x} are not a range", name, range.size,
                    range.base.raw());
    const PhysAddr end = range.base + range.size;
    const auto after = std::find_if(claims_.begin(), claims_.end(), [&](const Claim& claim) {
        return claim.range.base + claim.range.size > range.base;
    });
    if (after != claims_.end() && after->range.base < end) {
        const PhysAddr both = std::max(after->range.base, range.base);
        return fail("address {:#x} is claimed by both {} and {}", both.raw(), after->name, name);
    }
    claims_.insert(after, {std::string(name), range, &device, device.widths(), {}});
    return {};
}

const MmioBus::Claim* MmioBus::find(PhysAddr pa) const {
    auto after = std::upper_bound(claims_.begin(), claims_.end(), pa,
                                  [](PhysAddr a, const Claim& claim) { return a < claim.range.base; });
    if (after == claims_.begin()) return nullptr;
    const Claim& claim = *--after;
    return pa - claim.range.base < claim.range.size ? &claim : nullptr;
}

MmioBus::Claim* MmioBus::owner_of(PhysAddr pa, unsigned bytes, bool* split) {
    Claim* owner = find(pa);
    *split = false;
    for (unsigned i = 1; i < bytes; ++i) {
        const Claim* other = is_past_end(pa, i) ? nullptr : find(pa + i);
        if (other != owner) *split = true;
    }
    return *split ? nullptr : owner;
}

uint64_t MmioBus::read(PhysAddr pa, Width width, CpuId cpu) {
    bool split;
    Claim* claim = owner_of(pa, bytes_of(width), &split);
    if (split) {
        uint64_t value = 0;
        for (unsigned i = 0; i < bytes_of(width); ++i) {
            const uint64_t byte = is_past_end(pa, i) ? 0xff : read(pa + i, Width::Byte, cpu);
            value |= byte << (8 * i);
        }
        return value;
    }
    if (claim == nullptr) {
        note_unclaimed(pa, width, Direction::Read);
        return all_ones(width);
    }
    ++claim->counts.reads;
    const unsigned piece = piece_bytes(claim->widths, width);
    if (piece != bytes_of(width)) ++claim->counts.wrong_width;
    if (piece == 0) return all_ones(width);
    const auto piece_width = static_cast<Width>(piece);
    uint64_t value = 0;
    for (unsigned i = 0; i < bytes_of(width); i += piece) {
        const uint64_t part = claim->device->read({pa - claim->range.base + i, piece_width, cpu});
        value |= (part & all_ones(piece_width)) << (8 * i);
    }
    return value;
}

void MmioBus::write(PhysAddr pa, Width width, uint64_t value, CpuId cpu) {
    bool split;
    Claim* claim = owner_of(pa, bytes_of(width), &split);
    if (split) {
        for (unsigned i = 0; i < bytes_of(width); ++i)
            if (!is_past_end(pa, i)) write(pa + i, Width::Byte, value >> (8 * i), cpu);
        return;
    }
    if (claim == nullptr) {
        note_unclaimed(pa, width, Direction::Write);
        return;
    }
    ++claim->counts.writes;
    const unsigned piece = piece_bytes(claim->widths, width);
    if (piece != bytes_of(width)) ++claim->counts.wrong_width;
    if (piece == 0) return;
    const auto piece_width = static_cast<Width>(piece);
    for (unsigned i = 0; i < bytes_of(width); i += piece) {
        const uint64_t part = (value >> (8 * i)) & all_ones(piece_width);
        claim->device->write({pa - claim->range.base + i, piece_width, cpu}, part);
    }
}

void MmioBus::note_unclaimed(PhysAddr pa, Width width, Direction direction) {
    const auto count = [direction](UnclaimedCounts& counts) {
        ++(direction == Direction::Read ? counts.reads : counts.writes);
    };
    count(unclaimed_total_);
    const auto known = unclaimed_.find(pa.page_base());
    if (known != unclaimed_.end()) {
        count(known->second);
    } else if (unclaimed_.size() < kMaxUnclaimedPages) {
        count(unclaimed_[pa.page_base()]);
        if (unclaimed_handler_) unclaimed_handler_(pa, width, direction);
    }
}

}  // namespace forkscope::bus
