// The screen of a virtual terminal: what programs write, and what is then to be seen (ECMA-48; man 4
// console_codes).
#include "guest/drivers/vt_screen.hpp"

#include <gtest/gtest.h>

#include <memory>
#include <string>
#include <vector>

namespace {

using guest::vt_screen;

struct FakeTerminal : guest::vt_port {
    FakeTerminal() : vt_port{answer, ring} {}
    static void answer(vt_port& port, const char* text, size_t bytes) {
        static_cast<FakeTerminal&>(port).replies.append(text, bytes);
    }
    static void ring(vt_port& port) { ++static_cast<FakeTerminal&>(port).bells; }
    std::string replies;
    unsigned bells = 0;
};

class VtScreen : public testing::Test {
protected:
    VtScreen() { screen.reset(); }
    void write(const std::string& text) { screen.write(text.data(), text.size()); }
    std::string row(unsigned y, unsigned back = 0) const {
        std::string text;
        for (unsigned x = 0; x < vt_screen::kColumns; ++x)
            text += static_cast<char>(screen.shown_row(y, back)[x] & 0xff);
        text.resize(text.find_last_not_of(' ') + 1);
        return text;
    }
    unsigned attribute(unsigned x, unsigned y) const { return screen.shown_row(y, 0)[x] >> 8; }
    std::pair<unsigned, unsigned> cursor() const { return {screen.column(), screen.row()}; }
    void number_rows() {
        for (unsigned y = 0; y < 25; ++y) write("\033[" + std::to_string(y + 1) + ";1H" + std::to_string(y));
    }

