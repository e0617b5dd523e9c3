#include "emu/loader/multiboot.hpp"

#include <algorithm>
#include <string>
#include <vector>

#include "emu/loader/bytes.hpp"
#include "emu/loader/load_elf.hpp"
#include "emu/loader/memory_map.hpp"

namespace forkscope::loader {

namespace {

constexpr uint32_t kHeaderMagic = 0x1badb002, kBootMagic = 0x2badb002;
constexpr uint64_t kSearched = 8192;
// Bits of the header's flags, "must be satisfied" if below 16.
constexpr uint32_t kPageAligned = 1, kWantsMemory = 2, kWantsVideo = 4;
constexpr uint32_t kUnderstood = kPageAligned | kWantsMemory | kWantsVideo;

// "Boot information format".
constexpr uint32_t kInfoMemory = 1, kInfoCommandLine = 4, kInfoModules = 8, kInfoMap = 64, kInfoLoader = 512;
struct Information {
    uint32_t flags, mem_lower, mem_upper, boot_device, cmdline, mods_count, mods_addr;
    uint32_t symbols[4];
    uint32_t mmap_length, mmap_addr, drives_length, drives_addr, config_table, boot_loader_name;
    uint32_t rest[12];  // APM, VBE and framebuffer: none
};
static_assert(sizeof(Information) == 116);

struct ModuleEntry {
    uint32_t start, end, string, reserved;
};

struct __attribute__((packed)) MapEntry {
    uint32_t size;  // of what follows
    uint64_t base, length;
    uint32_t type;
};

// Between conventional memory that images use and the extended BIOS data.
constexpr PhysAddr kInformation{0x9f000};
constexpr uint64_t kInformationRoom = kExtendedBiosData - kInformation;
constexpr std::string_view kLoaderName = "Forkscope";

// Strings that the information points at, each at the address where it will stand.
class Strings {
public:
    explicit Strings(PhysAddr base) : base_(base) {}
    uint32_t add(std::string_view text) {
        const uint64_t at = base_.raw() + bytes_.size();
        bytes_.insert(bytes_.end(), text.begin(), text.end());
        bytes_.push_back(0);
        return static_cast<uint32_t>(at);
    }
    [[nodiscard]] std::vector<uint8_t> take() { return std::move(bytes_); }

private:
    PhysAddr base_;
    std::vector<uint8_t> bytes_;
};

// The first word of an argument vector is the image's name.
std::string command_line_of(const Image& kernel, const LoadOptions& options) {
    return options.command_line.empty() ? kernel.name : kernel.name + " " + options.command_line;
}

uint64_t string_bytes(const Image& kernel, const LoadOptions& options) {
    uint64_t bytes = command_line_of(kernel, options).size() + 1 + kLoaderName.size() + 1;
    for (const BootModule& module : options.modules) bytes += module.command_line.size() + 1;
    return bytes;
}

Result<PhysAddr> place_kludge(Placement& placement, const Image& kernel, const MultibootHeader& h) {
    const uint64_t file_size = kernel.bytes.size();
    if (h.header_addr < h.load_addr || h.header_addr - h.load_addr > h.offset)
        return fail(
            "{}: multiboot header at offset {:#x}: header_addr {:#x} with load_addr {:#x} begins before the "
            "file",
            kernel.name, h.offset, h.header_addr, h.load_addr);
    const uint64_t from = h.offset - (h.header_addr - h.load_addr);
    if (h.load_end_addr != 0 && h.load_end_addr < h.load_addr)
        return fail("{}: multiboot header at offset {:#x}: load_end_addr {:#x} is below load_addr {:#x}",
                    kernel.name, h.offset, h.load_end_addr, h.load_addr);
    const uint64_t bytes = h.load_end_addr != 0 ? h.load_end_addr - h.load_addr : file_size - from;
    if (!is_inside(from, bytes, file_size))
        return fail(
            "{}: multiboot header at offset {:#x}: {:#x} bytes from offset {:#x} run past the file's end at "
            "{:#x}",
            kernel.name, h.offset, bytes, from, file_size);
    const uint64_t end = std::max<uint64_t>(h.load_addr + bytes, h.bss_end_addr);
    TRY_VOID(placement.add(fmt::format("{}: image", kernel.name), "kernel", PhysAddr(h.load_addr),
                           end - h.load_addr, std::span(kernel.bytes).subspan(from, bytes)));
    return PhysAddr(h.entry_addr);
}

// The entry of an image that is linked elsewhere than it is loaded is a linked address.
Result<PhysAddr> place_elf_image(Placement& placement, const Image& kernel) {
    const ElfImage elf = TRY(parse_executable(kernel));
    TRY_VOID(place_segments(placement, kernel, elf));
    for (const ElfSegment& segment : TRY(elf.segments())) {
        if (segment.type != kSegmentLoad || elf.entry() < segment.vaddr) continue;
        const uint64_t into = elf.entry() - segment.vaddr;
        if (into < segment.memsz) return PhysAddr(segment.paddr + into);
    }
    return PhysAddr(elf.entry());
}

Result<std::vector<PlacedRange>> place_modules(Placement& placement, const LoadOptions& options) {
    std::vector<PlacedRange> placed;
    for (size_t i = 0; i < options.modules.size(); ++i) {
        const Image& image = options.modules[i].image;
        const std::string name = fmt::format("module {}", i);
        const PhysAddr base =
            TRY(placement.add_above(fmt::format("{}: {}", image.name, name), name, kHighMemory, image.bytes));
        placed.push_back({name, base, image.bytes.size()});
    }
    return placed;
}

std::vector<uint8_t> information(const Placement& placement, const LoadOptions& options, Strings& strings,
                                 const std::string& command_line, const std::vector<PlacedRange>& modules) {
    const std::vector<MemoryRange>& map = placement.map();
    const auto in_kib = [](uint64_t bytes) { return static_cast<uint32_t>(bytes / kKiB); };
    const auto upper = std::find_if(map.begin(), map.end(), [](const MemoryRange& range) {
        return range.base == kHighMemory && range.type == MemoryType::Ram;
    });
    const auto modules_at = static_cast<uint32_t>(kInformation.raw() + sizeof(Information));
    const auto map_at = static_cast<uint32_t>(modules_at + modules.size() * sizeof(ModuleEntry));
    Information info{};
    info.flags = kInfoMemory | kInfoCommandLine | kInfoModules | kInfoMap | kInfoLoader;
    info.mem_lower = in_kib(map.front().size);
    info.mem_upper = upper != map.end() ? in_kib(upper->size) : 0;
    info.cmdline = strings.add(command_line);
    info.boot_loader_name = strings.add(kLoaderName);
    info.mods_count = static_cast<uint32_t>(modules.size());
    info.mods_addr = modules_at;
    info.mmap_length = static_cast<uint32_t>(map.size() * sizeof(MapEntry));
    info.mmap_addr = map_at;
    std::vector<uint8_t> bytes;
    append(bytes, info);
    for (size_t i = 0; i < modules.size(); ++i) {
        const PlacedRange& range = modules[i];
        append(bytes, ModuleEntry{static_cast<uint32_t>(range.base.raw()),
                                  static_cast<uint32_t>((range.base + range.size).raw()),
                                  strings.add(options.modules[i].command_line), 0});
    }
    for (const MemoryRange& range : map)
        append(bytes, MapEntry{sizeof(MapEntry) - sizeof(uint32_t), range.base.raw(), range.size,
                               static_cast<uint32_t>(range.type)});
    return bytes;
}

}  // namespace

std::optional<MultibootHeader> find_multiboot_header(std::span<const uint8_t> bytes) {
    for (uint64_t at = 0; at + 12 <= std::min<uint64_t>(bytes.size(), kSearched); at += 4) {
        const auto word = [&](unsigned n) { return load_at<uint32_t>(bytes, at + 4 * n).value_or(0); };
        if (word(0) != kHeaderMagic || word(0) + word(1) + word(2) != 0) continue;
        return MultibootHeader{at, word(1), word(3), word(4), word(5), word(6), word(7)};
    }
    return std::nullopt;
}

Result<BootPlan> place_multiboot(Placement& placement, const Image& kernel, const MultibootHeader& header,
                                 const LoadOptions& options) {
    if (const uint32_t unknown = header.flags & 0xffff & ~kUnderstood; unknown != 0)
        return fail("{}: multiboot header at offset {:#x} requires features {:#x}; known are {:#x}",
                    kernel.name, header.offset, unknown, kUnderstood);
    const uint64_t room = sizeof(Information) + options.modules.size() * sizeof(ModuleEntry) +
                          placement.map().size() * sizeof(MapEntry);
    if (room > kInformationRoom)
        return fail("-initrd: {} modules; their list does not fit into {} bytes", options.modules.size(),
                    kInformationRoom);
    TRY_VOID(placement.add("multiboot information", "multiboot information", kInformation, room, {}));

    BootPlan plan;
    plan.kind = ImageKind::Multiboot;
    plan.mode = EntryMode::Protected32;
    plan.entry = header.has_addresses() ? TRY(place_kludge(placement, kernel, header))
                                        : TRY(place_elf_image(placement, kernel));
    TRY_VOID(check_entry(placement, kernel, plan.entry.raw()));
    const std::vector<PlacedRange> modules = TRY(place_modules(placement, options));
    const std::vector<uint8_t> zeros(string_bytes(kernel, options));
    const PhysAddr strings_at =
        TRY(placement.add_above("command lines", "command lines", kCommandLine, zeros));
    Strings strings(strings_at);
    placement.fill(kInformation,
                   information(placement, options, strings, command_line_of(kernel, options), modules));
    placement.fill(strings_at, strings.take());
    plan.registers.rip = plan.entry.raw();
    plan.registers.rax = kBootMagic;
    plan.registers.rbx = kInformation.raw();
    return plan;
}

}  // namespace forkscope::loader
