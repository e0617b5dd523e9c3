// The line discipline: editing, echo, signals, end of file, raw mode, output processing (man 3 termios).
#include "guest/drivers/n_tty.hpp"

// Before the host's headers: some names in it are macros there.
#include "guest/abi/signal.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>

#include <string>
#include <vector>

namespace {

using guest::n_tty;

struct FakePort : guest::tty_port {
    FakePort() : tty_port{put_bytes, send, stop} {}
    static void put_bytes(tty_port& port, const char* text, size_t bytes) {
        static_cast<FakePort&>(port).screen.append(text, bytes);
    }
    static void send(tty_port& port, int sig) { static_cast<FakePort&>(port).signals.push_back(sig); }
    static void stop(tty_port& port, bool stopped) { static_cast<FakePort&>(port).stopped = stopped; }
    std::string screen;
    std::vector<int> signals;
    bool stopped = false;
};

class NTtyTest : public ::testing::Test {
protected:
    void type(const std::string& text) {
        for (char c : text) tty_.receive(static_cast<uint8_t>(c));
    }
    std::string read(size_t room = 10000) {
        std::string out(room, '\0');
        out.resize(tty_.take(out.data(), room));
        return out;
    }
    std::string screen() { return std::exchange(port_.screen, ""); }
    void raw() {
        termios_.c_lflag = 0;
        termios_.c_iflag = 0;
        termios_.c_oflag = 0;
        tty_.mode_changed();
    }

