#include "devices/acpi_loader.hpp"

#include <algorithm>
#include <cstring>

namespace forkscope::devices {

namespace {

constexpr size_t kCommandBytes = 128, kNameBytes = 56;
constexpr size_t kRootBytes = 36, kRootV1Bytes = 20;
// Of a table's header.
constexpr size_t kLengthOffset = 4, kChecksumOffset = 9, kHeaderBytes = 36;

class Script {
public:
    enum class Zone : uint8_t { High = 1, LastSegment = 2 };

    void allocate(std::string_view file, uint32_t alignment, Zone zone) {
        begin(1);
        name(file);
        number(alignment);
        bytes_.push_back(static_cast<uint8_t>(zone));
        end();
    }
    // The address of kTables is added to a number in `file`.
    void add_pointer(std::string_view file, size_t offset, uint8_t size) {
        begin(2);
        name(file);
        name(AcpiFiles::kTables);
        number(offset);
        bytes_.push_back(size);
        end();
    }
    // The byte at offset makes the sum of [start, start + length) zero.
    void add_checksum(std::string_view file, size_t offset, size_t start, size_t length) {
        begin(3);
        name(file);
        number(offset);
        number(start);
        number(length);
        end();
    }
    [[nodiscard]] std::vector<uint8_t> finish() { return std::move(bytes_); }

private:
    void begin(uint32_t command) {
        start_ = bytes_.size();
        number(command);
    }
    void end() { bytes_.resize(start_ + kCommandBytes); }
    void name(std::string_view text) {
        const size_t at = bytes_.size();
        bytes_.insert(bytes_.end(), text.begin(), text.end());
        bytes_.resize(at + kNameBytes);
    }
    void number(size_t value) {
        for (unsigned i = 0; i < 4; ++i) bytes_.push_back(static_cast<uint8_t>(value >> (8 * i)));
    }

    std::vector<uint8_t> bytes_;
    size_t start_ = 0;
};

// The table at `at`: which of its bytes are addresses.
void add_table(Script& script, const std::vector<uint8_t>& tables, size_t at, size_t length) {
    const std::string_view signature(reinterpret_cast<const char*>(&tables[at]), 4);
    if (signature == "FACP") {
        script.add_pointer(AcpiFiles::kTables, at + 36, 4);   // FIRMWARE_CTRL
        script.add_pointer(AcpiFiles::kTables, at + 40, 4);   // DSDT
        script.add_pointer(AcpiFiles::kTables, at + 140, 8);  // X_DSDT
    } else if (signature == "RSDT" || signature == "XSDT") {
        const uint8_t size = signature == "RSDT" ? 4 : 8;
        for (size_t entry = kHeaderBytes; entry < length; entry += size)
            script.add_pointer(AcpiFiles::kTables, at + entry, size);
    } else {
        return;
    }
    script.add_checksum(AcpiFiles::kTables, at + kChecksumOffset, at, length);
}

}  // namespace

// Built where the first table after the root pointer is at 0, every address is an offset into the file.
AcpiFiles build_acpi_files(AcpiConfig config) {
    config.base = PhysAddr(0) - kAcpiAlignment;
    const std::vector<uint8_t> all = build_acpi_tables(config);
    AcpiFiles files;
    files.root.assign(all.begin(), all.begin() + kRootBytes);
    files.tables.assign(all.begin() + kAcpiAlignment, all.end());

    Script script;
    script.allocate(AcpiFiles::kTables, kAcpiAlignment, Script::Zone::High);
    script.allocate(AcpiFiles::kRoot, 16, Script::Zone::LastSegment);
    for (size_t at = 0; at < files.tables.size();) {
        uint32_t length = 0;
        std::memcpy(&length, &files.tables[at + kLengthOffset], sizeof length);
        add_table(script, files.tables, at, length);
        at += (length + kAcpiAlignment - 1) / kAcpiAlignment * kAcpiAlignment;
    }
    script.add_pointer(AcpiFiles::kRoot, 16, 4);  // RsdtAddress
    script.add_pointer(AcpiFiles::kRoot, 24, 8);  // XsdtAddress
    script.add_checksum(AcpiFiles::kRoot, 8, 0, kRootV1Bytes);
    script.add_checksum(AcpiFiles::kRoot, 32, 0, kRootBytes);
    files.script = script.finish();
    return files;
}

}  // namespace forkscope::devices
