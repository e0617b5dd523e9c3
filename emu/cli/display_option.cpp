#include "emu/cli/display_option.hpp"

#include <unistd.h>

#include <cstdlib>

#include "emu/base/say.hpp"
#include "emu/cli/window_run.hpp"

namespace forkscope::cli {

namespace {

bool is_set(const char* variable) {
    const char* value = std::getenv(variable);
    return value != nullptr && *value != '\0';
}

bool at_a_terminal() {
    return isatty(STDIN_FILENO) != 0 && isatty(STDOUT_FILENO) != 0 && isatty(STDERR_FILENO) != 0;
}

bool names(const std::string& command_line, const std::string& word) {
    return command_line.starts_with(word) || command_line.find(" " + word) != std::string::npos;
}

// The line says where the serial port goes: nothing is read from the terminal, whose keys stay its own.
void adapt_to_window(RunOptions& options) {
    if (options.serial.empty()) options.serial = "stdout";
    const bool own_kernel = options.kernel.empty() && options.bios.empty() && !options.devices.flat;
    if (own_kernel && !names(options.append, "console="))
        options.append = options.append.empty() ? "console=tty0" : "console=tty0 " + options.append;
}

// Somebody who is there may read how it ended; a script goes on.
ui::GuestWindow::AtEnd at_end(const DisplayWords& words, const RunOptions& options) {
    const bool scripted = !at_a_terminal() || options.exit_after_seconds > 0 || !options.keys.empty();
    return words.no_shutdown || !scripted ? ui::GuestWindow::AtEnd::StayOpen : ui::GuestWindow::AtEnd::Close;
}

// With no other screen to look at, firmware shows its own on the serial port.
Result<int> run_in_terminal(const DisplayWords& words, RunOptions options) {
    options.firmware_on_serial = words.nographic || words.display.empty();
    if (options.serial.empty()) options.serial = "stdio";
    return run_session(options);
}

}  // namespace

Result<Display> choose_display(const DisplayWords& words, const RunOptions& options) {
    if (words.display == "sdl" && words.nographic)
        return fail("-display sdl and -nographic: expected one of them");
    if (words.display == "sdl") return Display::Sdl;
    if (words.display == "none" || (words.display.empty() && words.nographic)) return Display::None;
    if (!words.display.empty()) return fail("-display {}: expected sdl or none", words.display);
    const bool wants_terminal = !options.serial.empty() || names(options.append, "console=ttyS");
    const bool has_display = is_set("DISPLAY") || is_set("WAYLAND_DISPLAY");
    return has_display && at_a_terminal() && !wants_terminal ? Display::Sdl : Display::None;
}

Result<int> run_on_display(const DisplayWords& words, RunOptions options) {
    const Display display = TRY(choose_display(words, options));
    if (display == Display::None) return run_in_terminal(words, std::move(options));
    if (options.retrace) return fail("--retrace: expected a run without input: -display none");
    auto window = open_window(at_end(words, options));
    if (!window) {
        if (!words.display.empty()) return fail("-display sdl: {}", window.error().message);
        say("forkscope: {}; the guest is on this terminal", window.error().message);
        return run_in_terminal(words, std::move(options));
    }
    adapt_to_window(options);
    return run_in_window(options, **window);
}

}  // namespace forkscope::cli
