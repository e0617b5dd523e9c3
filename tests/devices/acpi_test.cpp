// ACPI: the tables as a kernel finds them, and the registers that they point at.
#include <gtest/gtest.h>

#include <cstring>
#include <string>

#include "devices/acpi_aml.hpp"
#include "devices/acpi_loader.hpp"
#include "devices/acpi_pm.hpp"
#include "devices/acpi_tables.hpp"
#include "devices/reset_control.hpp"
#include "tests/devices/bench.hpp"

namespace forkscope::devices {
namespace {

AcpiConfig config() {
    AcpiConfig c;
    c.base = PhysAddr(0xf0000);
    c.local_apic = PhysAddr(0xfee00000);
    c.io_apic = PhysAddr(0xfec00000);
    c.pm_event_port = 0x600;
    c.pm_control_port = 0x604;
    c.pm_timer_port = 0x608;
    c.soft_off_type = 5;
    c.reset_port = 0xcf9;
    c.reset_value = 6;
    c.virtio = {{PhysAddr(0xfeb00000), 0x200, 16}};
    return c;
}

class Tables : public testing::Test {
protected:
    template <typename T>
    T at(uint64_t address) {
        T value{};
        std::memcpy(&value, &bytes.at(address - 0xf0000), sizeof value);
        return value;
    }
    std::string text(uint64_t address, size_t size) {
        return {reinterpret_cast<const char*>(&bytes.at(address - 0xf0000)), size};
    }
    uint8_t sum(uint64_t address, uint64_t size) {
        unsigned total = 0;
        for (uint64_t i = 0; i < size; ++i) total += at<uint8_t>(address + i);
        return static_cast<uint8_t>(total);
    }
    // The address of a table by its signature, through the XSDT.
    uint64_t find(const std::string& signature) {
        const uint64_t xsdt = at<uint64_t>(0xf0018);
        for (uint64_t entry = xsdt + 36; entry < xsdt + at<uint32_t>(xsdt + 4); entry += 8)
            if (text(at<uint64_t>(entry), 4) == signature) return at<uint64_t>(entry);
        return 0;
    }

