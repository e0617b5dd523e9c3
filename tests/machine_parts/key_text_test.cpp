// Text as key strokes.
#include "emu/machine/key_text.hpp"

#include <gtest/gtest.h>

#include <string>

namespace forkscope::machine {
namespace {

std::string told(std::string_view text) {
    const auto strokes = parse_keys(text);
    if (!strokes) return "error: " + strokes.error().message;
    std::string line;
    for (const KeyStroke& s : *strokes) {
        if (!line.empty()) line += ' ';
        if (s.code == 0)
            line += fmt::format("wait{}", s.wait);
        else
            line += fmt::format("{}{:x}{}", s.motion == devices::KeyMotion::Press ? '+' : '-', s.code,
                                s.ends_line ? "." : "");
    }
    return line;
}

TEST(KeyText, Characters) {
    EXPECT_EQ(told(""), "");
    EXPECT_EQ(told("a"), "+1c -1c");
    EXPECT_EQ(told("A"), "+12 +1c -1c -12");
    EXPECT_EQ(told("|"), "+12 +5d -5d -12");
    EXPECT_EQ(told("\n"), "+5a -5a.");
    for (char c = ' '; c < 0x7f; ++c) {
        if (c == '<' || c == '\\') continue;
        EXPECT_FALSE(told(std::string(1, c)).starts_with("error")) << c;
    }
}

TEST(KeyText, Escapes) {
    EXPECT_EQ(told("\\n"), "+5a -5a.");
    EXPECT_EQ(told("\\t\\b\\e"), "+d -d +66 -66 +76 -76");
    EXPECT_EQ(told("\\\\"), "+5d -5d");
    EXPECT_EQ(told("\\<"), "+12 +41 -41 -12");
}

TEST(KeyText, NamesAndChords) {
    EXPECT_EQ(told("<up>"), "+e075 -e075");
    EXPECT_EQ(told("<ctrl-c>"), "+14 +21 -21 -14");
    EXPECT_EQ(told("<ctrl-alt-delete>"), "+14 +11 +e071 -e071 -11 -14");
    EXPECT_EQ(told("<ret>"), "+5a -5a.");
}

TEST(KeyText, Waits) {
    EXPECT_EQ(told("<wait>"), "wait1000000000");
    EXPECT_EQ(told("<wait 0.5>"), "wait500000000");
}

TEST(KeyText, SaysWhereItIsWrong) {
    EXPECT_EQ(told("ab\\q"), "error: at character 3: '\\q'; expected one of \\n \\t \\b \\e \\\\ \\<");
    EXPECT_EQ(told("x\\"), "error: at character 2: '\\'; expected one of \\n \\t \\b \\e \\\\ \\<");
    EXPECT_EQ(told("<up"), "error: at character 1: '<' without '>'; a '<' to be typed is \\<");
    EXPECT_EQ(
        told("<bogus>"),
        "error: at character 1: 'bogus' is no key; expected a name such as ctrl, alt, f1, up, ret or a");
    EXPECT_TRUE(told("<>").starts_with("error: at character 1: '' is no key"));
    EXPECT_TRUE(told("<ctrl->").starts_with("error: at character 1: '' is no key"));
    EXPECT_EQ(told("<wait x>"), "error: at character 1: 'wait x': expected wait SECONDS, such as wait 0.5");
    EXPECT_TRUE(told("<wait -1>").starts_with("error"));
    EXPECT_TRUE(told("<wait nan>").starts_with("error"));
    EXPECT_EQ(told("\xc3\xa9"), "error: at character 1: byte 0xc3 is on no key of a US keyboard");
}

}  // namespace
}  // namespace forkscope::machine
