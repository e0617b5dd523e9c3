#include "emu/loader/linux_boot.hpp"

#include <algorithm>
#include <iterator>
#include <optional>
#include <string_view>

#include "emu/loader/bytes.hpp"
#include "emu/loader/load_elf.hpp"
#include "emu/loader/long_mode.hpp"
#include "emu/loader/memory_map.hpp"

namespace forkscope::loader {

namespace {

// Offsets in boot_params, which holds the setup header where the file has it (boot.rst, "The Real-Mode
// Kernel Header"; zero-page.rst).
constexpr uint64_t kVideoMode = 0x06, kVideoColumns = 0x07, kVideoLines = 0x0e, kVideoIsVga = 0x0f;
constexpr uint64_t kVideoPoints = 0x10;
constexpr uint64_t kPixelsWide = 0x12, kPixelsHigh = 0x14, kPixelBits = 0x16, kPixelBase = 0x18,
                   kPixelBytes = 0x1c;
constexpr uint64_t kRowBytes = 0x24, kColours = 0x26;
constexpr uint64_t kAcpiRsdp = 0x70;
constexpr uint64_t kMapEntries = 0x1e8, kMap = 0x2d0;
constexpr uint64_t kSetupHeader = 0x1f1, kSetupSectors = 0x1f1, kBootFlag = 0x1fe, kHeaderJump = 0x200;
constexpr uint64_t kHeaderMagic = 0x202, kVersion = 0x206, kLoaderType = 0x210, kLoadFlags = 0x211;
constexpr uint64_t kCode32Start = 0x214, kInitrdImage = 0x218, kInitrdSize = 0x21c,
                   kCommandLinePointer = 0x228;
constexpr uint64_t kInitrdMax = 0x22c, kAlignment = 0x230, kRelocatable = 0x234, kExtendedFlags = 0x236;
constexpr uint64_t kCommandLineSize = 0x238, kPreferredAddress = 0x258, kInitSize = 0x260, kHeaderEnd = 0x268;

constexpr std::string_view kMagic = "HdrS";
constexpr uint16_t kBootFlagValue = 0xaa55;
constexpr uint16_t kOldestVersion = 0x0202;  // the first with cmd_line_ptr
constexpr uint16_t kVersionWithMax = 0x0203, kVersionRelocatable = 0x0205, kVersionWithLimit = 0x0206;
constexpr uint16_t kVersionPreferred = 0x020a, kVersion64 = 0x020c;
constexpr uint8_t kOtherLoader = 0xff;
constexpr uint8_t kLoadedHigh = 1;
constexpr uint16_t kHas64BitEntry = 1;
constexpr uint64_t kEntry64Offset = 0x200;
constexpr uint64_t kSectorBytes = 512;
constexpr uint64_t kMapEntryBytes = 20;
constexpr unsigned kMapMost = 128;
constexpr uint64_t kOldCommandLineLimit = 255;

// A setup header whose fields are read as they stand in the file; absent fields read 0.
class Header {
public:
    explicit Header(std::span<const uint8_t> bytes) : bytes_(bytes) {}
    template <typename T>
    [[nodiscard]] T at(uint64_t offset) const {
        return load_at<T>(bytes_, offset).value_or(T{});
    }
    [[nodiscard]] uint16_t version() const { return at<uint16_t>(kVersion); }
    // Where the header ends, by the jump over it.
    [[nodiscard]] uint64_t end() const {
        return std::min<uint64_t>(kHeaderMagic + at<uint8_t>(kHeaderJump + 1), kHeaderEnd);
    }
    [[nodiscard]] uint64_t setup_bytes() const {
        const uint64_t sectors = at<uint8_t>(kSetupSectors);
        return ((sectors == 0 ? 4 : sectors) + 1) * kSectorBytes;
    }
    [[nodiscard]] bool has_64bit_entry() const {
        return version() >= kVersion64 && (at<uint16_t>(kExtendedFlags) & kHas64BitEntry) != 0;
    }

private:
    std::span<const uint8_t> bytes_;
};

Result<> check_header(const Image& kernel, const Header& header, size_t command_line_bytes) {
    if (header.at<uint16_t>(kBootFlag) != kBootFlagValue)
        return fail("{}: boot flag {:#x} at offset {:#x}; expected {:#x}", kernel.name,
                    header.at<uint16_t>(kBootFlag), kBootFlag, kBootFlagValue);
    if (header.version() < kOldestVersion)
        return fail("{}: boot protocol {}.{:02} at offset {:#x}; expected 2.02 or later", kernel.name,
                    header.version() >> 8, header.version() & 0xff, kVersion);
    if ((header.at<uint8_t>(kLoadFlags) & kLoadedHigh) == 0)
        return fail("{}: a zImage (bit 0 of offset {:#x} is clear); expected a bzImage", kernel.name,
                    kLoadFlags);
    if (header.setup_bytes() >= kernel.bytes.size())
        return fail("{}: ends at offset {:#x}, inside its setup code of {:#x} bytes", kernel.name,
                    kernel.bytes.size(), header.setup_bytes());
    const uint64_t limit =
        header.version() >= kVersionWithLimit ? header.at<uint32_t>(kCommandLineSize) : kOldCommandLineLimit;
    if (command_line_bytes > limit)
        return fail("{}: a command line of {} bytes; this kernel takes at most {}", kernel.name,
                    command_line_bytes, limit);
    return {};
}

// Where the kernel's protected-mode part goes, and how much room it needs there.
Result<PhysAddr> place_payload(Placement& placement, const Image& kernel, const Header& header) {
    const std::span<const uint8_t> payload = std::span(kernel.bytes).subspan(header.setup_bytes());
    uint64_t room = payload.size();
    PhysAddr base = kHighMemory;
    if (header.version() >= kVersionPreferred) {
        base = PhysAddr(header.at<uint64_t>(kPreferredAddress));
        room = std::max<uint64_t>(room, header.at<uint32_t>(kInitSize));
    }
    const bool relocatable = header.version() >= kVersionRelocatable && header.at<uint8_t>(kRelocatable) != 0;
    if (relocatable && !placement.is_ram(base, room)) {
        const uint64_t alignment = std::max<uint64_t>(header.at<uint32_t>(kAlignment), 1);
        base = PhysAddr((kHighMemory.raw() + alignment - 1) / alignment * alignment);
    }
    if (base.raw() >= kIdentityMapped || room > kIdentityMapped - base.raw())
        return fail("{}: {:#x} bytes at physical address {:#x} reach past 4 GiB", kernel.name, room,
                    base.raw());
    TRY_VOID(placement.add(fmt::format("{}: the kernel", kernel.name), "kernel", base, room, payload));
    return base;
}

class BootParams {
public:
    BootParams() : bytes_(kPageSize) {}
    template <typename T>
    void set(uint64_t offset, T value) {
        std::memcpy(bytes_.data() + offset, &value, sizeof value);
    }
    void take_header(const Image& kernel, uint64_t end) {
        const auto from = kernel.bytes.begin() + kSetupHeader;
        std::copy(from,
                  kernel.bytes.begin() + static_cast<std::ptrdiff_t>(std::min(end, kernel.bytes.size())),
                  bytes_.begin() + kSetupHeader);
    }
    void set_map(const std::vector<MemoryRange>& map) {
        const size_t count = std::min<size_t>(map.size(), kMapMost);
        set(kMapEntries, static_cast<uint8_t>(count));
        for (size_t i = 0; i < count; ++i) {
            const uint64_t at = kMap + i * kMapEntryBytes;
            set(at, map[i].base.raw());
            set(at + 8, map[i].size);
            set(at + 16, static_cast<uint32_t>(map[i].type));
        }
    }
    // A VGA in text mode 3, as a BIOS leaves it.
    void set_screen() {
        set<uint8_t>(kVideoMode, 3);
        set<uint8_t>(kVideoColumns, 80);
        set<uint8_t>(kVideoLines, 25);
        set<uint8_t>(kVideoIsVga, 1);
        set<uint16_t>(kVideoPoints, 16);
    }
    // What firmware left, which Linux's efifb drives: its VIDEO_TYPE_EFI stands for any linear framebuffer.
    void set_framebuffer(const Framebuffer& screen) {
        constexpr uint8_t kVideoTypeEfi = 0x70;
        set<uint8_t>(kVideoIsVga, kVideoTypeEfi);
        set(kPixelsWide, screen.size.width);
        set(kPixelsHigh, screen.size.height);
        set<uint16_t>(kPixelBits, 8 * Framebuffer::kPixelBytes);
        set(kPixelBase, static_cast<uint32_t>(screen.base.raw()));
        set(kPixelBytes, static_cast<uint32_t>(screen.bytes()));
        set(kRowBytes, static_cast<uint16_t>(screen.row_bytes()));
        // Bits, and from which on: red, green, blue, and what is left.
        constexpr uint8_t kLayout[] = {8, 16, 8, 8, 8, 0, 8, 24};
        std::copy(std::begin(kLayout), std::end(kLayout), bytes_.begin() + kColours);
    }
    [[nodiscard]] std::vector<uint8_t> take() { return std::move(bytes_); }

private:
    std::vector<uint8_t> bytes_;
};

Result<std::optional<Framebuffer>> reserve_framebuffer(Placement& placement, const LoadOptions& options) {
    if (!options.framebuffer) return std::optional<Framebuffer>{};
    Framebuffer screen{PhysAddr(0), *options.framebuffer};
    screen.base = TRY(placement.reserve_end("framebuffer", screen.bytes()));
    return std::optional(screen);
}

Result<> reserve_boot_params(Placement& placement, const std::string& command_line) {
    TRY_VOID(placement.add("boot parameters", "boot parameters", kStartInfo, kPageSize, {}));
    return placement.add("command line", "command line", kCommandLine, command_line.size() + 1, {});
}

// What both kinds are told. initrd_limit: the first address that the initrd cannot reach.
Result<> finish_boot_params(Placement& placement, BootParams& params, const LoadOptions& options,
                            uint64_t initrd_limit, const std::optional<Framebuffer>& screen) {
    params.set(kLoaderType, kOtherLoader);
    params.set(kCommandLinePointer, static_cast<uint32_t>(kCommandLine.raw()));
    if (options.initrd != nullptr) {
        const PhysAddr base =
            TRY(placement.add_high(fmt::format("{}: initrd", options.initrd->name), "initrd",
                                   options.initrd->bytes, PhysAddr(initrd_limit)));
        params.set(kInitrdImage, static_cast<uint32_t>(base.raw()));
        params.set(kInitrdSize, static_cast<uint32_t>(options.initrd->bytes.size()));
    }
    if (screen)
        params.set_framebuffer(*screen);
    else
        params.set_screen();
    params.set_map(placement.map());
    if (options.rsdp) params.set(kAcpiRsdp, options.rsdp->raw());
    placement.fill(kStartInfo, params.take());
    placement.fill(kCommandLine, {options.command_line.begin(), options.command_line.end()});
    return {};
}

}  // namespace

bool is_bzimage(std::span<const uint8_t> bytes) {
    return is_inside(kHeaderMagic, kMagic.size(), bytes.size()) &&
           std::memcmp(bytes.data() + kHeaderMagic, kMagic.data(), kMagic.size()) == 0;
}

bool is_linux(std::span<const uint8_t> bytes) {
    constexpr std::string_view kBanner = "Linux version ";
    const std::string_view text(reinterpret_cast<const char*>(bytes.data()), bytes.size());
    return text.find(kBanner) != std::string_view::npos;
}

Result<BootPlan> place_bzimage(Placement& placement, const Image& kernel, const LoadOptions& options) {
    const Header header(kernel.bytes);
    TRY_VOID(check_header(kernel, header, options.command_line.size()));
    const std::optional<Framebuffer> screen = TRY(reserve_framebuffer(placement, options));
    TRY_VOID(reserve_boot_params(placement, options.command_line));
    BootPlan plan;
    plan.framebuffer = screen;
    plan.kind = ImageKind::LinuxBzImage;
    const bool is_long = header.has_64bit_entry();
    plan.mode = is_long ? EntryMode::Long64 : EntryMode::Protected32;
    if (is_long) plan.registers = TRY(place_long_mode(placement));
    const PhysAddr base = TRY(place_payload(placement, kernel, header));
    plan.entry = is_long ? base + kEntry64Offset : base;
    TRY_VOID(check_entry(placement, kernel, plan.entry.raw()));

    BootParams params;
    params.take_header(kernel, header.end());
    params.set(kCode32Start, static_cast<uint32_t>(base.raw()));
    uint64_t initrd_limit = kInitrdLimit.raw();
    if (header.version() >= kVersionWithMax)
        initrd_limit = std::min(initrd_limit, uint64_t{header.at<uint32_t>(kInitrdMax)} + 1);
    TRY_VOID(finish_boot_params(placement, params, options, initrd_limit, screen));
    plan.registers.rip = plan.entry.raw();
    plan.registers.rsi = kStartInfo.raw();
    return plan;
}

Result<BootPlan> place_vmlinux(Placement& placement, const Image& kernel, const LoadOptions& options) {
    const ElfImage elf = TRY(parse_executable(kernel));
    if (!elf.is_64()) return fail("{}: a 32-bit vmlinux; expected 64 bits, or a bzImage", kernel.name);
    const std::optional<Framebuffer> screen = TRY(reserve_framebuffer(placement, options));
    TRY_VOID(reserve_boot_params(placement, options.command_line));
    BootPlan plan;
    plan.framebuffer = screen;
    plan.kind = ImageKind::LinuxVmlinux;
    plan.mode = EntryMode::Long64;
    plan.registers = TRY(place_long_mode(placement));
    TRY_VOID(place_segments(placement, kernel, elf));
    plan.entry = PhysAddr(elf.entry());
    TRY_VOID(check_entry(placement, kernel, plan.entry.raw()));

    // The file has no setup header; the kernel looks at these fields of it.
    BootParams params;
    params.set(kBootFlag, kBootFlagValue);
    params.set(kHeaderMagic,
               load_at<uint32_t>({reinterpret_cast<const uint8_t*>(kMagic.data()), 4}, 0).value());
    params.set(kVersion, kVersion64);
    params.set(kCommandLineSize, static_cast<uint32_t>(kMaxCommandLine));
    TRY_VOID(finish_boot_params(placement, params, options, kInitrdLimit.raw(), screen));
    plan.registers.rip = plan.entry.raw();
    plan.registers.rsi = kStartInfo.raw();
    return plan;
}

}  // namespace forkscope::loader
