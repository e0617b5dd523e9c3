#include "emu/loader/start_info.hpp"

#include <utility>
#include <vector>

#include "emu/loader/bytes.hpp"

namespace forkscope::loader {

namespace {

constexpr uint32_t kMagic = 0x336ec578;
constexpr uint32_t kVersion = 1;

struct StartInfo {
    uint32_t magic;
    uint32_t version;
    uint32_t flags;
    uint32_t nr_modules;
    uint64_t modlist_paddr;
    uint64_t cmdline_paddr;
    uint64_t rsdp_paddr;
    uint64_t memmap_paddr;
    uint32_t memmap_entries;
    uint32_t reserved;
};
static_assert(sizeof(StartInfo) == 56);

struct Module {
    uint64_t paddr;
    uint64_t size;
    uint64_t cmdline_paddr;
    uint64_t reserved;
};
static_assert(sizeof(Module) == 32);

struct MapEntry {
    uint64_t addr;
    uint64_t size;
    uint32_t type;
    uint32_t reserved;
};
static_assert(sizeof(MapEntry) == 24);

}  // namespace

Result<> reserve_start_info(Placement& placement, const std::string& command_line) {
    TRY_VOID(placement.add("start info", "start info", kStartInfo, kPageSize, {}));
    return placement.add("command line", "command line", kCommandLine, command_line.size() + 1, {});
}

void fill_start_info(Placement& placement, const std::string& command_line,
                     const std::optional<PlacedRange>& initrd, std::optional<PhysAddr> rsdp) {
    const std::vector<MemoryRange>& map = placement.map();
    const PhysAddr modules = kStartInfo + sizeof(StartInfo);
    const PhysAddr entries = initrd ? modules + sizeof(Module) : modules;

    std::vector<uint8_t> page;
    append(page, StartInfo{.magic = kMagic,
                           .version = kVersion,
                           .flags = 0,
                           .nr_modules = initrd ? 1u : 0u,
                           .modlist_paddr = initrd ? modules.raw() : 0,
                           .cmdline_paddr = kCommandLine.raw(),
                           .rsdp_paddr = rsdp.value_or(PhysAddr()).raw(),
                           .memmap_paddr = entries.raw(),
                           .memmap_entries = static_cast<uint32_t>(map.size()),
                           .reserved = 0});
    if (initrd)
        append(page,
               Module{.paddr = initrd->base.raw(), .size = initrd->size, .cmdline_paddr = 0, .reserved = 0});
    for (const MemoryRange& range : map)
        append(page, MapEntry{range.base.raw(), range.size, static_cast<uint32_t>(range.type), 0});
    placement.fill(kStartInfo, std::move(page));
    placement.fill(kCommandLine, {command_line.begin(), command_line.end()});
}

}  // namespace forkscope::loader
