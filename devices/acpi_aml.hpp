// ACPI Machine Language, as much as the DSDT needs (ACPI 6.4, chapter 20 "ACPI Machine Language").
#pragma once

#include <cstdint>
#include <string_view>
#include <vector>

namespace forkscope::devices::aml {

using Bytes = std::vector<uint8_t>;

// Name (NAME, value)
Bytes name(std::string_view name, const Bytes& value);
Bytes integer(uint64_t value);
Bytes string(std::string_view text);
Bytes package(const std::vector<Bytes>& elements);
// Device (NAME) { content }
Bytes device(std::string_view name, const Bytes& content);
// Scope (\NAME) { content }
Bytes scope(std::string_view name, const Bytes& content);
// ResourceTemplate () of descriptors.
Bytes resources(const Bytes& descriptors);
Bytes memory32(uint32_t base, uint32_t size);
Bytes level_interrupt(uint32_t number);
Bytes io_ports(uint16_t first, uint8_t count);
Bytes edge_irq(unsigned number);

void add(Bytes& to, const Bytes& more);

}  // namespace forkscope::devices::aml
