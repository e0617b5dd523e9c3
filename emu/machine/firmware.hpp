// What a machine that starts in firmware has besides: the firmware itself and what it reads from fw_cfg.
#pragma once

#include <cstdint>
#include <span>
#include <vector>

#include "devices/acpi_loader.hpp"
#include "devices/fw_cfg.hpp"
#include "emu/mem/guest_ram.hpp"

namespace forkscope::machine {

struct Firmware {
    std::vector<uint8_t> image;    // empty: none, the loader starts the guest. It ends at 4 GiB
    std::vector<uint8_t> vga_rom;  // an option ROM that knows how to set text modes; empty: none
    // The firmware's own screen also on COM1.
    bool on_serial = false;
};

// The memory map, ACPI tables and option ROMs, by the names that SeaBIOS looks for.
void add_firmware_files(devices::FwCfg& fw_cfg, const Firmware& firmware, std::span<const mem::RamRegion> ram,
                        const devices::AcpiConfig& acpi);

}  // namespace forkscope::machine
