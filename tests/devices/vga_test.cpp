// The VGA's registers.
#include "devices/vga.hpp"

#include <gtest/gtest.h>

#include "tests/devices/bench.hpp"

namespace forkscope::devices {
namespace {

class VgaTest : public testing::Test {
protected:
    void set_crtc(unsigned index, unsigned value) {
        out(vga, 0x14, index);
        out(vga, 0x15, value);
    }
    uint8_t crtc(unsigned index) {
        out(vga, 0x14, index);
        return in(vga, 0x15);
    }

    Bench bench;
    Vga vga{bench.clock};
};

TEST_F(VgaTest, StartsInTextMode3) {
    EXPECT_EQ(crtc(0x01), 79);
    EXPECT_EQ(crtc(0x09) & 0x1f, 15);
    EXPECT_EQ(in(vga, 0x0c) & 1, 1) << "the CRT controller is at 0x3d4";
    EXPECT_EQ(vga.regs().dac[0x14], (Vga::Colour{0x2a, 0x15, 0})) << "brown";
    EXPECT_EQ(vga.regs().dac[0x3f], (Vga::Colour{0x3f, 0x3f, 0x3f}));
}

TEST_F(VgaTest, TheFirstEightCrtcRegistersAreProtected) {
    set_crtc(0x01, 39);
    EXPECT_EQ(crtc(0x01), 79);
    const uint8_t overflow = crtc(0x07);
    set_crtc(0x07, overflow ^ 0xff);
    EXPECT_EQ(crtc(0x07), overflow ^ 0x10) << "but for a bit of the line compare";
    set_crtc(0x11, crtc(0x11) & 0x7f);
    set_crtc(0x01, 39);
    EXPECT_EQ(crtc(0x01), 39);
    set_crtc(0x0e, 0x12);
    EXPECT_EQ(crtc(0x0e), 0x12);
    set_crtc(0x1f, 0x12);
    EXPECT_EQ(crtc(0x1f), 0) << "there are 25";
}

TEST_F(VgaTest, AttributesTakeIndexAndDataInTurn) {
    static_cast<void>(in(vga, 0x1a));
    out(vga, 0x00, 0x30);
    out(vga, 0x00, 0x04);
    EXPECT_EQ(vga.regs().attribute[0x10], 0x04);
    EXPECT_EQ(in(vga, 0x00), 0x30);
    EXPECT_EQ(in(vga, 0x01), 0x04);
    out(vga, 0x00, 0x31);
    static_cast<void>(in(vga, 0x1a));  // an index comes next
    out(vga, 0x00, 0x32);
    EXPECT_EQ(in(vga, 0x00), 0x32);
}

TEST_F(VgaTest, ColoursGoByThrees) {
    out(vga, 0x08, 5);
    for (const unsigned value : {1u, 2u, 3u, 0xffu, 5u, 6u}) out(vga, 0x09, value);
    EXPECT_EQ(vga.regs().dac[5], (Vga::Colour{1, 2, 3}));
    EXPECT_EQ(vga.regs().dac[6], (Vga::Colour{0x3f, 5, 6}));
    EXPECT_EQ(in(vga, 0x07), 0) << "writing";
    out(vga, 0x07, 6);
    EXPECT_EQ(in(vga, 0x07), 3) << "reading";
    EXPECT_EQ(in(vga, 0x09), 0x3f);
    EXPECT_EQ(in(vga, 0x09), 5);
    EXPECT_EQ(in(vga, 0x09), 6);
    EXPECT_EQ(in(vga, 0x09), vga.regs().dac[7].red);
}

TEST_F(VgaTest, MonochromePortsAreNotHere) {
    out(vga, 0x02, 0x66);
    EXPECT_EQ(in(vga, 0x15), 0xff);
    out(vga, 0x14, 0x0e);
    EXPECT_NE(vga.regs().crtc_index, 0x0e);
}

// A guest that waits for the retrace sees it come and go, 70 times a second.
TEST_F(VgaTest, TheRetraceComesAndGoes) {
    unsigned retraces = 0;
    bool before = false;
    for (unsigned us = 0; us < 1'000'000; us += 50) {
        bench.skip_to(VirtualNs{us} * 1000);
        const bool now = (in(vga, 0x1a) & 8) != 0;
        retraces += now && !before ? 1 : 0;
        before = now;
    }
    EXPECT_EQ(retraces, 70u);
}

TEST_F(VgaTest, EveryPortTakesEveryByte) {
    for (unsigned port = 0; port < Vga::kPorts; ++port)
        for (unsigned value = 0; value < 256; ++value) {
            out(vga, static_cast<uint16_t>(port), value);
            static_cast<void>(in(vga, static_cast<uint16_t>(port)));
        }
    vga.reset();
    EXPECT_EQ(vga.regs(), Vga::Regs{});
}

}  // namespace
}  // namespace forkscope::devices
