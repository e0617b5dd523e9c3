#include "emu/cli/device_option.hpp"

#include <algorithm>
#include <charconv>
#include <string_view>

namespace forkscope::cli {

namespace {

constexpr const char* kLoaderForm = "loader,file=FILE,addr=ADDRESS[,mode=16|32|64]";

Result<PhysAddr> parse_address(const std::string& spec, const std::string& text) {
    const bool hex = text.starts_with("0x");
    const char* first = text.data() + (hex ? 2 : 0);
    const char* const last = text.data() + text.size();
    uint64_t value = 0;
    const auto [rest, error] = std::from_chars(first, last, value, hex ? 16 : 10);
    if (error != std::errc() || rest != last)
        return fail("-device {}: '{}' is no address; expected {}", spec, text, kLoaderForm);
    return PhysAddr(value);
}

Result<FlatImage> parse_loader(const std::string& spec, const std::vector<std::string>& words) {
    FlatImage flat;
    bool has_address = false;
    for (size_t i = 1; i < words.size(); ++i) {
        const size_t equals = std::min(words[i].find('='), words[i].size());
        const std::string key = words[i].substr(0, equals);
        const std::string value = equals < words[i].size() ? words[i].substr(equals + 1) : "";
        if (key == "file") {
            flat.file = value;
        } else if (key == "addr") {
            flat.address = TRY(parse_address(spec, value));
            has_address = true;
        } else if (key == "mode" && value == "16") {
            flat.mode = loader::EntryMode::Real16;
        } else if (key == "mode" && value == "32") {
            flat.mode = loader::EntryMode::Protected32;
        } else if (key == "mode" && value == "64") {
            flat.mode = loader::EntryMode::Long64;
        } else if (key != "force-raw" && key != "cpu-num") {
            return fail("-device {}: '{}' is unknown; expected {}", spec, words[i], kLoaderForm);
        }
    }
    if (flat.file.empty() || !has_address) return fail("-device {}: expected {}", spec, kLoaderForm);
    return flat;
}

Result<> parse_vga(Devices& devices, const std::string& spec, const std::vector<std::string>& words) {
    constexpr std::string_view kRomFile = "romfile=";
    for (size_t i = 1; i < words.size(); ++i) {
        if (!words[i].starts_with(kRomFile))
            return fail("-device {}: '{}' is unknown; expected VGA[,romfile=FILE]", spec, words[i]);
        devices.vga_rom = words[i].substr(kRomFile.size());
    }
    return {};
}

Result<loader::FramebufferSize> parse_framebuffer(const std::string& spec,
                                                  const std::vector<std::string>& words) {
    constexpr uint16_t kLeast = 64, kMost = 4096;
    loader::FramebufferSize size;
    for (size_t i = 1; i < words.size(); ++i) {
        const bool across = words[i].starts_with("xres=");
        uint16_t value = 0;
        const char* const last = words[i].data() + words[i].size();
        const char* const first = std::min(words[i].data() + 5, last);
        const auto [rest, error] = std::from_chars(first, last, value);
        const bool known = across || words[i].starts_with("yres=");
        if (!known || error != std::errc() || rest != last || value < kLeast || value > kMost)
            return fail("-device {}: '{}'; expected ramfb[,xres=WIDTH][,yres=HEIGHT], {} to {} pixels", spec,
                        words[i], kLeast, kMost);
        (across ? size.width : size.height) = value;
    }
    return size;
}

}  // namespace

std::vector<std::string> split_at_commas(const std::string& text) {
    std::vector<std::string> words(1);
    for (size_t i = 0; i < text.size(); ++i) {
        if (text[i] != ',') {
            words.back() += text[i];
        } else if (i + 1 < text.size() && text[i + 1] == ',') {
            words.back() += text[i++];
        } else {
            words.emplace_back();
        }
    }
    return words;
}

Result<Devices> parse_devices(const std::vector<std::string>& specs) {
    Devices devices;
    for (const std::string& spec : specs) {
        const std::vector<std::string> words = split_at_commas(spec);
        if (words[0] == "isa-debug-exit") continue;
        if (words[0] == "VGA" || words[0] == "isa-vga") {
            TRY_VOID(parse_vga(devices, spec, words));
            continue;
        }
        if (words[0] == "ramfb") {
            devices.framebuffer = TRY(parse_framebuffer(spec, words));
            continue;
        }
        if (words[0] != "loader")
            return fail("-device {}: expected isa-debug-exit, VGA, ramfb or loader", spec);
        if (devices.flat) return fail("-device {}: a second flat image; expected one", spec);
        devices.flat = TRY(parse_loader(spec, words));
    }
    return devices;
}

}  // namespace forkscope::cli
