#include "tests/machine_parts/machine_storm.hpp"

#include <algorithm>
#include <cstring>
#include <memory>
#include <numeric>
#include <random>
#include <vector>

#include "emu/loader/load_kernel.hpp"
#include "emu/machine/address_map.hpp"
#include "emu/machine/machine.hpp"

namespace forkscope::machine {

namespace {

constexpr VirtualNs kSlice = 20'000;  // a random loop may run for ever
constexpr uint64_t kCode = 0x8000;
constexpr size_t kMostAccesses = 255;
constexpr size_t kCodeAfterScript = 4096;  // bytes

class MemoryDisk final : public bus::BlockStore {
public:
    [[nodiscard]] uint64_t sectors() const override { return bytes_.size() / kSectorBytes; }
    [[nodiscard]] bool read_only() const override { return false; }
    [[nodiscard]] bool read(uint64_t sector, std::span<uint8_t> to) override {
        std::memcpy(to.data(), &bytes_.at(sector * kSectorBytes), to.size());
        return true;
    }
    [[nodiscard]] bool write(uint64_t sector, std::span<const uint8_t> from) override {
        std::memcpy(&bytes_.at(sector * kSectorBytes), from.data(), from.size());
        return true;
    }
    [[nodiscard]] bool flush() override { return true; }

private:
    std::vector<uint8_t> bytes_ = std::vector<uint8_t>(64 * kSectorBytes);
};

class Storm {
public:
    explicit Storm(std::span<const uint8_t> script)
        : script_(script),
          more_(std::accumulate(script.begin(), script.end(), 1u,
                                [](uint32_t hash, uint8_t b) { return hash * 31 + b; })) {}

    StormEnd run() {
        const auto mode = static_cast<loader::EntryMode>(byte() % 3);
        MachineConfig config;
        config.ram_bytes = 2 * kMiB;
        config.drives = {&disk_};
        auto created = Machine::create(config, recorder_);
        if (!created) return {.broken = created.error().message};
        machine_ = std::move(*created);
        const size_t accesses = std::min<size_t>(byte(), kMostAccesses);
        std::vector<uint8_t> operations;
        for (size_t i = 0; i < accesses * kOperationBytes; ++i) operations.push_back(byte());

        loader::LoadOptions options;
        options.flat_address = PhysAddr(kCode);
        options.flat_mode = mode;
        // Long mode has its own structures there.
        if (mode == loader::EntryMode::Long64) options.flat_address = PhysAddr(0x100000);
        loader::Image code{"code", {}};
        const size_t code_bytes = std::min<size_t>(script_.size() + kCodeAfterScript, 64 * kKiB);
        while (code.bytes.size() < code_bytes) code.bytes.push_back(byte());
        const auto plan = loader::load_kernel(code, machine_->ram(), options);
        if (!plan) return {.broken = plan.error().message};
        machine_->boot(*plan);
        for (size_t at = 0; at < operations.size(); at += kOperationBytes)
            access(std::span(operations).subspan(at, kOperationBytes));
        return end(machine_->run(kSlice));
    }

private:
    static constexpr size_t kOperationBytes = 8;

    // After the script's end comes what it brings forth: a short one does much, too.
    uint8_t byte() {
        if (script_.empty()) return static_cast<uint8_t>(more_() >> 8);
        const uint8_t first = script_.front();
        script_ = script_.subspan(1);
        return first;
    }

    // What it is, its width, where (a device, and an offset), and a value.
    void access(std::span<const uint8_t> o) {
        const auto width = static_cast<bus::Width>(1u << (o[0] >> 2 & 3));
        const uint64_t value =
            uint64_t{o[4]} | uint64_t{o[5]} << 8 | uint64_t{o[6]} << 16 | uint64_t{o[7]} << 24;
        const unsigned offset = o[2] | static_cast<unsigned>(o[3]) << 8;
        const auto port_width = width == bus::Width::Qword ? bus::Width::Dword : width;
        const uint16_t port = port_of(o[1], offset);
        const PhysAddr address = address_of(o[1], offset);
        uint64_t got = 0;
        switch (o[0] & 3) {
            case 0:
                machine_->ports().write(port, port_width,
                                        static_cast<uint32_t>(value & bus::all_ones(port_width)), 0);
                break;
            case 1:
                got = machine_->ports().read(port, port_width, 0);
                if (got > bus::all_ones(port_width)) broken_ = "a read of a port gave bits above its width";
                break;
            case 2:
                machine_->mmio().write(address, width, value & bus::all_ones(width), 0);
                break;
            default:
                got = machine_->mmio().read(address, width, 0);
                if (got > bus::all_ones(width)) broken_ = "a read of memory gave bits above its width";
                break;
        }
        if (o[0] >= 0xf0)
            static_cast<void>(machine_->devices().keyboard_controller().key(
                static_cast<devices::KeyCode>(o[7]), devices::KeyMotion::Press));
    }
    // Mostly one of a device.
    uint16_t port_of(uint8_t choice, unsigned offset) {
        const auto& claims = machine_->ports().claims();
        if (choice >= 0xf0) return static_cast<uint16_t>(offset);
        const bus::PortRange& range = claims[choice % claims.size()].range;
        return static_cast<uint16_t>(range.first + offset % range.count);
    }
    PhysAddr address_of(uint8_t choice, unsigned offset) {
        const auto& claims = machine_->mmio().claims();
        if (choice >= 0xf0) return PhysAddr(uint64_t{offset} << 16 | offset);
        const bus::MmioRange& range = claims[choice % claims.size()].range;
        return range.base + offset % range.size;
    }

    StormEnd end(const MachineExit& exit) {
        const mmu::AuditReport audit = machine_->audit();
        if (!audit.clean()) broken_ = "the audit found a difference";
        // The engine gave up.
        if (exit.status == static_cast<int>(ExitStatus::CheckFailed)) broken_ = exit.message;
        uint64_t hash = 0xcbf29ce484222325;
        const uint8_t* ram = machine_->ram().at(PhysAddr(0), 2 * kMiB);
        for (size_t i = 0; i < 2 * kMiB; i += 8) {
            uint64_t word = 0;
            std::memcpy(&word, ram + i, sizeof word);
            hash = (hash ^ word) * 0x100000001b3;
        }
        return {broken_, static_cast<int>(exit.reason), machine_->cpu().icount(), hash};
    }

    std::span<const uint8_t> script_;
    std::minstd_rand more_;
    MemoryDisk disk_;
    log::Recorder recorder_;
    std::unique_ptr<Machine> machine_;
    std::string broken_;
};

}  // namespace

StormEnd machine_storm(std::span<const uint8_t> script) { return Storm(script).run(); }

}  // namespace forkscope::machine