    abi::Termios termios_{.c_iflag = abi::kICrNl | abi::kIXon,
                          .c_oflag = abi::kOPost | abi::kONlCr,
                          .c_cflag = 0,
                          .c_lflag = abi::kISig | abi::kICanon | abi::kEcho | abi::kEchoE | abi::kEchoK |
                                     abi::kEchoCtl | abi::kEchoKe | abi::kIExten,
                          .c_line = 0,
                          .c_cc = {3, 28, 127, 21, 4, 0, 1, 0, 17, 19, 26, 0, 18, 15, 23, 22, 0, 0, 0}};
    FakePort port_;
    n_tty tty_{port_, termios_};
};

TEST_F(NTtyTest, ALineIsReadOnceItIsFinished) {
    type("echo hi");
    EXPECT_FALSE(tty_.readable(1));
    EXPECT_EQ(tty_.available(), 0U);
    type("\r");
    EXPECT_TRUE(tty_.readable(1));
    EXPECT_EQ(tty_.available(), 8U);
    EXPECT_EQ(read(), "echo hi\n");
    EXPECT_FALSE(tty_.readable(1));
    EXPECT_EQ(screen(), "echo hi\r\n");
}

TEST_F(NTtyTest, OneLineARead) {
    type("one\ntwo\n");
    EXPECT_EQ(read(), "one\n");
    EXPECT_EQ(read(2), "tw");
    EXPECT_EQ(read(2), "o\n");
    EXPECT_FALSE(tty_.readable(1));
}

TEST_F(NTtyTest, Erases) {
    type("abx\177c\n");
    EXPECT_EQ(read(), "abc\n");
    EXPECT_EQ(screen(), "abx\b \bc\r\n");
    type("\177\177\n");
    EXPECT_EQ(read(), "\n");
    EXPECT_EQ(screen(), "\r\n");
    type("one two\027three\n");
    EXPECT_EQ(read(), "one three\n");
    screen();
    type("gone\025kept\n");
    EXPECT_EQ(read(), "kept\n");
    EXPECT_EQ(screen(), "gone\b \b\b \b\b \b\b \bkept\r\n");
}

TEST_F(NTtyTest, ErasesWhatWasEchoedInTwoColumnsAndTabs) {
    type("\001\177x\n");
    EXPECT_EQ(screen(), "^A\b \b\b \bx\r\n");
    EXPECT_EQ(read(), "x\n");
    type("ab\t\177\n");
    EXPECT_EQ(screen(), "ab\t\b\b\b\b\b\b\r\n");
    EXPECT_EQ(read(), "ab\n");
}

TEST_F(NTtyTest, ErasesAWholeCharacterOfUtf8) {
    termios_.c_iflag |= abi::kIUtf8;
    type("a\xc3\xa4\177b\n");
    EXPECT_EQ(read(), "ab\n");
    EXPECT_EQ(screen(), "a\xc3\xa4\b \bb\r\n");
}

// Editing stops at the line that is not finished: earlier ones are out of reach.
TEST_F(NTtyTest, FinishedLinesAreNotErased) {
    type("one\n\177\177\025\027two\n");
    EXPECT_EQ(read(), "one\n");
    EXPECT_EQ(read(), "two\n");
}

TEST_F(NTtyTest, EndOfFile) {
    type("\004");
    EXPECT_TRUE(tty_.readable(1));
    EXPECT_EQ(read(), "");
    EXPECT_FALSE(tty_.readable(1));
    // After text it hands the text over, without a newline.
    type("abc\004");
    EXPECT_EQ(read(), "abc");
    EXPECT_FALSE(tty_.readable(1));
    type("abc\004");
    EXPECT_EQ(read(3), "abc");
    EXPECT_FALSE(tty_.readable(1)) << "a full read leaves an end of file behind";
    EXPECT_EQ(screen(), "abcabc");
}

TEST_F(NTtyTest, SignalsFlushTheInput) {
    type("half a line\003");
    EXPECT_THAT(port_.signals, testing::ElementsAre(abi::kSigInt));
    EXPECT_EQ(screen(), "half a line^C");
    type("x\n");
    EXPECT_EQ(read(), "x\n");
    type("\032\034");
    EXPECT_THAT(port_.signals, testing::ElementsAre(abi::kSigInt, abi::kSigTstp, abi::kSigQuit));
    termios_.c_lflag |= abi::kNoFlsh;
    type("kept\003\n");
    EXPECT_EQ(read(), "kept\n");
    termios_.c_lflag &= ~abi::kISig;
    type("\003\n");
    EXPECT_EQ(read(), "\003\n");
}

TEST_F(NTtyTest, TheNextCharacterLiterally) {
    type("a\026\003\026\177b\026\n\n");
    EXPECT_TRUE(port_.signals.empty());
    EXPECT_EQ(read(), std::string("a\003\177b\n\n"));
}

TEST_F(NTtyTest, FlowControl) {
    type("\023");
    EXPECT_TRUE(port_.stopped);
    type("\021");
    EXPECT_FALSE(port_.stopped);
    EXPECT_EQ(screen(), "");
    termios_.c_iflag &= ~abi::kIXon;
    type("\023\n");
    EXPECT_EQ(read(), "\023\n");
}

TEST_F(NTtyTest, Reprints) {
    type("abc\022d\n");
    EXPECT_EQ(screen(), "abc^R\r\nabcd\r\n");
    EXPECT_EQ(read(), "abcd\n");
}

TEST_F(NTtyTest, RawModeChangesNothing) {
    raw();
    EXPECT_FALSE(tty_.readable(1));
    const std::string all = "a\003\004\r\n\177\023\001";
    type(all);
    EXPECT_TRUE(tty_.readable(all.size()));
    EXPECT_FALSE(tty_.readable(all.size() + 1));
    EXPECT_EQ(read(3), all.substr(0, 3));
    EXPECT_EQ(read(), all.substr(3));
    EXPECT_EQ(screen(), "");
    EXPECT_TRUE(port_.signals.empty());
    tty_.put_processed('\n');
    EXPECT_EQ(screen(), "\n");
}

TEST_F(NTtyTest, AnUnfinishedLineCanBeReadAfterTheSwitchToRawMode) {
    type("half");
    raw();
    EXPECT_TRUE(tty_.readable(4));
    EXPECT_EQ(read(), "half");
}

TEST_F(NTtyTest, NewlineTranslation) {
    termios_.c_iflag = abi::kIgnCr;
    type("a\r\n");
    EXPECT_EQ(read(), "a\n");
    termios_.c_iflag = abi::kINlCr;
    type("b\n\004");
    EXPECT_EQ(read(), "b\r");
    termios_.c_iflag = abi::kIstrip | abi::kICrNl;
    type("\xe1\r");
    EXPECT_EQ(read(), "a\n");
}

TEST_F(NTtyTest, OutputProcessing) {
    const auto put = [&](const std::string& text) {
        for (char c : text) tty_.put_processed(c);
        return screen();
    };
    EXPECT_EQ(put("a\nb\rc"), "a\r\nb\rc");
    termios_.c_oflag = abi::kOPost | abi::kOCrNl;
    EXPECT_EQ(put("a\rb"), "a\nb");
    termios_.c_oflag = abi::kOPost | abi::kONoCr;
    EXPECT_EQ(put("\nx"), "\nx");
    termios_.c_oflag = 0;
    EXPECT_EQ(put("a\nb"), "a\nb");
}

TEST_F(NTtyTest, WithoutEcho) {
    termios_.c_lflag &= ~abi::kEcho;
    type("secret\177\177t\n");
    EXPECT_EQ(screen(), "");
    EXPECT_EQ(read(), "secrt\n");
    termios_.c_lflag |= abi::kEchoNl;
    type("x\n");
    EXPECT_EQ(screen(), "\r\n");
}

// A line longer than the buffer loses its end, and can still be finished.
TEST_F(NTtyTest, AFullBuffer) {
    termios_.c_iflag |= abi::kIMaxBel;
    type(std::string(5000, 'x'));
    EXPECT_NE(screen().find('\a'), std::string::npos);
    type("\n");
    EXPECT_EQ(read(), std::string(4095, 'x') + "\n");
    for (int i = 0; i < 10; ++i) {
        type(std::string(1000, 'y') + "\n");
        EXPECT_EQ(read(), std::string(1000, 'y') + "\n");
    }
    raw();
    type(std::string(5000, 'z'));
    EXPECT_EQ(read().size(), 4096U);
}

}  // namespace
