#include "emu/loader/long_mode.hpp"

#include <array>
#include <utility>
#include <vector>

#include "emu/loader/bytes.hpp"

namespace forkscope::loader {

namespace {

// Intel SDM vol. 3, 4.5.4 "Linear-Address Translation with 4-Level Paging": present, writable; bit 7 of a
// page-directory entry: a 2 MiB page.
constexpr uint64_t kTable = 0x3;
constexpr uint64_t kLargePage = 0x83;
constexpr uint64_t kLargePageBytes = 2 * kMiB;
constexpr uint64_t kEntries = 512;
constexpr uint64_t kDirectories = kIdentityMapped / (kEntries * kLargePageBytes);

// SDM vol. 3, 3.4.5 "Segment Descriptors": 64-bit code at selector 0x10, data at 0x18, which
// are Linux's __BOOT_CS and __BOOT_DS; both of ring 0 and accessed.
constexpr std::array<uint64_t, 4> kGdt = {0, 0, 0x00af'9b00'0000'ffff, 0x00cf'9300'0000'ffff};

static_assert(kBootTables + (2 + kDirectories) * kPageSize <= kBootGdt);

std::vector<uint8_t> identity_tables() {
    const PhysAddr pointers = kBootTables + kPageSize;
    const PhysAddr directories = pointers + kPageSize;
    std::vector<uint8_t> bytes;
    append(bytes, pointers.raw() | kTable);
    bytes.resize(kPageSize);
    for (uint64_t i = 0; i < kDirectories; ++i) append(bytes, (directories + i * kPageSize).raw() | kTable);
    bytes.resize(2 * kPageSize);
    for (uint64_t i = 0; i < kDirectories * kEntries; ++i) append(bytes, i * kLargePageBytes | kLargePage);
    return bytes;
}

}  // namespace

Result<BootRegisters> place_long_mode(Placement& placement) {
    TRY_VOID(placement.add_owned("boot page tables", kBootTables, identity_tables()));
    std::vector<uint8_t> gdt;
    for (const uint64_t descriptor : kGdt) append(gdt, descriptor);
    const auto gdt_limit = static_cast<uint16_t>(gdt.size() - 1);
    TRY_VOID(placement.add_owned("boot GDT", kBootGdt, std::move(gdt)));
    TRY_VOID(
        placement.add("boot stack", "boot stack", kBootStackBottom, kBootStackTop - kBootStackBottom, {}));
    BootRegisters registers;
    registers.rsp = kBootStackTop.raw();
    registers.cr3 = kBootTables;
    registers.gdt_base = kBootGdt;
    registers.gdt_limit = gdt_limit;
    return registers;
}

}  // namespace forkscope::loader
