// QEMU's firmware configuration device, by which firmware and test kernels learn what the machine has (QEMU,
// docs/specs/fw_cfg.rst). The port interface, without DMA.
#pragma once

#include <cstdint>
#include <map>
#include <string>
#include <string_view>
#include <vector>

#include "emu/bus/port_bus.hpp"

namespace forkscope::devices {

// Two ports: offset 0 takes a 16-bit selector, offset 1 gives the item's bytes one after the other. Past the
// end of an item, and for an unknown one, bytes are 0.
class FwCfg final : public bus::PortDevice {
public:
    enum Item : uint16_t {
        Signature = 0x00,
        Id = 0x01,
        RamSize = 0x03,
        CpuCount = 0x05,
        MaxCpus = 0x0f,
        FileDirectory = 0x19
    };

    struct Regs {
        uint16_t selector = 0;
        uint32_t offset = 0;
        bool operator==(const Regs&) const = default;
    };

    FwCfg(uint64_t ram_bytes, uint16_t cpus);

    void add_item(uint16_t selector, std::vector<uint8_t> bytes);
    // A file in the directory; name: at most 55 characters.
    void add_file(std::string_view name, std::vector<uint8_t> bytes);

    [[nodiscard]] bus::WidthSet widths() const override {
        return bus::width_set(bus::Width::Byte, bus::Width::Word);
    }
    [[nodiscard]] uint32_t read(const bus::PortAccess& access) override;
    void write(const bus::PortAccess& access, uint32_t value) override;

    void reset() { regs_ = Regs{}; }
    [[nodiscard]] const Regs& regs() const { return regs_; }
    void restore(const Regs& regs) { regs_ = regs; }

private:
    struct File {
        std::string name;
        uint16_t selector;
        uint32_t size;
    };
    void build_directory();
    [[nodiscard]] uint8_t next_byte();

    std::map<uint16_t, std::vector<uint8_t>> items_;
    std::vector<File> files_;
    Regs regs_;
};

}  // namespace forkscope::devices