    FakeTerminal port;
    std::vector<vt_screen::Cell> history =
        std::vector<vt_screen::Cell>(vt_screen::kHistory * vt_screen::kColumns);
    vt_screen screen{port, history.data()};
};

using Place = std::pair<unsigned, unsigned>;

TEST_F(VtScreen, TextAndControls) {
    write("one\r\ntwo\b\bX\a\tY");
    EXPECT_EQ(row(0), "one");
    EXPECT_EQ(row(1), "tXo     Y");
    EXPECT_EQ(cursor(), Place(9, 1));
    EXPECT_EQ(port.bells, 1u);
    write("\n");
    EXPECT_EQ(cursor(), Place(9, 2)) << "a line feed alone does not return";
}

// The last column is written and the cursor stays there; only the next character goes on.
TEST_F(VtScreen, WrapsLate) {
    write(std::string(80, 'a'));
    EXPECT_EQ(cursor(), Place(79, 0));
    write("\r\nb");
    EXPECT_EQ(row(1), "b") << "no empty line";
    write("\033[1;80Hxy");
    EXPECT_EQ(row(0).back(), 'x');
    EXPECT_EQ(row(1), "y");
    write("\033[?7l\033[1;80HPQ");
    EXPECT_EQ(row(0).back(), 'Q');
    EXPECT_EQ(cursor(), Place(79, 0));
}

TEST_F(VtScreen, ScrollsAndRemembers) {
    for (unsigned i = 0; i < 30; ++i) write(std::to_string(i) + "\r\n");
    EXPECT_EQ(row(0), "6");
    EXPECT_EQ(row(23), "29");
    EXPECT_EQ(row(24), "");
    EXPECT_EQ(screen.history(), 6u);
    EXPECT_EQ(row(0, 2), "4");
    EXPECT_EQ(row(2, 2), "6");
    EXPECT_EQ(row(0, 99), "0") << "no further than there is";
    for (unsigned i = 0; i < 1000; ++i) write(std::to_string(i) + "\r\n");
    EXPECT_EQ(screen.history(), vt_screen::kHistory);
    EXPECT_EQ(row(0, vt_screen::kHistory), std::to_string(1000 - 24 - static_cast<int>(vt_screen::kHistory)));
}

TEST_F(VtScreen, Moves) {
    write("\033[5;10H");
    EXPECT_EQ(cursor(), Place(9, 4));
    write("\033[A\033[2B\033[3C\033[D");
    EXPECT_EQ(cursor(), Place(11, 5));
    write("\033[99A\033[99D");
    EXPECT_EQ(cursor(), Place(0, 0));
    write("\033[99B\033[99C");
    EXPECT_EQ(cursor(), Place(79, 24));
    write("\033[7G\033[3d");
    EXPECT_EQ(cursor(), Place(6, 2));
    write("\033[2E");
    EXPECT_EQ(cursor(), Place(0, 4));
    write("\033[H\033[F");
    EXPECT_EQ(cursor(), Place(0, 0));
}

TEST_F(VtScreen, Erases) {
    number_rows();
    write("\033[3;1Habcdef\033[3;3H\033[K");
    EXPECT_EQ(row(2), "ab");
    write("\033[3;1Habcdef\033[3;3H\033[1K");
    EXPECT_EQ(row(2), "   def");
    write("\033[2K");
    EXPECT_EQ(row(2), "");
    write("\033[5;1H\033[J");
    EXPECT_EQ(row(3), "3");
    EXPECT_EQ(row(4), "");
    EXPECT_EQ(row(24), "");
    write("\033[2;2H\033[1J");
    EXPECT_EQ(row(0), "");
    EXPECT_EQ(row(1), "");
    EXPECT_EQ(row(3), "3");
    write("\033[2J");
    EXPECT_EQ(row(3), "");
    EXPECT_EQ(cursor(), Place(1, 1)) << "the cursor stays";
}

TEST_F(VtScreen, InsertsAndDeletes) {
    write("abcdef\033[1;3H\033[2@");
    EXPECT_EQ(row(0), "ab  cdef");
    write("\033[3P");
    EXPECT_EQ(row(0), "abdef");
    write("\033[2X");
    EXPECT_EQ(row(0), "ab  f");
    write("\033[4hXY\033[4l");
    EXPECT_EQ(row(0), "abXY  f");
    number_rows();
    write("\033[3;1H\033[2L");
    EXPECT_EQ(row(1), "1");
    EXPECT_EQ(row(2), "");
    EXPECT_EQ(row(4), "2");
    EXPECT_EQ(row(24), "22");
    write("\033[2M");
    EXPECT_EQ(row(2), "2");
    EXPECT_EQ(row(24), "");
    EXPECT_EQ(screen.history(), 0u) << "what is deleted has not scrolled off";
}

TEST_F(VtScreen, ScrollsARegionOnly) {
    number_rows();
    write("\033[5;10r");
    EXPECT_EQ(cursor(), Place(0, 0));
    write("\033[10;1H\n");
    EXPECT_EQ(row(3), "3");
    EXPECT_EQ(row(4), "5");
    EXPECT_EQ(row(9), "");
    EXPECT_EQ(row(10), "10");
    EXPECT_EQ(screen.history(), 0u);
    write("\033[5;1H\033M");
    EXPECT_EQ(row(4), "");
    EXPECT_EQ(row(5), "5");
    write("\033[?6h\033[1;1H");
    EXPECT_EQ(cursor(), Place(0, 4)) << "counted from the region";
    write("\033[99;1H");
    EXPECT_EQ(cursor(), Place(0, 9));
    write("\033[6n");
    EXPECT_EQ(port.replies, "\033[6;1R");
    write("\033[?6l\033[r\033[25;1H\n");
    EXPECT_EQ(row(0), "1");
}

TEST_F(VtScreen, ColoursAndAttributes) {
    write(
        "a\033[31mb\033[1mc\033[44md\033[7me\033[0mf\033[5mg\033[0;94mh\033[39;38;5;196mi\033[0;48;2;0;0;"
        "250mj");
    EXPECT_EQ(attribute(0, 0), 0x07u);
    EXPECT_EQ(attribute(1, 0), 0x04u);
    EXPECT_EQ(attribute(2, 0), 0x0cu);
    EXPECT_EQ(attribute(3, 0), 0x1cu);
    EXPECT_EQ(attribute(4, 0), 0x49u);
    EXPECT_EQ(attribute(5, 0), 0x07u);
    EXPECT_EQ(attribute(6, 0), 0x87u);
    EXPECT_EQ(attribute(7, 0), 0x09u);
    EXPECT_EQ(attribute(8, 0), 0x0cu);
    EXPECT_EQ(attribute(9, 0), 0x17u);
    write("\033[0;41m\033[2;1H\033[K");
    EXPECT_EQ(attribute(40, 1), 0x47u) << "erased with the background's colour";
    write("\033[?5h");
    EXPECT_EQ(attribute(0, 0), 0x70u);
}

TEST_F(VtScreen, Utf8AndLineGraphics) {
    write("\xc3\xa9\xe2\x94\x80\xe2\x82\xac\xf0\x9f\x98\x80");
    EXPECT_EQ(row(0), "\x82\xc4\xfe\xfe");
    write("\r\n\xc3(\xff\xe2\x94");
    write("\x82");  // a character in two writes
    EXPECT_EQ(row(1), "\xfe(\xfe\xb3");
    write("\r\n\xc0\xaf");
    EXPECT_EQ(row(2), "\xfe") << "a slash in two bytes is none";
    write("\r\n\033(0lqk\033(Bq\016q\017");
    EXPECT_EQ(row(3), "\xda\xc4\xbfqq");
    write("\r\n\033)0a\016q\017q");
    EXPECT_EQ(row(4), "a\xc4q");
}

TEST_F(VtScreen, AnswersWhatItIsAsked) {
    write("\033[c\033[5n\033[3;7H\033[6n");
    EXPECT_EQ(port.replies, "\033[?6c\033[0n\033[3;7R");
}

TEST_F(VtScreen, SavesAndRestores) {
    write("\033[3;4H\033[31m\0337\033[H\033[0m\0338x");
    EXPECT_EQ(attribute(3, 2), 0x04u);
    EXPECT_EQ(cursor(), Place(4, 2));
    write("\033[?25l\033[?1h");
    EXPECT_FALSE(screen.modes().cursor_visible);
    EXPECT_TRUE(screen.modes().cursor_keys);
    write("\033c");
    EXPECT_TRUE(screen.modes().cursor_visible);
    EXPECT_EQ(row(2), "");
}

TEST_F(VtScreen, LeavesOutWhatItDoesNotKnow) {
    write(
        "a\033]0;title\ab\033]0;title\033\\c\033P+q\033\\d\033]P1aabbcce\033[>1;2cf\033[?1049hg\033[1;2;"
        "3zh\033(Bi\033%Gj");
    EXPECT_EQ(row(0), "abcdefghij");
    write("\r\n\033[1\033[31mx\033[5\030y");
    EXPECT_EQ(row(1), "xy") << "cut off by another sequence, and by CAN";
    write("\r\n\033[1\n2Cz");
    EXPECT_EQ(row(3), "            z") << "a control character works in the middle";
}

TEST_F(VtScreen, TabStops) {
    write("\033[3g\033[1;5H\033H\r\tx");
    EXPECT_EQ(row(0), "    x");
    write("\ty");
    EXPECT_EQ(cursor(), Place(79, 0));
}

// Whatever a program writes, cursor and rows stay in their place.
TEST_F(VtScreen, AnyBytesAtAll) {
    uint64_t random = 7;
    const std::string likely = "\033[;?0123456789HJKLMPXmrhlABCD@\r\n\b\tMDE78c#()0B]\a";
    std::string text;
    for (unsigned i = 0; i < 2'000'000; ++i) {
        random = random * 6364136223846793005u + 1442695040888963407u;
        const auto byte = static_cast<uint8_t>(random >> 56);
        text += byte < 160 ? likely[byte % likely.size()] : static_cast<char>(byte);
        if (text.size() < 1000) continue;
        write(text);
        text.clear();
        port.replies.clear();
        ASSERT_LT(screen.column(), vt_screen::kColumns);
        ASSERT_LT(screen.row(), vt_screen::kRows);
    }
}

TEST(Cp437, KnowsItsOwnCharactersAndLikenesses) {
    EXPECT_EQ(guest::cp437_of('A'), 'A');
    EXPECT_EQ(guest::cp437_of(0xe4), 0x84);
    EXPECT_EQ(guest::cp437_of(0x2500), 0xc4);
    EXPECT_EQ(guest::cp437_of(0x2191), 0x18);
    EXPECT_EQ(guest::cp437_of(0x201c), '"');
    EXPECT_EQ(guest::cp437_of(0x4e00), 0xfe);
    EXPECT_EQ(guest::cp437_of(0x1f600), 0xfe);
}

}  // namespace
