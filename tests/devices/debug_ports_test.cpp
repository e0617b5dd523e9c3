// isa-debug-exit, the debug console and the event port, on a bus.
#include <gtest/gtest.h>

#include <vector>

#include "devices/debug_console.hpp"
#include "devices/event_port.hpp"
#include "devices/isa_debug_exit.hpp"
#include "tests/devices/bench.hpp"

namespace forkscope::devices {
namespace {

using bus::Width;

TEST(IsaDebugExit, StatusIsOddAndFitsAByte) {
    std::vector<int> statuses;
    IsaDebugExit device([&](int status) { statuses.push_back(status); });
    bus::PortBus bus;
    ASSERT_TRUE(bus.insert("isa-debug-exit", {0xf4, 4}, device));
    bus.write(0xf4, Width::Byte, 0, 0);
    bus.write(0xf4, Width::Byte, 0x10, 0);
    bus.write(0xf4, Width::Dword, 0x31, 0);
    bus.write(0xf4, Width::Word, 0x0180, 0);
    EXPECT_EQ(statuses, (std::vector<int>{1, 0x21, 0x63, 0x01}));
    EXPECT_EQ(bus.read(0xf4, Width::Byte, 0), 0u);
    EXPECT_EQ(bus.claims()[0].counts.wrong_width, 0u);
}

TEST(DebugConsole, TakesBytesAndIsKnownByItsValue) {
    StringSink sink;
    DebugConsole device(sink);
    bus::PortBus bus;
    ASSERT_TRUE(bus.insert("debug console", {0xe9, 1}, device));
    for (const char c : std::string("hi\n")) bus.write(0xe9, Width::Byte, static_cast<uint8_t>(c), 0);
    EXPECT_EQ(sink.text, "hi\n");
    EXPECT_EQ(bus.read(0xe9, Width::Byte, 0), 0xe9u);
}

struct Heard {
    abi::Announcement code;
    std::vector<uint64_t> words;
    CpuId cpu;
    bool operator==(const Heard&) const = default;
};

class EventPortTest : public testing::Test, public AnnouncementListener {
protected:
    EventPortTest() { EXPECT_TRUE(bus.insert("event port", {abi::kEventDataPort, EventPort::kPorts}, port)); }
    void announced(abi::Announcement code, std::span<const uint64_t, abi::kEventWords> words,
                   CpuId cpu) override {
        heard.push_back({code, {words.begin(), words.end()}, cpu});
    }
    void word(uint64_t value, CpuId cpu = 0) {
        bus.write(abi::kEventDataPort, Width::Dword, static_cast<uint32_t>(value), cpu);
        bus.write(abi::kEventDataPort, Width::Dword, static_cast<uint32_t>(value >> 32), cpu);
    }
    void command(abi::Announcement code, CpuId cpu = 0) {
        bus.write(abi::kEventCommandPort, Width::Word, static_cast<uint16_t>(code), cpu);
    }

    bus::PortBus bus;
    EventPort port{*this};
    std::vector<Heard> heard;
};

TEST_F(EventPortTest, SignatureIsAtItsPort) {
    EXPECT_EQ(bus.read(abi::kEventSignaturePort, Width::Dword, 0), abi::kEventSignature);
    EXPECT_EQ(port.misfits(), 0u);
}

TEST_F(EventPortTest, WordsAreGatheredLowHalfFirst) {
    word(0x1122334455667788);
    word(2);
    word(0xffffffff00000000);
    word(4);
    command(abi::Announcement::CowBreak);
    EXPECT_EQ(heard, (std::vector<Heard>{
                         {abi::Announcement::CowBreak, {0x1122334455667788, 2, 0xffffffff00000000, 4}, 0}}));
}

TEST_F(EventPortTest, MissingWordsAreZeroAndEachCommandStartsOver) {
    word(7);
    bus.write(abi::kEventDataPort, Width::Dword, 8, 0);  // half a word
    command(abi::Announcement::TaskExit);
    command(abi::Announcement::Marker);
    EXPECT_EQ(heard, (std::vector<Heard>{{abi::Announcement::TaskExit, {7, 8, 0, 0}, 0},
                                         {abi::Announcement::Marker, {0, 0, 0, 0}, 0}}));
}

TEST_F(EventPortTest, SurplusWordsAreDropped) {
    for (uint64_t i = 1; i <= 300; ++i) word(i);
    command(abi::Announcement::Marker);
    EXPECT_EQ(heard[0].words, (std::vector<uint64_t>{1, 2, 3, 4}));
}

TEST_F(EventPortTest, CpusDoNotMix) {
    word(1, 0);
    word(10, 255);
    word(2, 0);
    command(abi::Announcement::TaskSwitch, 255);
    command(abi::Announcement::TaskSwitch, 0);
    EXPECT_EQ(heard, (std::vector<Heard>{{abi::Announcement::TaskSwitch, {10, 0, 0, 0}, 255},
                                         {abi::Announcement::TaskSwitch, {1, 2, 0, 0}, 0}}));
}

TEST_F(EventPortTest, UnknownCodesAreHandedOn) {
    bus.write(abi::kEventCommandPort, Width::Word, 0xbeef, 0);
    EXPECT_EQ(static_cast<unsigned>(heard.at(0).code), 0xbeefu);
}

TEST_F(EventPortTest, WrongWidthsAreCountedAndDoNothing) {
    bus.write(abi::kEventDataPort, Width::Byte, 1, 0);  // refused by the bus
    bus.write(abi::kEventDataPort, Width::Word, 1, 0);  // refused by the device, as all below
    bus.write(abi::kEventDataPort + 1, Width::Dword, 1, 0);
    bus.write(abi::kEventCommandPort, Width::Dword, 15, 0);
    bus.write(abi::kEventSignaturePort, Width::Dword, 15, 0);
    EXPECT_EQ(bus.read(abi::kEventDataPort, Width::Dword, 0), 0xffffffffu);
    EXPECT_EQ(bus.read(abi::kEventSignaturePort, Width::Word, 0), 0xffffu);
    EXPECT_EQ(bus.claims()[0].counts.wrong_width, 1u);
    EXPECT_EQ(port.misfits(), 6u);
    EXPECT_TRUE(heard.empty());
    command(abi::Announcement::Marker);
    EXPECT_EQ(heard.at(0).words, (std::vector<uint64_t>{0, 0, 0, 0}));
}

TEST_F(EventPortTest, ResetForgetsAndRestoreRemembers) {
    word(5);
    const EventPort::Regs saved = port.regs();
    port.reset();
    command(abi::Announcement::Marker);
    EXPECT_EQ(heard.at(0).words[0], 0u);
    port.restore(saved);
    command(abi::Announcement::Marker);
    EXPECT_EQ(heard.at(1).words[0], 5u);
}

}  // namespace
}  // namespace forkscope::devices
