// The screen of a virtual terminal: cells, cursor, and what control characters and escape sequences do to
// them (ECMA-48; the DEC VT102 User Guide; man 4 console_codes). It knows no hardware, no tasks and no locks:
// its owner calls it with the terminal locked.
#pragma once

#include <stddef.h>
#include <stdint.h>

namespace guest {

// What a screen asks of the terminal it belongs to, which derives from this.
struct vt_port {
    // An answer, to be read as if it was typed.
    void (*reply)(vt_port& port, const char* text, size_t bytes);
    void (*bell)(vt_port& port);
};

class vt_screen {
public:
    static constexpr unsigned kColumns = 80, kRows = 25;
    static constexpr unsigned kHistory = 400;  // rows that left the top and can be looked at
    // As a VGA has it: code page 437, and the attribute above it.
    using Cell = uint16_t;
    static constexpr uint8_t kNormal = 0x07;

    struct Modes {
        bool autowrap = true;
        bool insert = false;
        bool origin = false;   // the cursor is counted from the scrolling region
        bool reverse = false;  // the screen, dark on light
        bool cursor_visible = true;
        bool cursor_keys = false;  // they send ESC O, not ESC [
        bool newline = false;      // a line feed returns too
        bool bracketed_paste = false;
    };

    // history: kHistory * kColumns cells, which outlive this. All is blank after reset() only.
    constexpr vt_screen(vt_port& port, Cell* history) : port_(port), lines_(history) {}

    // Output of programs, UTF-8.
    void write(const char* text, size_t bytes);

    [[nodiscard]] const Modes& modes() const { return modes_; }
    [[nodiscard]] unsigned column() const { return x_; }
    [[nodiscard]] unsigned row() const { return y_; }
    // A row as it is to be seen, when `back` rows of history are shown above the screen's top.
    [[nodiscard]] const Cell* shown_row(unsigned row, unsigned back) const;
    [[nodiscard]] unsigned history() const { return history_used_; }

    void reset() {
        for (Cell& cell : cells_) cell = kBlank;
        history_used_ = history_next_ = 0;
        soft_reset();
    }

private:
    static constexpr Cell kBlank = Cell{kNormal} << 8 | ' ';
    static constexpr unsigned kMostParameters = 16;

    enum class State : uint8_t { Ground, Escape, Charset, Csi, CsiIgnored, Osc, OscEscape, Palette, Hash };
    enum class History : uint8_t { Kept, Dropped };  // rows that leave the top
    enum class Charset : uint8_t { Latin, Graphics };
    struct Pen {
        uint8_t foreground = 7, background = 0;
        bool bold = false, blink = false, reverse = false, underline = false, faint = false;
    };
    struct Saved {
        unsigned x = 0, y = 0;
        Pen pen;
        Charset charsets[2] = {Charset::Latin, Charset::Latin};
        uint8_t shifted = 0;
    };

    void soft_reset() {
        modes_ = {};
        pen_ = {};
        saved_ = {};
        x_ = y_ = top_ = 0;
        bottom_ = kRows - 1;
        wraps_next_ = false;
        charsets_[0] = charsets_[1] = Charset::Latin;
        shifted_ = 0;
        state_ = State::Ground;
        utf8_left_ = 0;
        for (unsigned i = 0; i < kColumns; ++i) tabs_[i] = i % 8 == 0;
    }

    void byte(uint8_t c);
    void control(uint8_t c);
    void utf8(uint8_t c);
    void print(uint32_t character);
    void escape(uint8_t c);
    void choose_charset(uint8_t c);
    void csi_byte(uint8_t c);
    void csi(uint8_t final);
    void private_mode(unsigned mode, bool on);
    void ansi_mode(unsigned mode, bool on);
    void select_graphics();
    // How many parameters it took.
    unsigned extended_colour(unsigned at, uint8_t& colour);
    void report(unsigned what);

    // The n-th parameter; `otherwise` where it is missing or 0.
    [[nodiscard]] unsigned parameter(unsigned n, unsigned otherwise) const;
    [[nodiscard]] Cell* row_of(unsigned y) { return cells_ + y * kColumns; }
    [[nodiscard]] Cell blank() const;
    [[nodiscard]] Cell cell_of(uint8_t code) const;
    void clear(unsigned from, unsigned to);  // cells of the screen
    void erase_display(unsigned what);
    void erase_line(unsigned what);
    void move_to(unsigned x, unsigned y);
    void move_in_region(unsigned x, unsigned y);
    void up(unsigned n);
    void down(unsigned n);
    void line_feed();
    void reverse_line_feed();
    void scroll_up(unsigned top, unsigned n, History history);
    void scroll_down(unsigned top, unsigned n);
    void insert_characters(unsigned n);
    void delete_characters(unsigned n);
    void remember_row(const Cell* row);
    void save();
    void restore();

    vt_port& port_;
    Cell* const lines_;  // a ring of rows
    Cell cells_[kRows * kColumns] = {};
    unsigned history_used_ = 0, history_next_ = 0;
    Modes modes_;
    Pen pen_;
    Saved saved_;
    unsigned x_ = 0, y_ = 0;
    unsigned top_ = 0, bottom_ = kRows - 1;  // the scrolling region
    bool wraps_next_ = false;                // the last column was written; the next character wraps
    Charset charsets_[2] = {Charset::Latin, Charset::Latin};
    uint8_t shifted_ = 0;  // which of them is in use
    uint8_t choosing_ = 0;
    State state_ = State::Ground;
    bool csi_private_ = false;
    unsigned parameters_[kMostParameters] = {};
    unsigned parameter_count_ = 0;
    unsigned palette_left_ = 0;  // digits of ESC ] P
    uint32_t utf8_ = 0;
    unsigned utf8_left_ = 0, utf8_length_ = 0;
    bool tabs_[kColumns] = {};
};

// The code of a character in code page 437, or of what shows that it has none.
[[nodiscard]] uint8_t cp437_of(uint32_t character);

}  // namespace guest
