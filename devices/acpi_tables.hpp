// ACPI tables that describe the machine to an operating system (ACPI specification 6.4, chapter 5). Bytes
// alone: whoever builds the machine says what there is, and where the tables will stand.
#pragma once

#include <cstdint>
#include <vector>

#include "emu/base/address.hpp"

namespace forkscope::devices {

inline constexpr uint64_t kAcpiAlignment = 64;  // bytes, of every table; FACS wants it

struct AcpiConfig {
    PhysAddr base;  // where the bytes go, a multiple of kAcpiAlignment; the root pointer (RSDP) comes first
    unsigned cpus = 1;
    PhysAddr local_apic, io_apic;
    uint16_t pm_event_port = 0, pm_control_port = 0, pm_timer_port = 0;
    uint8_t sci = 9;            // interrupt of ACPI itself
    uint8_t soft_off_type = 0;  // SLP_TYP of S5
    uint16_t reset_port = 0;
    uint8_t reset_value = 0;
    struct VirtioDevice {
        PhysAddr base;
        uint32_t size;       // bytes
        uint32_t interrupt;  // input of the I/O APIC, level triggered
    };
    // By the id LNRO0005, by which Linux finds virtio-mmio.
    std::vector<VirtioDevice> virtio;
};

// RSDP, RSDT, XSDT, FADT, FACS, DSDT and MADT, one after the other.
[[nodiscard]] std::vector<uint8_t> build_acpi_tables(const AcpiConfig& config);

}  // namespace forkscope::devices
