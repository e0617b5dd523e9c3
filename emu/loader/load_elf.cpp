#include "emu/loader/load_elf.hpp"

#include <span>

#include "emu/loader/long_mode.hpp"

namespace forkscope::loader {

namespace {

// Kernels have about five; a hostile header table names 65,535, and each is compared with all others.
constexpr unsigned kMaxLoadSegments = 256;

}  // namespace

Result<ElfImage> parse_executable(const Image& kernel) {
    ElfImage elf = TRY(ElfImage::parse(kernel.name, kernel.bytes));
    if (elf.type() != kElfExecutable && elf.type() != kElfShared)
        return fail("{}: ELF type {} at offset 0x10; expected 2 (executable)", kernel.name, elf.type());
    return elf;
}

Result<> place_segments(Placement& placement, const Image& kernel, const ElfImage& elf) {
    unsigned number = 0;
    unsigned loads = 0;
    for (const ElfSegment& segment : TRY(elf.segments())) {
        const unsigned index = number++;
        if (segment.type != kSegmentLoad) continue;
        const std::string what = fmt::format("{}: segment {} (program header at offset {:#x})", kernel.name,
                                             index, segment.header_offset);
        if (++loads > kMaxLoadSegments)
            return fail("{}; expected at most {} segments to load", what, kMaxLoadSegments);
        if (segment.filesz > segment.memsz)
            return fail("{}: {:#x} bytes in the file for {:#x} in memory; expected no more in the file", what,
                        segment.filesz, segment.memsz);
        const auto bytes = std::span(kernel.bytes).subspan(segment.offset, segment.filesz);
        TRY_VOID(placement.add(what, fmt::format("kernel segment {}", index), PhysAddr(segment.paddr),
                               segment.memsz, bytes));
    }
    return {};
}

// A wrong one is an error here rather than a strange crash there.
Result<> check_entry(const Placement& placement, const Image& kernel, uint64_t entry) {
    if (entry < kIdentityMapped && placement.covers(PhysAddr(entry), 1)) return {};
    return fail("{}: entry {:#x} is in none of the loaded segments, or above 4 GiB", kernel.name, entry);
}

}  // namespace forkscope::loader
