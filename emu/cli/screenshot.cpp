#include "emu/cli/screenshot.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "emu/screen/framebuffer.hpp"
#include "emu/screen/png.hpp"

namespace forkscope::cli {

namespace {

Result<> write_text(const std::string& text, const std::string& path) {
    std::ofstream file(path, std::ios::binary);
    file << text;
    file.close();
    if (!file) return fail("{}: cannot be written: {}", path, std::strerror(errno));
    return {};
}

Result<> write_framebuffer(machine::Machine& machine, const loader::Framebuffer& screen,
                           const std::string& path) {
    if (path.ends_with(".txt")) return fail("{}: the guest's screen is of pixels; expected a PNG", path);
    const uint8_t* pixels = machine.ram().at(screen.base, screen.bytes());
    return screen::write_png(
        screen::draw_framebuffer({pixels, screen.bytes()}, screen.size.width, screen.size.height), path);
}

Result<> write_screen(machine::Machine& machine, const std::string& path) {
    constexpr unsigned kDarkWidth = 720, kDarkHeight = 400;
    if (const auto& screen = machine.framebuffer()) return write_framebuffer(machine, *screen, path);
    const auto shown = read_screen(machine);
    if (path.ends_with(".txt")) return write_text(shown ? to_utf8(*shown) : "", path);
    return screen::write_png(
        shown ? draw(*shown, screen::BlinkPhase::Shown) : screen::Picture(kDarkWidth, kDarkHeight), path);
}

}  // namespace

std::optional<screen::TextScreen> read_screen(machine::Machine& machine) {
    const devices::Vga::Regs& vga = machine.devices().vga().regs();
    const uint8_t* memory = machine.ram().at(PhysAddr(screen::kTextMemory), screen::kTextMemoryBytes);
    if (memory == nullptr || !screen::shows_text(vga)) return std::nullopt;
    return screen::read_text(vga, {memory, screen::kTextMemoryBytes});
}

Result<> take_screenshot(machine::Machine& machine, const std::string& path) {
    const auto written = write_screen(machine, path);
    if (!written) return fail("--screenshot {}", written.error().message);
    return {};
}

}  // namespace forkscope::cli
