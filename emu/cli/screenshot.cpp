#include "emu/cli/screenshot.hpp"

#include <cerrno>
#include <cstring>
#include <fstream>

#include "emu/screen/png.hpp"
#include "emu/screen/vga_text.hpp"

namespace forkscope::cli {

namespace {

Result<> write_text(const std::string& text, const std::string& path) {
    std::ofstream file(path, std::ios::binary);
    file << text;
    file.close();
    if (!file) return fail("{}: cannot be written: {}", path, std::strerror(errno));
    return {};
}

Result<> write_screen(machine::Machine& machine, const std::string& path) {
    constexpr unsigned kDarkWidth = 720, kDarkHeight = 400;
    const devices::Vga::Regs& vga = machine.devices().vga().regs();
    const uint8_t* memory = machine.ram().at(PhysAddr(screen::kTextMemory), screen::kTextMemoryBytes);
    const bool as_text = path.ends_with(".txt");
    if (memory == nullptr || !screen::shows_text(vga))
        return as_text ? write_text("", path) : screen::write_png({kDarkWidth, kDarkHeight}, path);
    const screen::TextScreen shown = screen::read_text(vga, {memory, screen::kTextMemoryBytes});
    return as_text ? write_text(to_utf8(shown), path)
                   : screen::write_png(draw(shown, screen::BlinkPhase::Shown), path);
}

}  // namespace

Result<> take_screenshot(machine::Machine& machine, const std::string& path) {
    const auto written = write_screen(machine, path);
    if (!written) return fail("--screenshot {}", written.error().message);
    return {};
}

}  // namespace forkscope::cli
