#include "emu/loader/placement.hpp"

#include <algorithm>
#include <cassert>
#include <cstring>
#include <utility>

#include "emu/loader/bytes.hpp"

namespace forkscope::loader {

namespace {

constexpr uint64_t kRamGranule = 2 * kMiB;  // sizes of GuestRam are multiples of this

// MiB of RAM that a machine needs so that its low part reaches to `end`.
uint64_t needed_mib(uint64_t end) { return (end + kRamGranule - 1) / kRamGranule * kRamGranule / kMiB; }

uint64_t page_up(uint64_t bytes) { return (bytes + kPageSize - 1) & ~kPageOffsetMask; }

}  // namespace

const Placement::Piece* Placement::overlapping(PhysAddr base, uint64_t size) const {
    for (const Piece& piece : pieces_) {
        const PlacedRange& other = piece.range;
        if (base < other.base + other.size && other.base < base + size) return &piece;
    }
    return nullptr;
}

bool Placement::is_ram(PhysAddr base, uint64_t size) const {
    return std::any_of(map_.begin(), map_.end(), [&](const MemoryRange& range) {
        return range.type == MemoryType::Ram && base >= range.base &&
               is_inside(base - range.base, size, range.size);
    });
}

std::string Placement::refusal(PhysAddr base, uint64_t size) const {
    if (base < kHighMemory) return fmt::format("RAM below 1 MiB is [0x0, {:#x})", kExtendedBiosData.raw());
    const bool is_low = is_inside(base.raw(), size, mem::kLowRamLimit);
    const uint64_t end = base.raw() + size;
    if (is_low) {
        const mem::RamRegion low = ram_.regions().front();
        return fmt::format("RAM ends at {:#x}; expected at least {} MiB of RAM", low.size, needed_mib(end));
    }
    return fmt::format("RAM is below {:#x} and from {:#x} on, {} MiB in all", mem::kLowRamLimit,
                       mem::kHighRamBase, ram_.size() / kMiB);
}

Result<> Placement::add(const std::string& what, const std::string& name, PhysAddr base, uint64_t size,
                        std::span<const uint8_t> bytes) {
    if (size == 0) return {};
    if (!is_ram(base, size))
        return fail("{}: {:#x} bytes at physical address {:#x} are not all RAM: {}", what, size, base.raw(),
                    refusal(base, size));
    if (const Piece* other = overlapping(base, size))
        return fail("{}: {:#x} bytes at physical address {:#x} overlap the {} at [{:#x}, {:#x})", what, size,
                    base.raw(), other->range.name, other->range.base.raw(),
                    (other->range.base + other->range.size).raw());
    pieces_.push_back({{name, base, size}, bytes});
    return {};
}

Result<> Placement::add_owned(const std::string& name, PhysAddr base, std::vector<uint8_t> bytes) {
    owned_.push_back(std::move(bytes));
    const std::vector<uint8_t>& kept = owned_.back();
    return add(name, name, base, kept.size(), kept);
}

void Placement::fill(PhysAddr base, std::vector<uint8_t> bytes) {
    const auto piece =
        std::find_if(pieces_.begin(), pieces_.end(), [base](const Piece& p) { return p.range.base == base; });
    assert(piece != pieces_.end() && bytes.size() <= piece->range.size);
    owned_.push_back(std::move(bytes));
    piece->bytes = owned_.back();
}

Result<PhysAddr> Placement::add_high(const std::string& what, const std::string& name,
                                     std::span<const uint8_t> bytes, PhysAddr limit) {
    const uint64_t room = page_up(bytes.size());
    const uint64_t low_end = std::min(low_end_, limit.page_base().raw());
    uint64_t top = low_end;
    while (top >= room && top - room >= kHighMemory.raw()) {
        const PhysAddr base(top - room);
        const Piece* other = overlapping(base, room);
        if (other == nullptr) {
            TRY_VOID(add(what, name, base, bytes.size(), bytes));
            return base;
        }
        top = other->range.base.page_base().raw();
    }
    // It would fit above everything that is there.
    uint64_t end = kHighMemory.raw();
    for (const Piece& piece : pieces_)
        if (piece.range.base < limit)
            end = std::max(end, page_up((piece.range.base + piece.range.size).raw()));
    if (room <= limit.raw() && end <= limit.raw() - room)
        return fail("{}: {:#x} bytes do not fit into {} MiB of RAM; expected at least {} MiB", what,
                    bytes.size(), ram_.size() / kMiB, needed_mib(end + room));
    return fail("{}: {:#x} bytes do not fit below {:#x} beside the kernel", what, bytes.size(), limit.raw());
}

Result<PhysAddr> Placement::add_above(const std::string& what, const std::string& name, PhysAddr from,
                                      std::span<const uint8_t> bytes) {
    const uint64_t room = page_up(bytes.size());
    for (const MemoryRange& range : map_) {
        if (range.type != MemoryType::Ram || range.base.raw() >= mem::kLowRamLimit) continue;
        PhysAddr at(page_up(std::max(from, range.base).raw()));
        const PhysAddr end = range.base + range.size;
        while (at <= end && room <= end - at) {
            const Piece* other = overlapping(at, room);
            if (other == nullptr) {
                TRY_VOID(add(what, name, at, bytes.size(), bytes));
                return at;
            }
            at = PhysAddr(page_up((other->range.base + other->range.size).raw()));
        }
    }
    return fail("{}: {:#x} bytes do not fit into {} MiB of RAM beside the kernel", what, bytes.size(),
                ram_.size() / kMiB);
}

Result<PhysAddr> Placement::reserve_end(const std::string& what, uint64_t size) {
    assert(pieces_.empty());
    const uint64_t room = page_up(size);
    // The map is in order: the last RAM below 4 GiB.
    auto low = map_.begin();
    for (auto range = map_.begin(); range != map_.end(); ++range)
        if (range->type == MemoryType::Ram && range->base.raw() < mem::kLowRamLimit) low = range;
    if (room >= low->size)
        return fail("{}: {:#x} bytes do not fit into {} MiB of RAM", what, size, ram_.size() / kMiB);
    low->size -= room;
    const PhysAddr base = low->base + low->size;
    map_.insert(low + 1, {base, room, MemoryType::Reserved});
    low_end_ = base.raw();
    return base;
}

bool Placement::covers(PhysAddr base, uint64_t size) const {
    return std::any_of(pieces_.begin(), pieces_.end(), [&](const Piece& piece) {
        return base >= piece.range.base && is_inside(base - piece.range.base, size, piece.range.size);
    });
}

std::vector<PlacedRange> Placement::commit() {
    std::vector<PlacedRange> placed;
    for (const Piece& piece : pieces_) {
        uint8_t* to = ram_.at(piece.range.base, piece.range.size);
        if (!piece.bytes.empty()) std::memcpy(to, piece.bytes.data(), piece.bytes.size());
        std::memset(to + piece.bytes.size(), 0, piece.range.size - piece.bytes.size());
        placed.push_back(piece.range);
    }
    std::sort(placed.begin(), placed.end(),
              [](const PlacedRange& a, const PlacedRange& b) { return a.base < b.base; });
    return placed;
}

}  // namespace forkscope::loader
