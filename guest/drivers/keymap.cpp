#include "guest/drivers/keymap.hpp"

namespace guest {

namespace {

constexpr uint8_t kExtended = 0xe0, kPause = 0xe1, kReleased = 0x80;
constexpr uint8_t kControl = 0x1d, kShiftLeft = 0x2a, kShiftRight = 0x36, kAlt = 0x38, kCapsLock = 0x3a,
                  kNumLock = 0x45, kF1 = 0x3b, kF10 = 0x44, kF11 = 0x57, kF12 = 0x58, kKeypadFirst = 0x47,
                  kKeypadLast = 0x53, kTab = 0x0f, kPageUp = 0x49, kPageDown = 0x51, kDelete = 0x53;

// By scan code from 0x01; 0: no character.
constexpr char kPlain[] = "\0331234567890-=\177\tqwertyuiop[]\r\0asdfghjkl;'`\0\\zxcvbnm,./\0*\0 ";
constexpr char kShifted[] = "\033!@#$%^&*()_+\177\tQWERTYUIOP{}\r\0ASDFGHJKL:\"~\0|ZXCVBNM<>?\0*\0 ";
static_assert(sizeof(kPlain) == sizeof(kShifted) && sizeof(kPlain) == 0x3a);
constexpr char kKeypad[] = "789-456+1230.";

bool is_letter(char c) { return (c >= 'a' && c <= 'z') || (c >= 'A' && c <= 'Z'); }

KeyEvent text(const char* sequence) {
    KeyEvent event;
    event.action = KeyAction::Text;
    while (sequence[event.bytes] != '\0') {
        event.text[event.bytes] = sequence[event.bytes];
        ++event.bytes;
    }
    return event;
}

// Of the cursor block, by the codes that the keypad shares with it.
KeyEvent editing_key(uint8_t key, bool cursor_keys) {
    switch (key) {
        case 0x47:
            return text("\033[1~");
        case 0x48:
            return text(cursor_keys ? "\033OA" : "\033[A");
        case kPageUp:
            return text("\033[5~");
        case 0x4b:
            return text(cursor_keys ? "\033OD" : "\033[D");
        case 0x4c:
            return text("\033[G");
        case 0x4d:
            return text(cursor_keys ? "\033OC" : "\033[C");
        case 0x4f:
            return text("\033[4~");
        case 0x50:
            return text(cursor_keys ? "\033OB" : "\033[B");
        case kPageDown:
            return text("\033[6~");
        case 0x52:
            return text("\033[2~");
        case kDelete:
            return text("\033[3~");
        default:
            return {};
    }
}

KeyEvent function_key(unsigned number) {
    constexpr const char* kSequences[] = {"\033[[A",  "\033[[B",  "\033[[C",  "\033[[D",
                                          "\033[[E",  "\033[17~", "\033[18~", "\033[19~",
                                          "\033[20~", "\033[21~", "\033[23~", "\033[24~"};
    return text(kSequences[number]);
}

// As ASCII has it: letters and @ [ \ ] ^ _ lose bits 5 and 6, and some keys stand for their neighbours.
char with_control(char c) {
    if (c == ' ' || c == '2') return 0;
    if (c == '?' || c == '8') return 0x7f;
    if (c == '/' || c == '-' || c == '7') return 0x1f;
    if (c == '6') return 0x1e;
    if (c >= '3' && c <= '5') return static_cast<char>(c - '3' + 0x1b);
    if (c >= '@' && c <= '~') return static_cast<char>(c & 0x1f);
    return c;
}

}  // namespace

KeyEvent keyboard_state::scan(uint8_t code, bool cursor_keys) {
    if (ignore_ != 0) {
        --ignore_;
        return {};
    }
    if (code == kPause) {
        ignore_ = 2;
        return {};
    }
    if (code == kExtended) {
        extended_ = true;
        return {};
    }
    const bool was_extended = extended_;
    extended_ = false;
    const auto key = static_cast<uint8_t>(code & ~kReleased);
    const bool down = (code & kReleased) == 0;
    modifier(key, down, was_extended);
    if (!down) return {};
    return was_extended ? extended(key, cursor_keys) : plain(key, cursor_keys);
}

// The shifts that come with E0 are made up by the keyboard, for old programs.
void keyboard_state::modifier(uint8_t key, bool down, bool extended) {
    if (key == kControl) (extended ? control_right_ : control_left_) = down;
    if (key == kAlt) (extended ? alt_right_ : alt_left_) = down;
    if (extended) return;
    if (key == kShiftLeft) shift_left_ = down;
    if (key == kShiftRight) shift_right_ = down;
    if (down && key == kCapsLock) caps_lock_ = !caps_lock_;
    if (down && key == kNumLock) num_lock_ = !num_lock_;
}

KeyEvent keyboard_state::extended(uint8_t key, bool cursor_keys) const {
    const bool shift = shift_left_ || shift_right_;
    KeyEvent event;
    if (shift && (key == kPageUp || key == kPageDown)) {
        event.action = key == kPageUp ? KeyAction::ScrollBack : KeyAction::ScrollForward;
        return event;
    }
    if (key == kDelete && (control_left_ || control_right_) && (alt_left_ || alt_right_)) {
        event.action = KeyAction::Restart;
        return event;
    }
    if (key == 0x1c) return text("\r");
    if (key == 0x35) return text("/");
    return editing_key(key, cursor_keys);
}

KeyEvent keyboard_state::plain(uint8_t key, bool cursor_keys) {
    const bool shift = shift_left_ || shift_right_;
    if ((key >= kF1 && key <= kF10) || key == kF11 || key == kF12) {
        const unsigned number = key <= kF10 ? key - kF1 : key - kF11 + 10u;
        if (!alt_left_ && !alt_right_) return function_key(number);
        KeyEvent event;
        event.action = KeyAction::Console;
        event.number = number;
        return event;
    }
    if (key >= kKeypadFirst && key <= kKeypadLast) {
        const char c = kKeypad[key - kKeypadFirst];
        return num_lock_ || c == '-' || c == '+' ? character(c) : editing_key(key, cursor_keys);
    }
    if (key == 0 || key >= sizeof(kPlain)) return {};
    if (key == kTab && shift) return text("\033[Z");
    char c = kPlain[key - 1];
    if (c == '\0') return {};
    if (shift != (caps_lock_ && is_letter(c))) c = kShifted[key - 1];
    return character(c);
}

KeyEvent keyboard_state::character(char c) const {
    KeyEvent event;
    event.action = KeyAction::Text;
    if (alt_left_ || alt_right_) event.text[event.bytes++] = '\033';
    event.text[event.bytes++] = control_left_ || control_right_ ? with_control(c) : c;
    return event;
}

}  // namespace guest
