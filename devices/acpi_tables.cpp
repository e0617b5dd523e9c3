#include "devices/acpi_tables.hpp"

#include <algorithm>
#include <string_view>

#include "devices/acpi_aml.hpp"

namespace forkscope::devices {

namespace {

constexpr size_t kRsdpBytes = 36, kRsdpV1Bytes = 20, kFadtBytes = 276, kFacsBytes = 64;
constexpr size_t kChecksumOffset = 9, kLengthOffset = 4;

class Table {
public:
    // A table with the header that all but RSDP and FACS have (5.2.6 "System Description Table Header").
    Table(std::string_view signature, uint8_t revision) {
        text(signature, 4);
        put<uint32_t>(0);  // length, checksum: at the end
        put(revision);
        put<uint8_t>(0);
        text("FORKSC", 6);
        text("FORKSCOP", 8);
        put<uint32_t>(1);
        text("FORK", 4);
        put<uint32_t>(1);
    }
    template <typename T>
    void put(T value) {
        for (size_t i = 0; i < sizeof value; ++i)
            bytes_.push_back(static_cast<uint8_t>(static_cast<uint64_t>(value) >> (8 * i)));
    }
    template <typename T>
    void set(size_t offset, T value) {
        for (size_t i = 0; i < sizeof value; ++i)
            bytes_[offset + i] = static_cast<uint8_t>(static_cast<uint64_t>(value) >> (8 * i));
    }
    void text(std::string_view value, size_t size) {
        for (size_t i = 0; i < size; ++i)
            bytes_.push_back(static_cast<uint8_t>(i < value.size() ? value[i] : ' '));
    }
    void add(const std::vector<uint8_t>& more) { bytes_.insert(bytes_.end(), more.begin(), more.end()); }
    void resize(size_t size) { bytes_.resize(size); }
    // Length and checksum.
    [[nodiscard]] std::vector<uint8_t> finish() {
        set(kLengthOffset, static_cast<uint32_t>(bytes_.size()));
        set(kChecksumOffset, static_cast<uint8_t>(0 - sum(bytes_.size())));
        return std::move(bytes_);
    }
    [[nodiscard]] uint8_t sum(size_t size) const {
        unsigned total = 0;
        for (size_t i = 0; i < size; ++i) total += bytes_[i];
        return static_cast<uint8_t>(total);
    }

private:
    std::vector<uint8_t> bytes_;
};

// 5.2.3.2 "Generic Address Structure"
void put_port(Table& table, size_t offset, uint16_t port, uint8_t bytes) {
    constexpr uint8_t kIoSpace = 1;
    table.set(offset, kIoSpace);
    table.set(offset + 1, static_cast<uint8_t>(bytes * 8));
    table.set<uint64_t>(offset + 4, port);
}

// 5.2.9 "Fixed ACPI Description Table (FADT)"
std::vector<uint8_t> fadt(const AcpiConfig& c, PhysAddr facs, PhysAddr dsdt) {
    constexpr uint32_t kWbinvd = 1, kProcC1 = 4, kSleepButtonIsNone = 1 << 5, kTimer32 = 1 << 8,
                       kResetReg = 1 << 10;
    constexpr uint16_t kLegacyDevices = 1, kHas8042 = 2;
    Table t("FACP", 6);
    t.resize(kFadtBytes);
    t.set(36, static_cast<uint32_t>(facs.raw()));  // not in the 64-bit field too: one of them counts
    t.set(40, static_cast<uint32_t>(dsdt.raw()));
    t.set<uint16_t>(46, c.sci);
    t.set<uint32_t>(56, c.pm_event_port);
    t.set<uint32_t>(64, c.pm_control_port);
    t.set<uint32_t>(76, c.pm_timer_port);
    t.set<uint8_t>(88, 4);  // lengths of the blocks
    t.set<uint8_t>(89, 2);
    t.set<uint8_t>(91, 4);
    t.set<uint16_t>(96, 0xfff);  // C2 and C3 latencies: not there
    t.set<uint16_t>(98, 0xfff);
    t.set<uint8_t>(108, 0x32);  // the century, in CMOS
    t.set<uint16_t>(109, kLegacyDevices | kHas8042);
    t.set<uint32_t>(112, kWbinvd | kProcC1 | kSleepButtonIsNone | kTimer32 | kResetReg);
    put_port(t, 116, c.reset_port, 1);
    t.set(128, c.reset_value);
    t.set<uint64_t>(140, dsdt.raw());
    put_port(t, 148, c.pm_event_port, 4);
    put_port(t, 172, c.pm_control_port, 2);
    put_port(t, 208, c.pm_timer_port, 4);
    return t.finish();
}

// 5.2.12 "Multiple APIC Description Table (MADT)"
std::vector<uint8_t> madt(const AcpiConfig& c) {
    constexpr uint32_t kHas8259 = 1;
    constexpr uint16_t kActiveHighLevel = 0x0d;
    Table t("APIC", 5);
    t.put(static_cast<uint32_t>(c.local_apic.raw()));
    t.put(kHas8259);
    for (unsigned cpu = 0; cpu < c.cpus; ++cpu) {
        t.add({0, 8, static_cast<uint8_t>(cpu), static_cast<uint8_t>(cpu)});
        t.put<uint32_t>(1);  // enabled
    }
    t.add({1, 12, static_cast<uint8_t>(c.cpus), 0});
    t.put(static_cast<uint32_t>(c.io_apic.raw()));
    t.put<uint32_t>(0);  // its first global interrupt
    // The timer's IRQ 0 is input 2, and ACPI's own interrupt is level triggered.
    const auto override_irq = [&](uint8_t irq, uint32_t input, uint16_t flags) {
        t.add({2, 10, 0, irq});
        t.put(input);
        t.put(flags);
    };
    override_irq(0, 2, 0);
    override_irq(c.sci, c.sci, kActiveHighLevel);
    t.add({4, 6, 0xff, 0, 0, 1});  // NMI at LINT1 of every CPU
    return t.finish();
}

std::vector<uint8_t> facs() {
    std::vector<uint8_t> bytes(kFacsBytes, 0);
    for (size_t i = 0; i < 4; ++i) bytes[i] = static_cast<uint8_t>("FACS"[i]);
    bytes[kLengthOffset] = kFacsBytes;
    bytes[32] = 2;  // version
    return bytes;
}

// The serial port, keyboard and mouse by their Plug and Play ids, and virtio.
aml::Bytes described_devices(const AcpiConfig& c) {
    const auto legacy = [](std::string_view name, std::string_view id, unsigned number,
                           const aml::Bytes& resources) {
        aml::Bytes content = aml::name("_HID", aml::string(id));
        aml::add(content, aml::name("_UID", aml::integer(number)));
        aml::add(content, aml::name("_CRS", aml::resources(resources)));
        return aml::device(name, content);
    };
    const auto with_irq = [](aml::Bytes ports, unsigned irq) {
        aml::add(ports, aml::edge_irq(irq));
        return ports;
    };
    aml::Bytes keyboard = aml::io_ports(0x60, 1);
    aml::add(keyboard, aml::io_ports(0x64, 1));
    aml::Bytes out;
    aml::add(out, legacy("COM1", "PNP0501", 1, with_irq(aml::io_ports(0x3f8, 8), 4)));
    aml::add(out, legacy("COM2", "PNP0501", 2, with_irq(aml::io_ports(0x2f8, 8), 3)));
    aml::add(out, legacy("KBD_", "PNP0303", 0, with_irq(keyboard, 1)));
    aml::add(out, legacy("MOU_", "PNP0F13", 0, aml::edge_irq(12)));
    aml::add(out, legacy("RTC_", "PNP0B00", 0, with_irq(aml::io_ports(0x70, 2), 8)));
    unsigned number = 0;
    for (const AcpiConfig::VirtioDevice& device : c.virtio) {
        aml::Bytes resources = aml::memory32(static_cast<uint32_t>(device.base.raw()), device.size);
        aml::add(resources, aml::level_interrupt(device.interrupt));
        const char name[] = {'V', 'R', '0', static_cast<char>("0123456789ABCDEF"[number % 16]), 0};
        aml::add(out, legacy(name, "LNRO0005", number++, resources));
    }
    return out;
}

std::vector<uint8_t> dsdt(const AcpiConfig& c) {
    Table t("DSDT", 2);
    const aml::Bytes type = aml::integer(c.soft_off_type);
    t.add(aml::name("_S5_", aml::package({type, type, aml::integer(0), aml::integer(0)})));
    t.add(aml::scope("_SB_", described_devices(c)));
    return t.finish();
}

std::vector<uint8_t> rsdp(PhysAddr rsdt, PhysAddr xsdt) {
    std::vector<uint8_t> bytes(kRsdpBytes, 0);
    const std::string_view signature = "RSD PTR ", oem = "FORKSC";
    std::copy(signature.begin(), signature.end(), bytes.begin());
    std::copy(oem.begin(), oem.end(), bytes.begin() + 9);
    bytes[15] = 2;  // revision
    for (size_t i = 0; i < 4; ++i) bytes[16 + i] = static_cast<uint8_t>(rsdt.raw() >> (8 * i));
    bytes[20] = kRsdpBytes;
    for (size_t i = 0; i < 8; ++i) bytes[24 + i] = static_cast<uint8_t>(xsdt.raw() >> (8 * i));
    const auto checksum = [&](size_t size) {
        unsigned total = 0;
        for (size_t i = 0; i < size; ++i) total += bytes[i];
        return static_cast<uint8_t>(0 - total);
    };
    bytes[8] = checksum(kRsdpV1Bytes);
    bytes[32] = checksum(kRsdpBytes);
    return bytes;
}

}  // namespace

std::vector<uint8_t> build_acpi_tables(const AcpiConfig& config) {
    std::vector<uint8_t> all(kRsdpBytes, 0);
    const auto place = [&](const std::vector<uint8_t>& table) {
        all.resize((all.size() + kAcpiAlignment - 1) / kAcpiAlignment * kAcpiAlignment);
        const PhysAddr at = config.base + all.size();
        all.insert(all.end(), table.begin(), table.end());
        return at;
    };
    const PhysAddr facs_at = place(facs());
    const PhysAddr dsdt_at = place(dsdt(config));
    const PhysAddr fadt_at = place(fadt(config, facs_at, dsdt_at));
    const PhysAddr madt_at = place(madt(config));
    Table rsdt("RSDT", 1), xsdt("XSDT", 1);
    for (const PhysAddr table : {fadt_at, madt_at}) {
        rsdt.put(static_cast<uint32_t>(table.raw()));
        xsdt.put(table.raw());
    }
    const PhysAddr rsdt_at = place(rsdt.finish());
    const PhysAddr xsdt_at = place(xsdt.finish());
    const std::vector<uint8_t> root = rsdp(rsdt_at, xsdt_at);
    std::copy(root.begin(), root.end(), all.begin());
    return all;
}

}  // namespace forkscope::devices
