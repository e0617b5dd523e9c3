#include "devices/fw_cfg.hpp"

#include <algorithm>
#include <utility>

namespace forkscope::devices {

namespace {

constexpr uint16_t kFirstFile = 0x20, kArchitecture = 0x8000, kItemMask = 0x3fff;
constexpr size_t kNameBytes = 56;
constexpr uint32_t kTraditional = 1;

std::vector<uint8_t> little_endian(uint64_t value, unsigned bytes) {
    std::vector<uint8_t> out;
    for (unsigned i = 0; i < bytes; ++i) out.push_back(static_cast<uint8_t>(value >> (8 * i)));
    return out;
}

void put_big_endian(std::vector<uint8_t>& to, uint64_t value, unsigned bytes) {
    for (unsigned i = bytes; i-- != 0;) to.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

}  // namespace

FwCfg::FwCfg(uint64_t ram_bytes, uint16_t cpus) {
    add_item(Signature, {'Q', 'E', 'M', 'U'});
    add_item(Id, little_endian(kTraditional, 4));
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

uint8_t FwCfg::next_byte() {
    const auto item = items_.find(regs_.selector);
    if (item == items_.end() || regs_.offset >= item->second.size()) return 0;
    return item->second[regs_.offset++];
}

uint32_t FwCfg::read(const bus::PortAccess& access) {
    if (access.offset == 0) return 0;
    return next_byte();
}

void FwCfg::write(const bus::PortAccess& access, uint32_t value) {
    // Bit 14 asked old devices to write; there is nothing to write here.
    if (access.offset == 0 && access.width == bus::Width::Word)
        regs_ = {static_cast<uint16_t>(value & (kItemMask | kArchitecture)), 0};
}

}  // namespace forkscope::devices
