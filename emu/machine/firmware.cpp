#include "emu/machine/firmware.hpp"

#include "emu/machine/address_map.hpp"

namespace forkscope::machine {

namespace {

void put(std::vector<uint8_t>& to, uint64_t value, unsigned bytes) {
    for (unsigned i = 0; i < bytes; ++i) to.push_back(static_cast<uint8_t>(value >> (8 * i)));
}

// RAM alone: the firmware takes from it what it needs itself.
std::vector<uint8_t> e820(std::span<const mem::RamRegion> ram) {
    constexpr uint32_t kRam = 1;
    std::vector<uint8_t> map;
    for (const mem::RamRegion& region : ram) {
        put(map, region.base.raw(), 8);
        put(map, region.size, 8);
        put(map, kRam, 4);
    }
    return map;
}

}  // namespace

void add_firmware_files(devices::FwCfg& fw_cfg, const Firmware& firmware, std::span<const mem::RamRegion> ram,
                        const devices::AcpiConfig& acpi) {
    fw_cfg.add_file("etc/e820", e820(ram));
    devices::AcpiFiles files = devices::build_acpi_files(acpi);
    fw_cfg.add_file(devices::AcpiFiles::kRoot, std::move(files.root));
    fw_cfg.add_file(devices::AcpiFiles::kTables, std::move(files.tables));
    fw_cfg.add_file(devices::AcpiFiles::kScript, std::move(files.script));
    if (!firmware.vga_rom.empty()) fw_cfg.add_file("vgaroms/vgabios.bin", firmware.vga_rom);
    // What cannot boot stays so: a reset would end the run.
    fw_cfg.add_file("etc/boot-fail-wait", {0xff, 0xff, 0xff, 0xff});
    if (firmware.on_serial) {
        std::vector<uint8_t> port;
        put(port, kCom1.first, 8);
        fw_cfg.add_file("etc/sercon-port", std::move(port));
    }
}

}  // namespace forkscope::machine