    std::vector<uint8_t> bytes = build_acpi_tables(config());
};

// What firmware does with the script, at an address of its choice.
TEST_F(Tables, ForFirmwareTheyCanGoAnywhere) {
    AcpiFiles files = build_acpi_files(config());
    constexpr uint64_t kTablesAt = 0x7fe0000;
    const auto number = [](const uint8_t* p) {
        uint32_t value = 0;
        std::memcpy(&value, p, sizeof value);
        return value;
    };
    ASSERT_EQ(files.script.size() % 128, 0u);
    for (size_t at = 0; at < files.script.size(); at += 128) {
        const uint8_t* command = &files.script[at];
        const auto* name = reinterpret_cast<const char*>(command + 4);
        std::vector<uint8_t>& file = name == AcpiFiles::kRoot ? files.root : files.tables;
        if (number(command) == 2) {
            EXPECT_EQ(reinterpret_cast<const char*>(command + 60), AcpiFiles::kTables);
            uint64_t pointer = 0;
            uint8_t* where = &file.at(number(command + 116));
            std::memcpy(&pointer, where, command[120]);
            pointer += kTablesAt;
            std::memcpy(where, &pointer, command[120]);
        } else if (number(command) == 3) {
            uint8_t total = 0;
            for (uint32_t i = 0; i < number(command + 68); ++i)
                total = static_cast<uint8_t>(total + file.at(number(command + 64) + i));
            uint8_t& checksum = file.at(number(command + 60));
            checksum = static_cast<uint8_t>(checksum - total);
        }
    }
    // The same as when they are built for that place.
    AcpiConfig there = config();
    there.base = PhysAddr(kTablesAt - kAcpiAlignment);
    bytes = build_acpi_tables(there);
    EXPECT_EQ(files.root, std::vector<uint8_t>(bytes.begin(), bytes.begin() + 36));
    EXPECT_EQ(files.tables, std::vector<uint8_t>(bytes.begin() + kAcpiAlignment, bytes.end()));
}

TEST_F(Tables, RootPointer) {
    EXPECT_EQ(text(0xf0000, 8), "RSD PTR ");
    EXPECT_EQ(sum(0xf0000, 20), 0);
    EXPECT_EQ(sum(0xf0000, 36), 0);
    EXPECT_EQ(at<uint8_t>(0xf000f), 2);
}

TEST_F(Tables, BothDirectoriesAgreeAndEveryTableSumsToZero) {
    const uint64_t rsdt = at<uint32_t>(0xf0010), xsdt = at<uint64_t>(0xf0018);
    const uint64_t count = (at<uint32_t>(rsdt + 4) - 36) / 4;
    ASSERT_EQ(count, 2u);
    for (uint64_t i = 0; i < count; ++i) {
        const uint64_t table = at<uint32_t>(rsdt + 36 + 4 * i);
        EXPECT_EQ(table, at<uint64_t>(xsdt + 36 + 8 * i));
        EXPECT_EQ(sum(table, at<uint32_t>(table + 4)), 0) << text(table, 4);
    }
    EXPECT_EQ(sum(rsdt, at<uint32_t>(rsdt + 4)), 0);
    EXPECT_EQ(sum(xsdt, at<uint32_t>(xsdt + 4)), 0);
}

TEST_F(Tables, FixedDescription) {
    const uint64_t fadt = find("FACP");
    EXPECT_EQ(at<uint32_t>(fadt + 56), 0x600u);
    EXPECT_EQ(at<uint32_t>(fadt + 64), 0x604u);
    EXPECT_EQ(at<uint32_t>(fadt + 76), 0x608u);
    EXPECT_EQ(at<uint16_t>(fadt + 46), 9);
    EXPECT_EQ(at<uint64_t>(fadt + 120), 0xcf9u);
    EXPECT_EQ(at<uint8_t>(fadt + 128), 6);
    const uint64_t facs = at<uint32_t>(fadt + 36), dsdt = at<uint32_t>(fadt + 40);
    EXPECT_EQ(text(facs, 4), "FACS");
    EXPECT_EQ(facs % 64, 0u);
    EXPECT_EQ(text(dsdt, 4), "DSDT");
    EXPECT_EQ(at<uint64_t>(fadt + 140), dsdt);
    EXPECT_EQ(sum(dsdt, at<uint32_t>(dsdt + 4)), 0);
    EXPECT_NE(text(dsdt, at<uint32_t>(dsdt + 4)).find("LNRO0005"), std::string::npos);
    EXPECT_NE(text(dsdt, at<uint32_t>(dsdt + 4)).find("_S5_"), std::string::npos);
}

TEST_F(Tables, InterruptControllers) {
    const uint64_t madt = find("APIC");
    EXPECT_EQ(at<uint32_t>(madt + 36), 0xfee00000u);
    std::string kinds;
    for (uint64_t entry = madt + 44; entry < madt + at<uint32_t>(madt + 4); entry += at<uint8_t>(entry + 1)) {
        kinds += static_cast<char>('0' + at<uint8_t>(entry));
        if (at<uint8_t>(entry) == 1) {
            EXPECT_EQ(at<uint32_t>(entry + 4), 0xfec00000u);
        }
    }
    EXPECT_EQ(kinds, "01224");  // CPU, I/O APIC, two overrides, NMI
}

TEST(Aml, LengthsOfEachForm) {
    // Name (_S5, Package { 5 })
    EXPECT_EQ(aml::name("_S5", aml::package({aml::integer(5)})),
              (aml::Bytes{0x08, '_', 'S', '5', '_', 0x12, 4, 1, 0x0a, 5}));
    EXPECT_EQ(aml::integer(1), aml::Bytes{1});
    EXPECT_EQ(aml::integer(0x1234), (aml::Bytes{0x0b, 0x34, 0x12}));
    EXPECT_EQ(aml::integer(0x12345678), (aml::Bytes{0x0c, 0x78, 0x56, 0x34, 0x12}));
    const aml::Bytes small = aml::device("A", aml::Bytes(58, 0));
    EXPECT_EQ(small[2], 63);  // one byte: up to 63
    const aml::Bytes middle = aml::device("A", aml::Bytes(59, 0));
    EXPECT_EQ(middle[2], 0x40 | 1);  // 65 = 4 << 4 | 1
    EXPECT_EQ(middle[3], 4);
    const aml::Bytes large = aml::device("A", aml::Bytes(5000, 0));
    EXPECT_EQ(large[2], 0x80 | (5007 & 15));
    EXPECT_EQ(large[3] | large[4] << 8, 5007 >> 4);
}

class AcpiPmTest : public testing::Test {
protected:
    uint32_t read(uint16_t offset, bus::Width width) { return pm.read({offset, width, 0}); }
    void write(uint16_t offset, bus::Width width, uint32_t value) { pm.write({offset, width, 0}, value); }

