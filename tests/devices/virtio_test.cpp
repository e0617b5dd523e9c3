// Virtio over memory addresses, driven as a driver does it: queues, the disk, the console, random bytes.
#include <gtest/gtest.h>

#include <cstring>
#include <optional>
#include <string>
#include <vector>

#include "devices/virtio_block.hpp"
#include "devices/virtio_console.hpp"
#include "devices/virtio_entropy.hpp"
#include "tests/devices/bench.hpp"
#include "tests/devices/flat_memory.hpp"

namespace forkscope::devices {
namespace {

class MemoryDisk final : public bus::BlockStore {
public:
    [[nodiscard]] uint64_t sectors() const override { return bytes.size() / kSectorBytes; }
    [[nodiscard]] bool read_only() const override { return is_read_only; }
    [[nodiscard]] bool read(uint64_t sector, std::span<uint8_t> to) override {
        std::memcpy(to.data(), &bytes[sector * kSectorBytes], to.size());
        return !broken;
    }
    [[nodiscard]] bool write(uint64_t sector, std::span<const uint8_t> from) override {
        std::memcpy(&bytes[sector * kSectorBytes], from.data(), from.size());
        return !broken;
    }
    [[nodiscard]] bool flush() override { return ++flushes, !broken; }
    std::vector<uint8_t> bytes = std::vector<uint8_t>(32 * kSectorBytes);
    bool is_read_only = false, broken = false;
    unsigned flushes = 0;
};

// The driver's side of one device.
class Driver {
public:
    static constexpr uint64_t kDescriptors = 0x1000, kAvailable = 0x2000,
                              kUsed = 0x3000;  // 0x100 for each queue
    struct Part {
        uint64_t address;
        uint32_t size;
        bool writable;
    };

    Driver(VirtioDevice& device, FlatMemory& memory) : device_(device), memory_(memory) {}
    uint32_t get(uint64_t offset) {
        return static_cast<uint32_t>(device_.read({offset, bus::Width::Dword, 0}));
    }
    void set(uint64_t offset, uint32_t value) { device_.write({offset, bus::Width::Dword, 0}, value); }

    void begin(unsigned queues, uint32_t features = 0) {
        set(0x70, 0);
        set(0x70, 3);
        set(0x24, 0);
        set(0x20, features);
        set(0x24, 1);
        set(0x20, 1);  // VERSION_1
        set(0x70, 11);
        EXPECT_EQ(get(0x70), 11u);
        for (unsigned q = 0; q < queues; ++q) {
            set(0x30, q);
            set(0x38, 8);
            set(0x80, static_cast<uint32_t>(kDescriptors + 0x100 * q));
            set(0x90, static_cast<uint32_t>(kAvailable + 0x100 * q));
            set(0xa0, static_cast<uint32_t>(kUsed + 0x100 * q));
            set(0x44, 1);
        }
        set(0x70, 15);
    }
    void put(unsigned queue, const std::vector<Part>& parts) {
        for (size_t i = 0; i < parts.size(); ++i) {
            const bool last = i + 1 == parts.size();
            descriptor(queue, i, parts[i].address, parts[i].size,
                       static_cast<uint16_t>((parts[i].writable ? 2 : 0) | (last ? 0 : 1)),
                       static_cast<uint16_t>(i + 1));
        }
        offer(queue, 0);
    }
    void descriptor(unsigned queue, size_t n, uint64_t address, uint32_t size, uint16_t flags,
                    uint16_t next) {
        const uint64_t at = kDescriptors + 0x100 * queue + 16 * n;
        store(at, address);
        store(at + 8, size);
        store(at + 12, flags);
        store(at + 14, next);
    }
    void offer(unsigned queue, uint16_t head) {
        const uint64_t ring = kAvailable + 0x100 * queue;
        const auto index = load<uint16_t>(ring + 2);
        store(ring + 4 + 2 * (index % 8), head);
        store(ring + 2, static_cast<uint16_t>(index + 1));
        set(0x50, queue);
    }
    // Bytes written into the last request that came back, if one did.
    std::optional<uint32_t> done(unsigned queue) {
        const uint64_t ring = kUsed + 0x100 * queue;
        const auto index = load<uint16_t>(ring + 2);
        if (index == seen_[queue]) return std::nullopt;
        seen_[queue] = index;
        return load<uint32_t>(ring + 4 + 8 * ((index - 1) % 8) + 4);
    }
    template <typename T>
    void store(uint64_t at, T value) {
        std::memcpy(&memory_.bytes[at], &value, sizeof value);
    }
    template <typename T>
    T load(uint64_t at) {
        T value;
        std::memcpy(&value, &memory_.bytes[at], sizeof value);
        return value;
    }

private:
    VirtioDevice& device_;
    FlatMemory& memory_;
    uint16_t seen_[2] = {0, 0};
};

class VirtioBlockTest : public testing::Test {
protected:
    void header(uint32_t type, uint64_t sector) {
        driver.store<uint32_t>(0x4000, type);
        driver.store<uint64_t>(0x4008, sector);
        memory.bytes[0x4fff] = 0x77;
    }
    uint8_t status() { return memory.bytes[0x4fff]; }
    std::optional<uint32_t> request(uint32_t type, uint64_t sector, const std::vector<Driver::Part>& data) {
        header(type, sector);
        std::vector<Driver::Part> parts = {{0x4000, 16, false}};
        parts.insert(parts.end(), data.begin(), data.end());
        parts.push_back({0x4fff, 1, true});
        driver.put(0, parts);
        return driver.done(0);
    }

