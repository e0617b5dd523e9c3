// Scan codes to what a terminal reads.
#include "guest/drivers/keymap.hpp"

#include <gtest/gtest.h>

#include <initializer_list>
#include <string>

namespace {

using guest::KeyAction;

class Keymap : public testing::Test {
protected:
    // What the codes give in all; actions as names in angle brackets.
    std::string type(std::initializer_list<int> codes, bool cursor_keys = false) {
        std::string got;
        for (const int code : codes) {
            const guest::KeyEvent event = keyboard.scan(static_cast<uint8_t>(code), cursor_keys);
            if (event.action == KeyAction::Text) got.append(event.text, event.bytes);
            if (event.action == KeyAction::Console) got += "<console " + std::to_string(event.number) + ">";
            if (event.action == KeyAction::ScrollBack) got += "<back>";
            if (event.action == KeyAction::ScrollForward) got += "<forward>";
            if (event.action == KeyAction::Restart) got += "<restart>";
        }
        return got;
    }
    guest::keyboard_state keyboard;
};

TEST_F(Keymap, LettersAndShifts) {
    EXPECT_EQ(type({0x1e, 0x9e, 0x30, 0xb0}), "ab");
    EXPECT_EQ(type({0x2a, 0x1e, 0x9e, 0x02, 0xaa, 0x02}), "A!1");
    EXPECT_EQ(type({0x36, 0x2b, 0xb6, 0x2b}), "|\\");
    EXPECT_EQ(type({0x3a, 0xba, 0x1e, 0x02, 0x2a, 0x1e, 0xaa, 0x3a, 0x1e}), "A1aa") << "caps lock";
    EXPECT_EQ(type({0x1c, 0x0e, 0x0f, 0x01, 0x39}), "\r\177\t\033 ");
    EXPECT_EQ(type({0x2a, 0x0f, 0xaa}), "\033[Z");
}

TEST_F(Keymap, ControlAndAlt) {
    EXPECT_EQ(type({0x1d, 0x2e, 0x9d, 0x2e}), "\003c");
    EXPECT_EQ(type({0xe0, 0x1d, 0x20, 0xe0, 0x9d}), "\004");
    EXPECT_EQ(type({0x1d, 0x39, 0x9d}), std::string(1, '\0'));
    EXPECT_EQ(type({0x1d, 0x2b, 0x9d}), "\034");
    EXPECT_EQ(type({0x38, 0x1e, 0xb8}), "\033a");
    EXPECT_EQ(type({0x38, 0x3c, 0xb8}), "<console 1>");
    EXPECT_EQ(type({0x1d, 0x38, 0xe0, 0x53}), "<restart>");
}

TEST_F(Keymap, CursorAndFunctionKeys) {
    EXPECT_EQ(type({0xe0, 0x48, 0xe0, 0xc8}), "\033[A");
    EXPECT_EQ(type({0xe0, 0x48}, true), "\033OA");
    EXPECT_EQ(type({0xe0, 0x47, 0xe0, 0x4f, 0xe0, 0x53}), "\033[1~\033[4~\033[3~");
    EXPECT_EQ(type({0x3b, 0x3f, 0x40, 0x57, 0x58}), "\033[[A\033[[E\033[17~\033[23~\033[24~");
    // Num lock is off by then: the keyboard makes up a released shift around the key.
    EXPECT_EQ(type({0x2a, 0xe0, 0xaa, 0xe0, 0x49, 0xe0, 0x2a, 0xaa}), "<back>");
    EXPECT_EQ(type({0x36, 0xe0, 0x51, 0xb6}), "<forward>");
}

TEST_F(Keymap, Keypad) {
    EXPECT_EQ(type({0x48, 0x4b, 0x4e, 0x37, 0xe0, 0x35, 0xe0, 0x1c}), "\033[A\033[D+*/\r");
    EXPECT_EQ(type({0x45, 0xc5, 0x48, 0x53}), "8.");
}

TEST_F(Keymap, AnyCodesAtAll) {
    EXPECT_EQ(type({0xe1, 0x1d, 0x45, 0xe1, 0x9d, 0xc5}), "") << "Pause is no Ctrl and no Num Lock";
    EXPECT_EQ(type({0x1e}), "a");
    for (int first = 0; first < 256; ++first)
        for (int second = 0; second < 256; ++second) EXPECT_LE(type({first, second}).size(), 32u);
}

}  // namespace
