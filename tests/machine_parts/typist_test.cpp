// Typing: only into a guest that waits.
#include "emu/machine/typist.hpp"

#include <gtest/gtest.h>

#include <vector>

#include "tests/devices/bench.hpp"

namespace forkscope::machine {
namespace {

constexpr VirtualNs kMs = 1'000'000;

// A guest that reads every byte at once, and halts or works as the test says.
class TypistTest : public testing::Test, private bus::IrqListener {
protected:
    TypistTest() { keyboard_irq.connect(*this, 0); }
    void type(std::string_view text) {
        typist.emplace(
            bench.timers, i8042, parse_keys(text).value(),
            Typist::Signs{.halted = [this] { return halted; }, .bios_calls = [this] { return calls; }});
    }
    void run_ms(unsigned ms) {
        for (unsigned i = 0; i < ms; ++i) {
            bench.run_for(kMs);
            if (halts) halted += kMs;
            if (asks_bios) calls += 50;
            if (polls)
                for (unsigned n = 0; n < 50; ++n) static_cast<void>(devices::in(i8042.command(), 0));
        }
    }

    devices::Bench bench;
    bus::IrqLine keyboard_irq, mouse_irq;
    devices::I8042 i8042{keyboard_irq, mouse_irq, [] {}, [](bool) {}};
    std::vector<uint8_t> read;
    VirtualNs halted = 0;
    uint64_t calls = 0;
    bool halts = false, polls = false, asks_bios = false, reads = true;
    std::optional<Typist> typist;

private:
    void set_input(unsigned, bool level) override {
        if (level && reads) read.push_back(devices::in(i8042.data(), 0));
    }
};

TEST_F(TypistTest, NothingIntoAGuestThatWorks) {
    type("a");
    run_ms(20'000);
    EXPECT_TRUE(read.empty());
    halts = true;
    run_ms(900);
    EXPECT_TRUE(read.empty()) << "it must have waited for a second";
    run_ms(300);
    EXPECT_EQ(read, (std::vector<uint8_t>{0x1e, 0x9e}));
    EXPECT_TRUE(typist->done());
}

TEST_F(TypistTest, AGuestThatPollsWaitsToo) {
    polls = true;
    type("a");
    run_ms(1'200);
    EXPECT_EQ(read, (std::vector<uint8_t>{0x1e, 0x9e}));
}

TEST_F(TypistTest, AGuestThatAsksTheBiosWaitsToo) {
    asks_bios = true;
    type("a");
    run_ms(1'200);
    EXPECT_EQ(read, (std::vector<uint8_t>{0x1e, 0x9e}));
}

TEST_F(TypistTest, KeysComeOneByOneAndEnterTakesLonger) {
    halts = true;
    type("ab\nc");
    run_ms(1'210);
    EXPECT_EQ(read, (std::vector<uint8_t>{0x1e, 0x9e, 0x30, 0xb0, 0x1c, 0x9c}));
    run_ms(1'000);
    EXPECT_EQ(read.size(), 8u);
}

TEST_F(TypistTest, AByteThatNobodyTookIsWaitedFor) {
    halts = true;
    reads = false;
    type("ab");
    run_ms(5'000);
    EXPECT_FALSE(typist->done());
    EXPECT_EQ(devices::in(i8042.data(), 0), 0x1e);
    reads = true;
    run_ms(500);
    EXPECT_EQ(read, (std::vector<uint8_t>{0x9e, 0x30, 0xb0}));
}

TEST_F(TypistTest, Waits) {
    halts = true;
    type("a<wait 10>b");
    run_ms(11'000);
    EXPECT_EQ(read.size(), 2u);
    run_ms(500);
    EXPECT_EQ(read.size(), 4u);
}

}  // namespace
}  // namespace forkscope::machine
