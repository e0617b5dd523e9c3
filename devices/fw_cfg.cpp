#include "devices/fw_cfg.hpp"

#include <algorithm>
#include <array>
#include <utility>

namespace forkscope::devices {

namespace {

constexpr uint16_t kFirstFile = 0x20, kArchitecture = 0x8000, kItemMask = 0x3fff;
constexpr size_t kNameBytes = 56;
constexpr uint32_t kTraditional = 1, kHasDma = 2;
constexpr uint16_t kSelectWord = 0, kLowHalf = 4;
// What a DMA request asks for, and the one thing that it is told.
constexpr uint32_t kDmaError = 1, kDmaRead = 2, kDmaSkip = 4, kDmaSelect = 8, kDmaWrite = 16;
constexpr unsigned kDmaItemShift = 16;

struct DmaRequest {
    uint32_t control, length;  // the most significant byte first, all three
    uint64_t address;
};

std::vector<uint8_t> little_endian(uint64_t value, unsigned bytes) {
    std::vector<uint8_t> out;
    for (unsigned i = 0; i < bytes; ++i) out.push_back(static_cast<uint8_t>(value >> (8 * i)));
    return out;
}

void put_big_endian(std::vector<uint8_t>& to, uint64_t value, unsigned bytes) {
    for (unsigned i = bytes; i-- != 0;) to.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

}  // namespace

FwCfg::FwCfg(uint64_t ram_bytes, uint16_t cpus, bus::GuestMemory* memory) : memory_(memory) {
    add_item(Signature, {'Q', 'E', 'M', 'U'});
    add_item(Id, little_endian(kTraditional | (memory != nullptr ? kHasDma : 0), 4));
    add_item(RamSize, little_endian(ram_bytes, 8));
    add_item(CpuCount, little_endian(cpus, 2));
    add_item(MaxCpus, little_endian(cpus, 2));
    build_directory();
}

void FwCfg::add_item(uint16_t selector, std::vector<uint8_t> bytes) { items_[selector] = std::move(bytes); }

void FwCfg::add_file(std::string_view name, std::vector<uint8_t> bytes) {
    const auto selector = static_cast<uint16_t>(kFirstFile + files_.size());
    files_.push_back(
        {std::string(name.substr(0, kNameBytes - 1)), selector, static_cast<uint32_t>(bytes.size())});
    add_item(selector, std::move(bytes));
    build_directory();
}

void FwCfg::build_directory() {
    std::vector<uint8_t> directory;
    put_big_endian(directory, files_.size(), 4);
    for (const File& file : files_) {
        put_big_endian(directory, file.size, 4);
        put_big_endian(directory, file.selector, 2);
        put_big_endian(directory, 0, 2);
        const size_t end = directory.size() + kNameBytes;
        directory.insert(directory.end(), file.name.begin(), file.name.end());
        directory.resize(end, 0);
    }
    add_item(FileDirectory, std::move(directory));
}

void FwCfg::select(uint16_t item) {
    regs_.selector = static_cast<uint16_t>(item & (kItemMask | kArchitecture));
    regs_.offset = 0;
}

std::span<const uint8_t> FwCfg::rest_of_item() const {
    const auto item = items_.find(regs_.selector);
    if (item == items_.end()) return {};
    return std::span(item->second).subspan(std::min<size_t>(regs_.offset, item->second.size()));
}

uint8_t FwCfg::next_byte() {
    const std::span<const uint8_t> rest = rest_of_item();
    if (rest.empty()) return 0;
    ++regs_.offset;
    return rest.front();
}

uint32_t FwCfg::read(const bus::PortAccess& access) { return access.offset == kSelectWord ? 0 : next_byte(); }

void FwCfg::write(const bus::PortAccess& access, uint32_t value) {
    // Bit 14 asked old devices to write; there is nothing to write here.
    if (access.offset == kSelectWord && access.width == bus::Width::Word)
        select(static_cast<uint16_t>(value));
}

// Reading gives "QEMU CFG", by which the register is known.
uint32_t FwCfg::Dma::read(const bus::PortAccess& access) {
    if (chip_.memory_ == nullptr) return ~uint32_t{0};
    return access.offset == 0 ? 0x554d4551 : 0x47464320;
}

void FwCfg::Dma::write(const bus::PortAccess& access, uint32_t value) {
    if (chip_.memory_ == nullptr) return;
    const uint32_t half = __builtin_bswap32(value);
    if (access.offset != kLowHalf) {
        chip_.regs_.dma_high = half;
        return;
    }
    chip_.carry_out(PhysAddr(uint64_t{std::exchange(chip_.regs_.dma_high, 0u)} << 32 | half));
}

void FwCfg::carry_out(PhysAddr where) {
    DmaRequest request{};
    if (!memory_->load(where, request)) return;  // nowhere to say so
    const uint32_t control = __builtin_bswap32(request.control);
    if ((control & kDmaSelect) != 0) select(static_cast<uint16_t>(control >> kDmaItemShift));
    const bool done =
        transfer(control, __builtin_bswap32(request.length), PhysAddr(__builtin_bswap64(request.address)));
    (void)memory_->store(where, __builtin_bswap32(done ? 0 : kDmaError));
}

// Past the end of the item there are zeros. Items cannot be written.
bool FwCfg::transfer(uint32_t control, uint32_t length, PhysAddr address) {
    const std::span<const uint8_t> rest = rest_of_item();
    const auto held = static_cast<uint32_t>(std::min<size_t>(rest.size(), length));
    if ((control & kDmaRead) != 0) {
        static constexpr std::array<uint8_t, kPageSize> kZeros{};
        if (!memory_->write(address, rest.first(held))) return false;
        for (uint32_t at = held; at < length;) {
            const uint32_t chunk = std::min<uint32_t>(length - at, kZeros.size());
            if (!memory_->write(address + at, std::span(kZeros).first(chunk))) return false;
            at += chunk;
        }
    } else if ((control & kDmaWrite) != 0) {
        return false;
    } else if ((control & kDmaSkip) == 0) {
        return true;
    }
    regs_.offset += held;
    return true;
}

}  // namespace forkscope::devices
