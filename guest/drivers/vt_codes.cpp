// What the bytes that programs write mean to a screen: characters, controls, escape sequences.
#include "guest/drivers/vt_screen.hpp"

namespace guest {

namespace {

constexpr uint8_t kBell = 7, kBackspace = 8, kTab = 9, kLineFeed = 10, kFormFeed = 12, kReturn = 13,
                  kShiftOut = 14, kShiftIn = 15, kCancel = 24, kSubstitute = 26, kEscape = 27, kDelete = 127;
constexpr uint32_t kReplacement = 0xfffd;

// ANSI's order of colours is red first, the VGA's blue.
constexpr uint8_t vga_colour(unsigned ansi) {
    return static_cast<uint8_t>((ansi & 8) | (ansi & 1) << 2 | (ansi & 2) | (ansi & 4) >> 2);
}

// The one of 16 that is nearest by the brightness of its components.
constexpr uint8_t nearest_colour(unsigned red, unsigned green, unsigned blue) {
    const unsigned most = red > green ? (red > blue ? red : blue) : (green > blue ? green : blue);
    if (most < 64) return 0;
    const unsigned half = most / 2;
    const unsigned hue = (red > half ? 1u : 0u) | (green > half ? 2u : 0u) | (blue > half ? 4u : 0u);
    if (hue == 7 && most < 140) return 8;
    return vga_colour(hue | (most > 192 && !(hue == 7 && most < 240) ? 8u : 0u));
}

char* put_number(char* to, unsigned n) {
    char digits[10];
    unsigned count = 0;
    do digits[count++] = static_cast<char>('0' + n % 10);
    while ((n /= 10) != 0);
    while (count > 0) *to++ = digits[--count];
    return to;
}

}  // namespace

void vt_screen::write(const char* text, size_t bytes) {
    for (size_t i = 0; i < bytes; ++i) byte(static_cast<uint8_t>(text[i]));
}

void vt_screen::byte(uint8_t c) {
    // Control characters work even in the middle of a sequence; a string ends with BEL or ESC \.
    const bool in_string = state_ == State::Osc || state_ == State::OscEscape;
    if (c < 0x20 && !in_string) return control(c);
    switch (state_) {
        case State::Ground:
            return utf8(c);
        case State::Escape:
            return escape(c);
        case State::Charset:
            return choose_charset(c);
        case State::Csi:
        case State::CsiIgnored:
            return csi_byte(c);
        case State::Osc:
            if (c == kEscape)
                state_ = State::OscEscape;
            else if (c == kBell || c == kCancel || c == kSubstitute)
                state_ = State::Ground;
            else if (c == 'P' && parameter_count_ == 0)
                state_ = State::Palette, palette_left_ = 7;
            else if (c == 'R' && parameter_count_ == 0)
                state_ = State::Ground;
            parameter_count_ = 1;
            return;
        case State::OscEscape:
            state_ = c == '\\' ? State::Ground : State::Escape;
            if (state_ == State::Escape) escape(c);
            return;
        case State::Palette:
            if (--palette_left_ == 0) state_ = State::Ground;
            return;
        case State::Hash:
            state_ = State::Ground;
            if (c == '8')
                for (Cell& cell : cells_) cell = Cell{kNormal} << 8 | 'E';
            return;
    }
}

void vt_screen::control(uint8_t c) {
    utf8_left_ = 0;
    switch (c) {
        case kBell:
            return port_.bell(port_);
        case kBackspace:
            if (x_ > 0 && !wraps_next_) --x_;
            wraps_next_ = false;
            return;
        case kTab: {
            unsigned x = x_;
            while (x < kColumns - 1 && !tabs_[++x]) {
            }
            x_ = x;
            return;
        }
        case kLineFeed:
        case kLineFeed + 1:
        case kFormFeed:
            if (modes_.newline) x_ = 0;
            return line_feed();
        case kReturn:
            return move_to(0, y_);
        case kShiftOut:
            shifted_ = 1;
            return;
        case kShiftIn:
            shifted_ = 0;
            return;
        case kCancel:
        case kSubstitute:
            state_ = State::Ground;
            return;
        case kEscape:
            state_ = State::Escape;
            return;
        default:
            return;
    }
}

void vt_screen::utf8(uint8_t c) {
    if (utf8_left_ != 0 && (c & 0xc0) == 0x80) {
        utf8_ = utf8_ << 6 | (c & 0x3fu);
        if (--utf8_left_ != 0) return;
        constexpr uint32_t kLeast[] = {0, 0, 0x80, 0x800, 0x10000};
        const bool good = utf8_ >= kLeast[utf8_length_] && utf8_ < 0x110000 && (utf8_ >> 11) != 0x1b;
        return print(good ? utf8_ : kReplacement);
    }
    if (utf8_left_ != 0) {  // cut off
        utf8_left_ = 0;
        print(kReplacement);
    }
    if (c == kDelete) return;
    if (c < 0x80) return print(c);
    utf8_length_ = c >= 0xf0 && c < 0xf8 ? 4 : c >= 0xe0 && c < 0xf0 ? 3 : c >= 0xc0 && c < 0xe0 ? 2 : 0;
    if (utf8_length_ == 0) return print(kReplacement);
    utf8_left_ = utf8_length_ - 1;
    utf8_ = c & (0x7fu >> utf8_length_);
}

void vt_screen::escape(uint8_t c) {
    state_ = State::Ground;
    switch (c) {
        case '[':
            state_ = State::Csi;
            csi_private_ = false;
            parameter_count_ = 0;
            for (unsigned& p : parameters_) p = 0;
            return;
        case ']':
        case 'P':
        case '^':
        case '_':
            state_ = State::Osc;
            parameter_count_ = c == ']' ? 0 : 1;
            return;
        case '(':
        case ')':
            state_ = State::Charset;
            choosing_ = c == ')';
            return;
        case '%':
        case '*':
        case '+':
            state_ = State::Charset;
            choosing_ = 2;
            return;
        case '#':
            state_ = State::Hash;
            return;
        case '7':
            return save();
        case '8':
            return restore();
        case 'c':
            return reset();
        case 'D':
            return line_feed();
        case 'E':
            x_ = 0;
            return line_feed();
        case 'H':
            tabs_[x_] = true;
            return;
        case 'M':
            return reverse_line_feed();
        case 'Z':
            return report(0);
        default:
            return;
    }
}

void vt_screen::choose_charset(uint8_t c) {
    state_ = State::Ground;
    if (choosing_ < 2) charsets_[choosing_] = c == '0' ? Charset::Graphics : Charset::Latin;
}

void vt_screen::csi_byte(uint8_t c) {
    if (c >= 0x40 && c < 0x7f) {
        const bool ignored = state_ == State::CsiIgnored;
        state_ = State::Ground;
        if (!ignored) csi(c);
        return;
    }
    constexpr unsigned kMostValue = 99999;
    if (c >= '0' && c <= '9') {
        if (parameter_count_ == 0) parameter_count_ = 1;
        unsigned& value = parameters_[parameter_count_ - 1];
        if (value < kMostValue) value = value * 10 + (c - '0');
    } else if (c == ';' || c == ':') {
        if (parameter_count_ == 0) parameter_count_ = 1;
        if (parameter_count_ == kMostParameters)
            state_ = State::CsiIgnored;
        else
            ++parameter_count_;
    } else if (c == '?' && parameter_count_ == 0) {
        csi_private_ = true;
    } else {
        state_ = State::CsiIgnored;
    }
}

unsigned vt_screen::parameter(unsigned n, unsigned otherwise) const {
    return n < parameter_count_ && parameters_[n] != 0 ? parameters_[n] : otherwise;
}

void vt_screen::csi(uint8_t final) {
    const unsigned n = parameter(0, 1);
    if (csi_private_ && final != 'h' && final != 'l') return;
    switch (final) {
        case '@':
            return insert_characters(n);
        case 'A':
            return up(n);
        case 'B':
        case 'e':
            return down(n);
        case 'C':
        case 'a':
            return move_to(x_ + n, y_);
        case 'D':
            return move_to(x_ < n ? 0 : x_ - n, y_);
        case 'E':
            x_ = 0;
            return down(n);
        case 'F':
            x_ = 0;
            return up(n);
        case 'G':
        case '`':
            return move_to(n - 1, y_);
        case 'H':
        case 'f':
            return move_in_region(parameter(1, 1) - 1, n - 1);
        case 'J':
            return erase_display(parameter(0, 0));
        case 'K':
            return erase_line(parameter(0, 0));
        case 'L':
            if (y_ >= top_ && y_ <= bottom_) scroll_down(y_, n);
            return;
        case 'M':
            if (y_ >= top_ && y_ <= bottom_) scroll_up(y_, n, History::Dropped);
            return;
        case 'P':
            return delete_characters(n);
        case 'S':
            return scroll_up(top_, n, History::Kept);
        case 'T':
            return scroll_down(top_, n);
        case 'X': {
            const unsigned at = y_ * kColumns + x_;
            return clear(at, at + (n < kColumns - x_ ? n : kColumns - x_));
        }
        case 'c':
            return report(0);
        case 'd':
            return move_in_region(x_, n - 1);
        case 'g':
            if (parameter(0, 0) == 0) tabs_[x_] = false;
            if (parameter(0, 0) == 3)
                for (bool& tab : tabs_) tab = false;
            return;
        case 'h':
        case 'l':
            for (unsigned i = 0; i < parameter_count_; ++i)
                csi_private_ ? private_mode(parameters_[i], final == 'h')
                             : ansi_mode(parameters_[i], final == 'h');
            return;
        case 'm':
            return select_graphics();
        case 'n':
            return report(parameter(0, 0));
        case 'r': {
            const unsigned bottom = parameter(1, kRows);
            if (n >= bottom || bottom > kRows) return;
            top_ = n - 1;
            bottom_ = bottom - 1;
            return move_in_region(0, 0);
        }
        case 's':
            return save();
        case 'u':
            return restore();
        default:
            return;
    }
}

void vt_screen::private_mode(unsigned mode, bool on) {
    switch (mode) {
        case 1:
            modes_.cursor_keys = on;
            return;
        case 5:
            if (modes_.reverse == on) return;
            modes_.reverse = on;
            for (Cell& cell : cells_) {
                const unsigned a = cell >> 8;
                cell = static_cast<Cell>(((a & 0x88) | (a & 7) << 4 | (a >> 4 & 7)) << 8 | (cell & 0xff));
            }
            return;
        case 6:
            modes_.origin = on;
            return move_in_region(0, 0);
        case 7:
            modes_.autowrap = on;
            if (!on) wraps_next_ = false;
            return;
        case 25:
            modes_.cursor_visible = on;
            return;
        case 2004:
            modes_.bracketed_paste = on;
            return;
        default:
            return;
    }
}

void vt_screen::ansi_mode(unsigned mode, bool on) {
    if (mode == 4) modes_.insert = on;
    if (mode == 20) modes_.newline = on;
}

// 38 and 48: "5;N" one of 256, "2;R;G;B".
unsigned vt_screen::extended_colour(unsigned at, uint8_t& colour) {
    if (parameters_[at] == 5 && at + 1 < parameter_count_) {
        const unsigned n = parameters_[at + 1];
        if (n < 16) {
            colour = vga_colour(n);
        } else if (n < 232) {
            const unsigned cube = n - 16;
            colour = nearest_colour(cube / 36 * 51, cube / 6 % 6 * 51, cube % 6 * 51);
        } else if (n < 256) {
            const unsigned grey = (n - 232) * 10 + 8;
            colour = nearest_colour(grey, grey, grey);
        }
        return 2;
    }
    if (parameters_[at] == 2 && at + 3 < parameter_count_) {
        colour = nearest_colour(parameters_[at + 1], parameters_[at + 2], parameters_[at + 3]);
        return 4;
    }
    return parameter_count_;
}

void vt_screen::select_graphics() {
    if (parameter_count_ == 0) parameter_count_ = 1;
    for (unsigned i = 0; i < parameter_count_; ++i) {
        const unsigned p = parameters_[i];
        uint8_t colour = 0;
        if (p == 0) pen_ = {};
        if (p == 1) pen_.bold = true, pen_.faint = false;
        if (p == 2) pen_.faint = true, pen_.bold = false;
        if (p == 4 || p == 21) pen_.underline = true;
        if (p == 5) pen_.blink = true;
        if (p == 7) pen_.reverse = true;
        if (p == 22) pen_.bold = pen_.faint = false;
        if (p == 24) pen_.underline = false;
        if (p == 25) pen_.blink = false;
        if (p == 27) pen_.reverse = false;
        if (p >= 30 && p <= 37) pen_.foreground = vga_colour(p - 30);
        if (p == 39) pen_.foreground = 7;
        if (p >= 40 && p <= 47) pen_.background = vga_colour(p - 40);
        if (p == 49) pen_.background = 0;
        if (p >= 90 && p <= 97) pen_.foreground = vga_colour(p - 90 + 8);
        if (p >= 100 && p <= 107) pen_.background = vga_colour(p - 100);  // 7 is the brightest there is
        if ((p == 38 || p == 48) && i + 1 < parameter_count_) {
            colour = p == 38 ? pen_.foreground : pen_.background;
            i += extended_colour(i + 1, colour);
            (p == 38 ? pen_.foreground : pen_.background) = p == 38 ? colour : colour & 7;
        }
    }
}

// 0: what the terminal is; 5: that it is well; 6: where the cursor is.
void vt_screen::report(unsigned what) {
    if (what == 0) return port_.reply(port_, "\033[?6c", 5);
    if (what == 5) return port_.reply(port_, "\033[0n", 4);
    if (what != 6) return;
    char text[24] = "\033[";
    char* end = put_number(text + 2, (modes_.origin ? y_ - top_ : y_) + 1);
    *end++ = ';';
    end = put_number(end, x_ + 1);
    *end++ = 'R';
    port_.reply(port_, text, static_cast<size_t>(end - text));
}

}  // namespace guest