    Bench bench;
    bus::IrqLine sci;
    unsigned power_offs = 0;
    AcpiPm pm{bench.timers, sci, [this] { ++power_offs; }};
};

TEST_F(AcpiPmTest, TimerRunsAtItsRate) {
    bench.run_until(kNsPerSecond);
    EXPECT_EQ(read(8, bus::Width::Dword), AcpiPm::kTimerHz);
    bench.run_until(2'000 * kNsPerSecond);
    EXPECT_EQ(read(8, bus::Width::Dword), static_cast<uint32_t>(2'000 * AcpiPm::kTimerHz));  // it wraps
    EXPECT_EQ(read(9, bus::Width::Byte) & 0xff, (2'000 * AcpiPm::kTimerHz >> 8) & 0xff);
}

TEST_F(AcpiPmTest, SoftOffNeedsItsTypeAndTheEnable) {
    EXPECT_EQ(read(4, bus::Width::Word), 1u);  // SCI_EN
    write(4, bus::Width::Word, 5u << 10);
    EXPECT_EQ(power_offs, 0u);
    write(4, bus::Width::Word, 1u << 13 | 4u << 10);
    EXPECT_EQ(power_offs, 0u);
    write(4, bus::Width::Word, 1u << 13 | 5u << 10);
    EXPECT_EQ(power_offs, 1u);
    EXPECT_EQ(read(4, bus::Width::Word), 5u << 10 | 1);
}

TEST_F(AcpiPmTest, PowerButtonRaisesTheInterruptUntilCleared) {
    pm.press_power_button();
    EXPECT_FALSE(sci.level());
    write(2, bus::Width::Word, 1u << 8);
    EXPECT_TRUE(sci.level());
    EXPECT_EQ(read(0, bus::Width::Dword), 1u << 8 | 1u << 24);
    write(0, bus::Width::Word, 1u << 8);
    EXPECT_FALSE(sci.level());
    EXPECT_EQ(read(0, bus::Width::Word), 0u);
    EXPECT_EQ(read(3, bus::Width::Byte) & 0xff, 1u);
}

TEST(ResetControl, BitTwoOfItsByteResets) {
    unsigned resets = 0;
    ResetControl control([&] { ++resets; });
    bus::PortBus bus;
    ASSERT_TRUE(bus.insert("reset control", {0xcf8, ResetControl::kPorts}, control));
    bus.write(0xcf9, bus::Width::Byte, 2, 0);
    EXPECT_EQ(resets, 0u);
    bus.write(0xcf9, bus::Width::Byte, 6, 0);
    EXPECT_EQ(resets, 1u);
    EXPECT_EQ(bus.read(0xcf9, bus::Width::Byte, 0), 2u);
    // PCI's configuration address of device 0, function 4 has that bit too.
    bus.write(0xcf8, bus::Width::Dword, 0x80000400, 0);
    bus.write(0xcf8, bus::Width::Word, 0x0400, 0);
    EXPECT_EQ(resets, 1u);
    EXPECT_EQ(bus.read(0xcf8, bus::Width::Dword, 0), 0xffffffffu);
    EXPECT_EQ(bus.read(0xcf8, bus::Width::Byte, 0), 0xffu);
}

}  // namespace
}  // namespace forkscope::devices
