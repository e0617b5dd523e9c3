// Puts a kernel, its initrd and what it is told at boot into guest RAM.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "emu/base/address.hpp"
#include "emu/base/result.hpp"
#include "emu/loader/boot_plan.hpp"
#include "emu/loader/framebuffer.hpp"
#include "emu/loader/image.hpp"
#include "emu/mem/guest_ram.hpp"

namespace forkscope::loader {

enum class Protocol : uint8_t {
    Auto,    // what the image offers: Linux's boot protocol, PVH, multiboot
    Long64,  // an ELF64 image's own entry point, in 64-bit mode
};

// What a multiboot image gets beside itself.
struct BootModule {
    Image image;
    std::string command_line;
};

struct LoadOptions {
    std::string command_line = {};                    // without the final NUL; at most kMaxCommandLine bytes
    const Image* initrd = nullptr;                    // null: none. For all but multiboot images
    std::vector<BootModule> modules = {};             // for multiboot images
    std::optional<PhysAddr> rsdp = {};                // of the ACPI tables, if there are any
    std::optional<FramebufferSize> framebuffer = {};  // for Linux, instead of the VGA
    Protocol protocol = Protocol::Auto;
    // The file is taken as it is: it goes to this address and starts there.
    std::optional<PhysAddr> flat_address = {};
    EntryMode flat_mode = EntryMode::Long64;
};

inline constexpr size_t kMaxCommandLine = 4095;  // bytes

// Every error is one line that names the file, where in it, and what was expected. RAM is written only
// when nothing can fail any more, so after an error it is as it was.
Result<BootPlan> load_kernel(const Image& kernel, mem::GuestRam& ram, const LoadOptions& options);

// Whether the image is started by multiboot, and so takes modules instead of an initrd.
[[nodiscard]] bool is_multiboot(const Image& kernel);

// Whether the image is the bundled kernel, which takes only a plain cpio archive as its initrd.
[[nodiscard]] bool is_bundled_kernel(const Image& kernel);

}  // namespace forkscope::loader
