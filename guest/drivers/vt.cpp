#include "guest/drivers/vt.hpp"

#include "guest/arch/power.hpp"
#include "guest/drivers/atkbd.hpp"
#include "guest/drivers/tty.hpp"
#include "guest/drivers/vga_text.hpp"
#include "guest/drivers/vt_screen.hpp"
#include "guest/fs/poll.hpp"
#include "guest/fs/special.hpp"
#include "guest/lib/printk.hpp"

namespace guest {

namespace {

constexpr unsigned kTerminals = 4;

void vt_write(tty_struct& tty, const char* text, size_t bytes);
constexpr tty_operations kOperations{.write = vt_write};

constinit vt_screen::Cell histories[kTerminals][vt_screen::kHistory * vt_screen::kColumns] = {};

struct virtual_terminal : tty_struct, vt_port {
    explicit constexpr virtual_terminal(unsigned number)
        : tty_struct(abi::make_dev(kTtyMajor, number + 1), kOperations,
                     abi::kB38400 | abi::kCs8 | abi::kCRead, {vt_screen::kRows, vt_screen::kColumns, 0, 0}),
          vt_port{answer, ring},
          screen(*this, histories[number]) {}

    static void answer(vt_port& port, const char* text, size_t bytes) {
        auto& terminal = static_cast<virtual_terminal&>(port);
        for (size_t i = 0; i < bytes; ++i) terminal.ldisc.receive(static_cast<uint8_t>(text[i]));
        wake_up_poll(terminal.read_wait, abi::kPollReadable);
    }
    static void ring(vt_port&) {}

    vt_screen screen;
    unsigned back = 0;  // rows of history that are shown
};

constinit virtual_terminal tty1(0), tty2(1), tty3(2), tty4(3);
constexpr virtual_terminal* terminals[kTerminals] = {&tty1, &tty2, &tty3, &tty4};
constinit unsigned shown = 0;
constinit keyboard_state keyboard;
constinit bool wants_console = false;

// The terminal is locked.
void refresh(const virtual_terminal& terminal) {
    if (&terminal != terminals[shown]) return;
    for (unsigned row = 0; row < vt_screen::kRows; ++row)
        vga_put_row(row, terminal.screen.shown_row(row, terminal.back));
    if (terminal.back == 0 && terminal.screen.modes().cursor_visible)
        vga_put_cursor(terminal.screen.column(), terminal.screen.row());
    else
        vga_hide_cursor();
}

// What is written shows: whoever looked at the history is back at its end.
void vt_write(tty_struct& tty, const char* text, size_t bytes) {
    auto& terminal = static_cast<virtual_terminal&>(tty);
    terminal.screen.write(text, bytes);
    terminal.back = 0;
    refresh(terminal);
}

void show(unsigned number) {
    if (number >= kTerminals) return;
    shown = number;
    const spinlock_guard guard(terminals[number]->lock);
    refresh(*terminals[number]);
}

void scroll(KeyAction way) {
    constexpr unsigned kStep = vt_screen::kRows / 2;
    virtual_terminal& terminal = *terminals[shown];
    const spinlock_guard guard(terminal.lock);
    if (way == KeyAction::ScrollForward)
        terminal.back = terminal.back < kStep ? 0 : terminal.back - kStep;
    else
        terminal.back = terminal.back + kStep < terminal.screen.history() ? terminal.back + kStep
                                                                          : terminal.screen.history();
    refresh(terminal);
}

// From the keyboard's interrupt.
void scan(uint8_t code) {
    virtual_terminal& terminal = *terminals[shown];
    const KeyEvent event = keyboard.scan(code, terminal.screen.modes().cursor_keys);
    switch (event.action) {
        case KeyAction::None:
            return;
        case KeyAction::Text:
            return tty_receive(terminal, reinterpret_cast<const uint8_t*>(event.text), event.bytes);
        case KeyAction::Console:
            return show(event.number);
        case KeyAction::ScrollBack:
        case KeyAction::ScrollForward:
            return scroll(event.action);
        case KeyAction::Restart:
            machine_restart();
    }
}

// printk's lines, unless the terminal is busy below us: then only the serial port has them.
void print(const char* text, size_t bytes) {
    virtual_terminal& terminal = tty1;
    if (terminal.lock.is_locked()) return;
    const spinlock_guard guard(terminal.lock);
    for (size_t i = 0; i < bytes; ++i) {
        if (text[i] == '\n') terminal.screen.write("\r", 1);
        terminal.screen.write(text + i, 1);
    }
    refresh(terminal);
}

constinit bool is_there = false;

}  // namespace

tty_struct* vt_shown() { return is_there ? terminals[shown] : nullptr; }

void vt_want_console(bool wanted) { wants_console = wanted; }

void vt_init() {
    if (!vga_init()) return;
    for (virtual_terminal* terminal : terminals) {
        terminal->screen.reset();
        tty_register(*terminal);
    }
    is_there = true;
    if (wants_console) tty_set_console(tty1);
    set_screen_console(print);
    atkbd_init(scan);
    show(0);
}

}  // namespace guest
