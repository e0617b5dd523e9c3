// What -device can be: isa-debug-exit and the VGA, which are always there, a framebuffer in RAM, and QEMU's
// generic loader for flat images.
#pragma once

#include <optional>
#include <string>
#include <vector>

#include "emu/base/address.hpp"
#include "emu/base/result.hpp"
#include "emu/loader/boot_plan.hpp"
#include "emu/loader/framebuffer.hpp"

namespace forkscope::cli {

// A file that is put at an address as it is, and started there.
struct FlatImage {
    std::string file;
    PhysAddr address;
    loader::EntryMode mode = loader::EntryMode::Long64;
};

struct Devices {
    std::optional<FlatImage> flat;
    std::optional<std::string> vga_rom;  // a file, or empty: none
    std::optional<loader::FramebufferSize> framebuffer;
};

// specs: as after each -device.
Result<Devices> parse_devices(const std::vector<std::string>& specs);

// A list of words with commas between them; two commas stand for one in a word, as in QEMU.
std::vector<std::string> split_at_commas(const std::string& text);

}  // namespace forkscope::cli
