// QEMU's firmware configuration device, by which firmware and test kernels learn what the machine has (QEMU,
// docs/specs/fw_cfg.rst): the port interface, and DMA where the machine has memory for it.
#pragma once

#include <cstdint>
#include <map>
#include <span>
#include <string>
#include <string_view>
#include <vector>

#include "emu/bus/guest_memory.hpp"
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
        uint32_t dma_high = 0;  // of the address of a DMA request, whose low half starts it
        bool operator==(const Regs&) const = default;
    };

    // memory: for DMA, outlives this; null: none.
    FwCfg(uint64_t ram_bytes, uint16_t cpus, bus::GuestMemory* memory = nullptr);

    // The DMA register: eight ports, an address whose most significant byte comes first.
    static constexpr uint32_t kDmaPorts = 8;
    [[nodiscard]] bus::PortDevice& dma() { return dma_; }

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
    class Dma final : public bus::PortDevice {
    public:
        explicit Dma(FwCfg& chip) : chip_(chip) {}
        [[nodiscard]] bus::WidthSet widths() const override { return bus::width_set(bus::Width::Dword); }
        [[nodiscard]] uint32_t read(const bus::PortAccess& access) override;
        void write(const bus::PortAccess& access, uint32_t value) override;

    private:
        FwCfg& chip_;
    };

    void build_directory();
    void select(uint16_t item);
    [[nodiscard]] uint8_t next_byte();
    // Of the selected item, from where it stands.
    [[nodiscard]] std::span<const uint8_t> rest_of_item() const;
    void carry_out(PhysAddr request);
    [[nodiscard]] bool transfer(uint32_t control, uint32_t length, PhysAddr address);

    std::map<uint16_t, std::vector<uint8_t>> items_;
    std::vector<File> files_;
    Regs regs_;
    bus::GuestMemory* memory_;
    Dma dma_{*this};
};

}  // namespace forkscope::devices