    FlatMemory memory;
    MemoryDisk disk;
    bus::IrqLine irq;
    VirtioBlock device{memory, irq, disk};
    Driver driver{device, memory};
};

TEST_F(VirtioBlockTest, Identity) {
    EXPECT_EQ(driver.get(0x00), 0x74726976u);
    EXPECT_EQ(driver.get(0x04), 2u);
    EXPECT_EQ(driver.get(0x08), 2u);
    driver.set(0x14, 1);
    EXPECT_EQ(driver.get(0x10), 1u);  // VERSION_1
    EXPECT_EQ(driver.get(0x100), 32u);
    EXPECT_EQ(driver.get(0x104), 0u);
    EXPECT_EQ(driver.get(0x34), 128u);
    driver.set(0x30, 1);
    EXPECT_EQ(driver.get(0x34), 0u);  // one queue
    EXPECT_EQ(device.read({0x100, bus::Width::Byte, 0}), 32u);
    EXPECT_EQ(device.read({0, bus::Width::Byte, 0}), 0u);  // registers are doublewords
}

TEST_F(VirtioBlockTest, UnknownFeaturesAreNotAgreedTo) {
    driver.set(0x70, 3);
    driver.set(0x24, 0);
    driver.set(0x20, 1);
    driver.set(0x24, 1);
    driver.set(0x20, 1);
    driver.set(0x70, 11);
    EXPECT_EQ(driver.get(0x70), 3u);
}

TEST_F(VirtioBlockTest, ReadsAndWritesInPieces) {
    driver.begin(1);
    for (size_t i = 0; i < 1024; ++i) memory.bytes[0x5000 + i] = static_cast<uint8_t>(i * 7);
    EXPECT_EQ(request(1, 3, {{0x5000, 100, false}, {0x5064, 924, false}}), 1u);
    EXPECT_EQ(status(), 0);
    EXPECT_EQ(std::memcmp(&disk.bytes[3 * 512], &memory.bytes[0x5000], 1024), 0);
    EXPECT_TRUE(irq.level());
    EXPECT_EQ(driver.get(0x60), 1u);
    driver.set(0x64, 1);
    EXPECT_FALSE(irq.level());
    EXPECT_EQ(request(0, 3, {{0x6000, 500, true}, {0x7000, 524, true}}), 1025u);
    EXPECT_EQ(std::memcmp(&memory.bytes[0x6000], &disk.bytes[3 * 512], 500), 0);
    EXPECT_EQ(std::memcmp(&memory.bytes[0x7000], &disk.bytes[3 * 512 + 500], 524), 0);
}

TEST_F(VirtioBlockTest, LongTransfers) {
    driver.begin(1);
    for (size_t i = 0; i < 0x2800; ++i) disk.bytes[i] = static_cast<uint8_t>(i / 512 + 1);
    EXPECT_EQ(request(0, 0, {{0x8000, 0x2800, true}}), 0x2801u);
    EXPECT_EQ(std::memcmp(&memory.bytes[0x8000], disk.bytes.data(), 0x2800), 0);
}

TEST_F(VirtioBlockTest, EndOfTheDisk) {
    driver.begin(1);
    EXPECT_EQ(request(0, 31, {{0x6000, 512, true}}), 513u);
    EXPECT_EQ(status(), 0);
    EXPECT_EQ(request(0, 31, {{0x6000, 1024, true}}), 1u);
    EXPECT_EQ(status(), 1);
    EXPECT_EQ(request(0, ~uint64_t{0}, {{0x6000, 512, true}}), 1u);
    EXPECT_EQ(status(), 1);
    EXPECT_EQ(request(0, 0, {{0x6000, 100, true}}), 1u);  // no whole sector
    EXPECT_EQ(status(), 1);
}

TEST_F(VirtioBlockTest, FlushIdentityAndUnknownRequests) {
    driver.begin(1);
    EXPECT_EQ(request(4, 0, {}), 1u);
    EXPECT_EQ(disk.flushes, 1u);
    EXPECT_EQ(request(8, 0, {{0x6000, 20, true}}), 21u);
    EXPECT_STREQ(reinterpret_cast<const char*>(&memory.bytes[0x6000]), "forkscope");
    EXPECT_EQ(request(99, 0, {}), 1u);
    EXPECT_EQ(status(), 2);
    disk.broken = true;
    EXPECT_EQ(request(0, 0, {{0x6000, 512, true}}), 1u);
    EXPECT_EQ(status(), 1);
    EXPECT_EQ(request(4, 0, {}), 1u);
    EXPECT_EQ(status(), 1);
}

TEST_F(VirtioBlockTest, ReadOnlyDisk) {
    disk.is_read_only = true;
    VirtioBlock locked(memory, irq, disk);
    Driver other(locked, memory);
    other.set(0x14, 0);
    EXPECT_NE(other.get(0x10) & 1u << 5, 0u);
    other.begin(1, 1u << 5);
    header(1, 0);
    other.put(0, {{0x4000, 16, false}, {0x5000, 512, false}, {0x4fff, 1, true}});
    EXPECT_EQ(status(), 1);
}

TEST_F(VirtioBlockTest, MemoryThatIsNotThere) {
    driver.begin(1);
    EXPECT_EQ(request(0, 0, {{0xff000000, 512, true}}), 1u);
    EXPECT_EQ(status(), 1);
    EXPECT_EQ(request(1, 0, {{0xffff'ffff'ffff'ff00, 512, false}}), 1u);
    EXPECT_EQ(status(), 1);
}

TEST_F(VirtioBlockTest, BrokenRingsAskForAReset) {
    const auto broken = [&] {
        const bool asks = (driver.get(0x70) & 64) != 0 && (driver.get(0x60) & 2) != 0;
        std::fill(memory.bytes.begin(), memory.bytes.end(), uint8_t{0});
        driver.begin(1);
        return asks;
    };
    driver.begin(1);
    driver.descriptor(0, 0, 0x4000, 16, 1, 0);  // a loop
    driver.offer(0, 0);
    EXPECT_TRUE(broken());
    driver.offer(0, 100);  // no such descriptor
    EXPECT_TRUE(broken());
    driver.descriptor(0, 0, 0x4000, 16, 4, 0);  // indirect
    driver.offer(0, 0);
    EXPECT_TRUE(broken());
    driver.descriptor(0, 0, 0x4000, 16, 3, 1);  // readable after writable
    driver.descriptor(0, 1, 0x4000, 16, 0, 0);
    driver.offer(0, 0);
    EXPECT_TRUE(broken());
    driver.store<uint16_t>(Driver::kAvailable + 2, 100);  // more than the ring holds
    driver.set(0x50, 0);
    EXPECT_TRUE(broken());
    driver.set(0x90, 0xffff0000);  // rings outside RAM
    driver.set(0x50, 0);
    EXPECT_TRUE(broken());
    EXPECT_EQ(driver.get(0x70), 15u);
}

TEST_F(VirtioBlockTest, NothingHappensBeforeTheDriverIsReady) {
    header(4, 0);
    driver.put(0, {{0x4000, 16, false}, {0x4fff, 1, true}});
    EXPECT_FALSE(driver.done(0).has_value());
    driver.set(0x50, 77);  // no such queue
    driver.begin(1);
    driver.set(0x50, 0);
    EXPECT_EQ(driver.done(0), 1u);
}

TEST_F(VirtioBlockTest, DriverMayWantNoInterrupt) {
    driver.begin(1);
    driver.store<uint16_t>(Driver::kAvailable, 1);
    EXPECT_EQ(request(4, 0, {}), 1u);
    EXPECT_FALSE(irq.level());
}

TEST_F(VirtioBlockTest, RestoreGoesOn) {
    driver.begin(1);
    request(4, 0, {});
    bus::IrqLine line;
    VirtioBlock other(memory, line, disk);
    other.restore(device.regs());
    EXPECT_TRUE(line.level());
    EXPECT_EQ(other.regs(), device.regs());
    EXPECT_EQ(disk.flushes, 1u);
}

TEST(VirtioConsole, BothDirections) {
    FlatMemory memory;
    bus::IrqLine irq;
    StringSink sink;
    VirtioConsole device(memory, irq, sink);
    Driver driver(device, memory);
    driver.begin(2);
    std::memcpy(&memory.bytes[0x5000], "hello", 5);
    driver.put(1, {{0x5000, 2, false}, {0x5002, 3, false}});
    EXPECT_EQ(driver.done(1), 0u);
    EXPECT_EQ(sink.text, "hello");
    const uint8_t typed[] = {'a', 'b', 'c'};
    device.receive(typed);  // nobody has asked yet
    driver.put(0, {{0x6000, 2, true}});
    EXPECT_EQ(driver.done(0), 2u);
    driver.put(0, {{0x6002, 10, true}});
    EXPECT_EQ(driver.done(0), 1u);
    EXPECT_EQ(std::memcmp(&memory.bytes[0x6000], "abc", 3), 0);
}

TEST(VirtioEntropy, BytesRepeatFromRunToRun) {
    std::vector<uint8_t> first;
    for (int run = 0; run < 2; ++run) {
        FlatMemory memory;
        bus::IrqLine irq;
        VirtioEntropy device(memory, irq);
        Driver driver(device, memory);
        driver.begin(1);
        driver.put(0, {{0x5000, 64, true}});
        EXPECT_EQ(driver.done(0), 64u);
        const std::vector<uint8_t> bytes(memory.bytes.begin() + 0x5000, memory.bytes.begin() + 0x5040);
        EXPECT_NE(bytes, std::vector<uint8_t>(64, 0));
        if (run == 0) first = bytes;
        EXPECT_EQ(bytes, first);
    }
}

}  // namespace
}  // namespace forkscope::devices
