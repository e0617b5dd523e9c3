#include "emu/loader/load_kernel.hpp"

#include <array>
#include <cstring>
#include <utility>

#include "emu/loader/bytes.hpp"
#include "emu/loader/elf.hpp"
#include "emu/loader/linux_boot.hpp"
#include "emu/loader/load_elf.hpp"
#include "emu/loader/long_mode.hpp"
#include "emu/loader/multiboot.hpp"
#include "emu/loader/placement.hpp"
#include "emu/loader/start_info.hpp"
#include "guest/abi/image_note.hpp"

namespace forkscope::loader {

namespace {

constexpr std::string_view kExpected =
    "expected a Linux bzImage, a multiboot image, or an ELF kernel with a PVH entry (Xen ELF note 18)";

struct Magic {
    uint64_t offset;
    std::string_view bytes;
    std::string_view what;
};
// What people hand to a loader that takes none of it.
constexpr std::array<Magic, 6> kOtherKinds = {{
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

bool has_pvh_note(const Image& kernel) {
    if (!ElfImage::has_magic(kernel.bytes)) return false;
    const auto elf = ElfImage::parse(kernel.name, kernel.bytes);
    if (!elf) return false;
    const auto note = elf->find_note("Xen", kXenNotePhys32Entry);
    return note && note->has_value();
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

Result<std::optional<PlacedRange>> place_initrd(Placement& placement, const Image* initrd) {
    if (initrd == nullptr) return std::optional<PlacedRange>{};
    const std::string what = fmt::format("{}: initrd", initrd->name);
    const PhysAddr base = TRY(placement.add_high(what, "initrd", initrd->bytes));
    return std::optional<PlacedRange>{{"initrd", base, initrd->bytes.size()}};
}

// Images that get hvm_start_info. What the loader adds goes first, so that an overlap is reported as the
// image's.
template <typename PlaceImage>
Result<BootPlan> place_with_start_info(Placement& placement, const LoadOptions& options, EntryMode mode,
                                       const PlaceImage& place_image) {
    TRY_VOID(reserve_start_info(placement, options.command_line));
    BootPlan plan;
    plan.mode = mode;
    if (mode == EntryMode::Long64) plan.registers = TRY(place_long_mode(placement));
    TRY_VOID(place_image(plan));
    const std::optional<PlacedRange> initrd = TRY(place_initrd(placement, options.initrd));
    fill_start_info(placement, options.command_line, initrd, options.rsdp);
    plan.registers.rip = plan.entry.raw();
    plan.registers.rbx = kStartInfo.raw();
    if (mode == EntryMode::Long64) plan.registers.rdi = kStartInfo.raw();
    return plan;
}

Result<BootPlan> place_elf(Placement& placement, const Image& kernel, const LoadOptions& options) {
    const ElfImage elf = TRY(parse_executable(kernel));
    const bool is_long = options.protocol == Protocol::Long64;
    if (is_long && !elf.is_64()) return fail("{}: a 32-bit ELF image; expected 64 bits", kernel.name);
    const EntryMode mode = is_long ? EntryMode::Long64 : EntryMode::Protected32;
    return place_with_start_info(placement, options, mode, [&](BootPlan& plan) -> Result<> {
        plan.kind = is_long ? ImageKind::Elf64 : elf.is_64() ? ImageKind::PvhElf64 : ImageKind::PvhElf32;
        plan.entry = is_long ? PhysAddr(elf.entry()) : TRY(pvh_entry(kernel, elf));
        TRY_VOID(place_segments(placement, kernel, elf));
        return check_entry(placement, kernel, plan.entry.raw());
    });
}

Result<BootPlan> place_flat(Placement& placement, const Image& kernel, const LoadOptions& options) {
    const PhysAddr address = *options.flat_address;
    const uint64_t size = kernel.bytes.size();
    const bool is_real = options.flat_mode == EntryMode::Real16;
    const uint64_t limit = is_real ? kMiB : kIdentityMapped;
    if (!is_inside(address.raw(), size, limit))
        return fail("{}: {:#x} bytes at {:#x} reach past {}, where a flat image cannot go", kernel.name, size,
                    address.raw(), is_real ? "1 MiB" : "4 GiB");
    BootPlan plan =
        TRY(place_with_start_info(placement, options, options.flat_mode, [&](BootPlan& p) -> Result<> {
            p.kind = ImageKind::Flat;
            p.entry = address;
            return placement.add(fmt::format("{}: flat image", kernel.name), "flat image", address, size,
                                 kernel.bytes);
        }));
    if (is_real && address.raw() > 0xffff) {
        plan.registers.code_segment = static_cast<uint16_t>(address.raw() >> 4);
        plan.registers.rip = address.raw() & 15;
    }
    return plan;
}

Result<BootPlan> place_image(Placement& placement, const Image& kernel, const LoadOptions& options) {
    if (options.flat_address) return place_flat(placement, kernel, options);
    if (options.protocol == Protocol::Long64) return place_elf(placement, kernel, options);
    if (is_bzimage(kernel.bytes)) return place_bzimage(placement, kernel, options);
    if (is_multiboot(kernel))
        return place_multiboot(placement, kernel, *find_multiboot_header(kernel.bytes), options);
    if (!ElfImage::has_magic(kernel.bytes)) return refuse_kind(kernel);
    if (is_linux(kernel.bytes) && !has_pvh_note(kernel)) return place_vmlinux(placement, kernel, options);
    return place_elf(placement, kernel, options);
}

}  // namespace

Result<BootPlan> load_kernel(const Image& kernel, mem::GuestRam& ram, const LoadOptions& options) {
    if (options.command_line.size() > kMaxCommandLine)
        return fail("kernel command line: {} bytes; expected at most {}", options.command_line.size(),
                    kMaxCommandLine);
    Placement placement(ram);
    BootPlan plan = TRY(place_image(placement, kernel, options));
    if (options.framebuffer && !plan.framebuffer)
        return fail("{}: a {}, which is not told of a framebuffer; expected a Linux bzImage or vmlinux",
                    kernel.name, plan.description());
    plan.placed = placement.commit();
    return plan;
}

// An image with a PVH entry as well is started by that.
bool is_multiboot(const Image& kernel) {
    return !is_bzimage(kernel.bytes) && find_multiboot_header(kernel.bytes) && !has_pvh_note(kernel);
}

bool is_bundled_kernel(const Image& kernel) {
    if (!ElfImage::has_magic(kernel.bytes)) return false;
    const auto elf = ElfImage::parse(kernel.name, kernel.bytes);
    if (!elf) return false;
    const auto note = elf->find_note(abi::kImageNoteOwner, abi::kImageNotePlainCpio);
    return note && note->has_value();
}

}  // namespace forkscope::loader
