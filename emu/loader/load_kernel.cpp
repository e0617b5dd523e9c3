#include "emu/loader/load_kernel.hpp"

#include <array>
#include <cstring>
#include <utility>

#include "emu/loader/bytes.hpp"
#include "emu/loader/elf.hpp"
#include "emu/loader/long_mode.hpp"
#include "emu/loader/placement.hpp"
#include "emu/loader/start_info.hpp"
#include "guest/abi/image_note.hpp"

namespace forkscope::loader {

namespace {

constexpr std::string_view kExpected = "expected an ELF kernel with a PVH entry (Xen ELF note 18)";

// Kernels have about five; a hostile header table names 65,535, and each is compared with all others.
constexpr unsigned kMaxLoadSegments = 256;

struct Magic {
    uint64_t offset;
    std::string_view bytes;
    std::string_view what;
};
// What people hand to a loader that takes none of it.
constexpr std::array<Magic, 7> kOtherKinds = {{
    {0x202, "HdrS", "a Linux bzImage"},
    {0, "\x1f\x8b", "gzip data"},
    {0,
     "\xfd"
     "7zXZ",
     "xz data"},
    {0, "\x28\xb5\x2f\xfd", "zstd data"},
    {0, "0707", "a cpio archive"},
    {0, "MZ", "a PE program"},
    {0, "#!", "a script"},
}};

tl::unexpected<Error> refuse_kind(const Image& kernel) {
    for (const Magic& magic : kOtherKinds) {
        const auto& bytes = kernel.bytes;
        if (!is_inside(magic.offset, magic.bytes.size(), bytes.size())) continue;
        if (std::memcmp(bytes.data() + magic.offset, magic.bytes.data(), magic.bytes.size()) != 0) continue;
        return fail("{}: {} (by the bytes at offset {:#x}); {}", kernel.name, magic.what, magic.offset,
                    kExpected);
    }
    return fail("{}: no ELF magic at offset 0x0; {}", kernel.name, kExpected);
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

// The entry must lie in what was loaded: a wrong one is an error here rather than a strange crash there.
Result<> check_entry(const Placement& placement, const Image& kernel, uint64_t entry) {
    if (entry < kIdentityMapped && placement.covers(PhysAddr(entry), 1)) return {};
    return fail("{}: entry {:#x} is in none of the loaded segments, or above 4 GiB", kernel.name, entry);
}

Result<PhysAddr> pvh_entry(const Image& kernel, const ElfImage& elf) {
    const std::optional<ElfImage::Note> note = TRY(elf.find_note("Xen", kXenNotePhys32Entry));
    if (!note)
        return fail(
            "{}: an ELF image without a PVH entry in its note segments; {}, which a Linux vmlinux has with "
            "CONFIG_PVH",
            kernel.name, kExpected);
    if (const auto entry = load_at<uint64_t>(note->description, 0); entry && note->description.size() == 8)
        return PhysAddr(*entry);
    if (const auto entry = load_at<uint32_t>(note->description, 0); entry && note->description.size() == 4)
        return PhysAddr(*entry);
    return fail("{}: the PVH entry at offset {:#x} has {} bytes; expected 4 or 8", kernel.name, note->offset,
                note->description.size());
}

Result<BootPlan> place_elf(Placement& placement, const Image& kernel, Protocol protocol) {
    if (!ElfImage::has_magic(kernel.bytes)) return refuse_kind(kernel);
    const ElfImage elf = TRY(ElfImage::parse(kernel.name, kernel.bytes));
    if (elf.type() != kElfExecutable && elf.type() != kElfShared)
        return fail("{}: ELF type {} at offset 0x10; expected 2 (executable)", kernel.name, elf.type());
    BootPlan plan;
    if (protocol == Protocol::Long64) {
        if (!elf.is_64()) return fail("{}: a 32-bit ELF image; expected 64 bits", kernel.name);
        plan.kind = ImageKind::Elf64;
        plan.mode = EntryMode::Long64;
        plan.entry = PhysAddr(elf.entry());
    } else {
        plan.kind = elf.is_64() ? ImageKind::PvhElf64 : ImageKind::PvhElf32;
        plan.mode = EntryMode::Protected32;
        plan.entry = TRY(pvh_entry(kernel, elf));
    }
    TRY_VOID(place_segments(placement, kernel, elf));
    TRY_VOID(check_entry(placement, kernel, plan.entry.raw()));
    return plan;
}

Result<BootPlan> place_flat(Placement& placement, const Image& kernel, PhysAddr address) {
    const uint64_t size = kernel.bytes.size();
    if (!is_inside(address.raw(), size, kIdentityMapped))
        return fail("{}: {:#x} bytes at {:#x} reach past 4 GiB, where a flat image cannot go", kernel.name,
                    size, address.raw());
    TRY_VOID(
        placement.add(fmt::format("{}: flat image", kernel.name), "flat image", address, size, kernel.bytes));
    BootPlan plan;
    plan.kind = ImageKind::Flat;
    plan.mode = EntryMode::Long64;
    plan.entry = address;
    return plan;
}

Result<std::optional<PlacedRange>> place_initrd(Placement& placement, const Image* initrd) {
    if (initrd == nullptr) return std::optional<PlacedRange>{};
    const std::string what = fmt::format("{}: initrd", initrd->name);
    const PhysAddr base = TRY(placement.add_high(what, "initrd", initrd->bytes));
    return std::optional<PlacedRange>{{"initrd", base, initrd->bytes.size()}};
}

}  // namespace

Result<BootPlan> load_kernel(const Image& kernel, mem::GuestRam& ram, const LoadOptions& options) {
    if (options.command_line.size() > kMaxCommandLine)
        return fail("kernel command line: {} bytes; expected at most {}", options.command_line.size(),
                    kMaxCommandLine);
    // What the loader adds goes first, so that an overlap is reported as the image's.
    Placement placement(ram);
    TRY_VOID(reserve_start_info(placement, options.command_line));
    BootRegisters registers;
    const bool is_long = options.flat_address || options.protocol == Protocol::Long64;
    if (is_long) registers = TRY(place_long_mode(placement));
    BootPlan plan = options.flat_address ? TRY(place_flat(placement, kernel, *options.flat_address))
                                         : TRY(place_elf(placement, kernel, options.protocol));
    const std::optional<PlacedRange> initrd = TRY(place_initrd(placement, options.initrd));
    fill_start_info(placement, options.command_line, initrd);

    registers.rip = plan.entry.raw();
    registers.rbx = kStartInfo.raw();
    if (is_long) registers.rdi = kStartInfo.raw();
    plan.registers = registers;
    plan.placed = placement.commit();
    return plan;
}

bool is_bundled_kernel(const Image& kernel) {
    if (!ElfImage::has_magic(kernel.bytes)) return false;
    const auto elf = ElfImage::parse(kernel.name, kernel.bytes);
    if (!elf) return false;
    const auto note = elf->find_note(abi::kImageNoteOwner, abi::kImageNotePlainCpio);
    return note && note->has_value();
}

std::string BootPlan::description() const {
    const auto kind_name = [this] {
        switch (kind) {
            case ImageKind::PvhElf64:
                return "PVH ELF64";
            case ImageKind::PvhElf32:
                return "PVH ELF32";
            case ImageKind::Elf64:
                return "ELF64";
            case ImageKind::Flat:
                return "flat image";
        }
        return "image";
    };
    return fmt::format("{}, entry {:#x} in {}-bit mode", kind_name(), entry.raw(),
                       mode == EntryMode::Long64 ? 64 : 32);
}

}  // namespace forkscope::loader
