// ACPI tables as firmware takes them from fw_cfg: the bytes, and a script that says where they go, which
// places in them are addresses, and what is to be summed again (QEMU, docs/specs/acpi_bios_linker_loader: the
// file "etc/table-loader").
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

#include "devices/acpi_tables.hpp"

namespace forkscope::devices {

struct AcpiFiles {
    static constexpr std::string_view kRoot = "etc/acpi/rsdp";
    static constexpr std::string_view kTables = "etc/acpi/tables";
    static constexpr std::string_view kScript = "etc/table-loader";
    std::vector<uint8_t> root, tables, script;
};

// config.base is ignored: the firmware chooses.
[[nodiscard]] AcpiFiles build_acpi_files(AcpiConfig config);

}  // namespace forkscope::devices
