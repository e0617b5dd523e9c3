#include "emu/cli/images.hpp"

#include <filesystem>
#include <string_view>

#include "emu/loader/cpio.hpp"
#include "emu/loader/firmware.hpp"
#include "emu/machine/machine.hpp"

namespace forkscope::cli {

namespace {

// Where the bundled images stand: beside this program, as the build leaves them.
std::filesystem::path bundled(const char* name) {
    std::error_code error;
    const auto program = std::filesystem::read_symlink("/proc/self/exe", error);
    return program.parent_path() / "guest" / name;
}

// The bundled kernel takes a plain cpio archive; another kernel may take anything else, but what says that
// it is a cpio archive must be a whole one.
Result<void> check_initrd(const loader::Image& initrd, bool for_bundled_kernel) {
    constexpr std::string_view kCpioMagic = "0707";
    const std::string_view text(reinterpret_cast<const char*>(initrd.bytes.data()), initrd.bytes.size());
    if (for_bundled_kernel || text.starts_with(kCpioMagic)) TRY(loader::read_cpio(initrd.name, initrd.bytes));
    return {};
}

// A multiboot kernel's modules: "FILE ARGUMENTS,FILE ARGUMENTS"; the command line of each is all of its
// words.
Result<std::vector<loader::BootModule>> read_modules(const std::string& list) {
    std::vector<loader::BootModule> modules;
    if (list.empty()) return modules;
    for (const std::string& word : split_at_commas(list)) {
        if (word.size() > loader::kMaxCommandLine)
            return fail("-initrd {}: a command line of {} bytes; expected at most {}", list, word.size(),
                        loader::kMaxCommandLine);
        modules.push_back({TRY(loader::read_image(word.substr(0, word.find(' ')))), word});
    }
    return modules;
}

// The ROM of -device VGA, or the one that lies beside the firmware, as SeaBIOS's package has it.
Result<std::optional<loader::Image>> read_vga_rom(const RunOptions& options) {
    constexpr const char* kBesideFirmware = "vgabios-isavga.bin";
    const auto& given = options.devices.vga_rom;
    if (given && given->empty()) return std::optional<loader::Image>{};
    if (given) return std::optional(TRY(loader::read_image(*given)));
    const auto beside = std::filesystem::path(options.bios).parent_path() / kBesideFirmware;
    std::error_code error;
    if (!std::filesystem::exists(beside, error)) return std::optional<loader::Image>{};
    return std::optional(TRY(loader::read_image(beside.string())));
}

Result<Images> read_firmware(const RunOptions& options) {
    const std::string& other = options.devices.flat      ? options.devices.flat->file
                               : !options.kernel.empty() ? options.kernel
                               : !options.initrd.empty() ? options.initrd
                                                         : options.append;
    if (!other.empty())
        return fail("-bios {}: the firmware loads what it runs, from a -drive; expected no '{}'",
                    options.bios, other);
    if (options.devices.framebuffer)
        return fail("-bios {}: firmware is not told of a framebuffer; expected no -device ramfb",
                    options.bios);
    Images images;
    images.firmware = TRY(loader::read_image(options.bios));
    TRY_VOID(loader::check_firmware(*images.firmware));
    images.vga_rom = TRY(read_vga_rom(options));
    return images;
}

loader::LoadOptions load_options(const RunOptions& options, const Images& images) {
    loader::LoadOptions load;
    load.command_line = options.append;
    if (images.initrd) load.initrd = &*images.initrd;
    load.modules = images.modules;
    load.framebuffer = options.devices.framebuffer;
    load.rsdp = machine::Machine::acpi_root();
    if (const auto& flat = options.devices.flat) {
        load.flat_address = flat->address;
        load.flat_mode = flat->mode;
    }
    return load;
}

}  // namespace

Result<Images> read_images(const RunOptions& options) {
    if (!options.bios.empty()) return read_firmware(options);
    const auto& flat = options.devices.flat;
    if (options.devices.vga_rom) return fail("-device VGA,romfile=: expected -bios FILE too");
    if (flat && !options.kernel.empty())
        return fail("-device loader: a flat image and -kernel {}; expected one of them", options.kernel);
    const std::string kernel = flat ? flat->file : options.kernel;
    const bool own = kernel.empty();
    Images images;
    images.kernel = TRY(loader::read_image(own ? bundled("kernel.elf").string() : kernel));
    images.kernel_is_bundled = loader::is_bundled_kernel(images.kernel);
    if (!flat && loader::is_multiboot(images.kernel)) {
        images.modules = TRY(read_modules(options.initrd));
        return images;
    }
    const std::string initrd = !options.initrd.empty() ? options.initrd
                               : own                   ? bundled("initramfs.cpio").string()
                                                       : "";
    if (!initrd.empty()) {
        images.initrd = TRY(loader::read_image(initrd));
        TRY_VOID(check_initrd(*images.initrd, images.kernel_is_bundled));
    }
    return images;
}

Result<void> check_room_for_initramfs(const RunOptions& options, const Images& images) {
    if (!images.kernel_is_bundled || !images.initrd) return {};
    constexpr uint64_t kForKernel = 5 * kMiB;
    const uint64_t needed = 2 * images.initrd->bytes.size() + kForKernel;
    if (options.ram_bytes >= needed) return {};
    return fail("-m {}K: too little for the bundled kernel and '{}'; expected at least {}M",
                options.ram_bytes / kKiB, images.initrd->name, (needed + 2 * kMiB - 1) / (2 * kMiB) * 2);
}

machine::Firmware firmware_of(const RunOptions& options, const Images& images) {
    machine::Firmware firmware;
    if (images.firmware) firmware.image = images.firmware->bytes;
    if (images.vga_rom) firmware.vga_rom = images.vga_rom->bytes;
    firmware.on_serial = options.firmware_on_serial;
    return firmware;
}

Result<loader::BootPlan> load_images(const RunOptions& options, const Images& images, mem::GuestRam& ram) {
    if (images.firmware) return loader::load_firmware(*images.firmware, ram);
    return loader::load_kernel(images.kernel, ram, load_options(options, images));
}

}  // namespace forkscope::cli
