#include "emu/loader/memory_map.hpp"

namespace forkscope::loader {

std::vector<MemoryRange> build_memory_map(const mem::GuestRam& ram) {
    std::vector<MemoryRange> map;
    map.push_back({PhysAddr(0), kExtendedBiosData.raw(), MemoryType::Ram});
    map.push_back({kExtendedBiosData, kScreenMemory - kExtendedBiosData, MemoryType::Reserved});
    map.push_back({kBios, kHighMemory - kBios, MemoryType::Reserved});
    for (const mem::RamRegion& region : ram.regions()) {
        // RAM is at least 2 MiB, so its first region reaches past kHighMemory.
        const uint64_t skipped = region.base < kHighMemory ? kHighMemory - region.base : 0;
        map.push_back({region.base + skipped, region.size - skipped, MemoryType::Ram});
    }
    return map;
}

}  // namespace forkscope::loader
