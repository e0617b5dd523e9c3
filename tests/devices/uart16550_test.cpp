// The serial port: registers, interrupts in their order of priority, FIFOs, pace, loopback.
#include "devices/uart16550.hpp"

#include <gtest/gtest.h>

#include <string>
#include <string_view>

#include "tests/devices/bench.hpp"

namespace forkscope::devices {
namespace {

enum : uint16_t { Data, Ier, Iir, Lcr, Mcr, Lsr, Msr, Scr };
constexpr uint16_t kFcr = Iir;

constexpr unsigned kOut2 = 0x08;
// 115200 baud, 8N1: ten bits of 1/115200 s.
constexpr VirtualNs kCharacter = 10 * kNsPerSecond / 115200;

class UartTest : public testing::Test {
protected:
    explicit UartTest(SerialPace pace = SerialPace::Immediate) : uart(bench.timers, irq, sink, pace) {
        out(uart, Lcr, 0x83);
        out(uart, Data, 1);
        out(uart, Ier, 0);
        out(uart, Lcr, 0x03);
        out(uart, Mcr, kOut2 | 0x03);
    }
    void send(std::string_view text) {
        uart.receive({reinterpret_cast<const uint8_t*>(text.data()), text.size()});
    }
    std::string receive_all() {
        std::string text;
        while ((in(uart, Lsr) & 1) != 0) text.push_back(static_cast<char>(in(uart, Data)));
        return text;
    }

    Bench bench;
    bus::IrqLine irq;
    StringSink sink;
    Uart16550 uart;
    LineWatch watch{bench, irq};
};

class PacedUartTest : public UartTest {
protected:
    PacedUartTest() : UartTest(SerialPace::Line) {}
};

TEST_F(UartTest, ResetValues) {
    uart.reset();
    EXPECT_EQ(in(uart, Ier), 0x00);
    EXPECT_EQ(in(uart, Iir), 0x01);
    EXPECT_EQ(in(uart, Lcr), 0x00);
    EXPECT_EQ(in(uart, Mcr), 0x00);
    EXPECT_EQ(in(uart, Lsr), 0x60);
    EXPECT_EQ(in(uart, Msr), 0xb0);
    EXPECT_EQ(in(uart, Scr), 0x00);
    EXPECT_FALSE(irq.level());
}

TEST_F(UartTest, DivisorHidesBehindDlab) {
    out(uart, Lcr, 0x80);
    out(uart, Data, 0x34);
    out(uart, Ier, 0x12);
    EXPECT_EQ(in(uart, Data), 0x34);
    EXPECT_EQ(in(uart, Ier), 0x12);
    out(uart, Lcr, 0x03);
    EXPECT_EQ(in(uart, Ier), 0x00);
    EXPECT_TRUE(sink.text.empty());
    EXPECT_EQ(uart.regs().divisor, 0x1234);
}

TEST_F(UartTest, ScratchAndUnusedBits) {
    out(uart, Scr, 0xa5);
    EXPECT_EQ(in(uart, Scr), 0xa5);
    out(uart, Ier, 0xff);
    EXPECT_EQ(in(uart, Ier), 0x0f);
    out(uart, Mcr, 0xff);
    EXPECT_EQ(in(uart, Mcr), 0x1f);
}

TEST_F(UartTest, StatusRegistersAreReadOnly) {
    out(uart, Lsr, 0xff);
    out(uart, Msr, 0xff);
    EXPECT_EQ(in(uart, Lsr), 0x60);
    EXPECT_EQ(in(uart, Msr), 0xb0);
}

TEST_F(UartTest, TransmitsAtOnce) {
    for (const char c : std::string("hello")) {
        EXPECT_EQ(in(uart, Lsr) & 0x60, 0x60);
        out(uart, Data, static_cast<uint8_t>(c));
    }
    EXPECT_EQ(sink.text, "hello");
    EXPECT_EQ(bench.timers.next_deadline(), bus::kNever);
}

TEST_F(UartTest, LinuxFindsA16550A) {
    // autoconfig(): IER holds its four bits, the loopback shows MCR in MSR, FCR turns on IIR's top bits.
    out(uart, Ier, 0);
    EXPECT_EQ(in(uart, Ier) & 0x0f, 0x00);
    out(uart, Ier, 0x0f);
    EXPECT_EQ(in(uart, Ier) & 0x0f, 0x0f);
    out(uart, Ier, 0);
    out(uart, Mcr, 0x10 | 0x0a);
    EXPECT_EQ(in(uart, Msr) & 0xf0, 0x90);
    out(uart, Mcr, kOut2);
    out(uart, kFcr, 0x01);
    EXPECT_EQ(in(uart, Iir) >> 6, 3);
    out(uart, Lcr, 0x83);
    out(uart, kFcr, 0x21);
    EXPECT_EQ(in(uart, Iir) & 0x20, 0);  // no 64-byte FIFO
    out(uart, Lcr, 0x03);
    out(uart, kFcr, 0x00);
    EXPECT_EQ(in(uart, Iir) >> 6, 0);
}

TEST_F(UartTest, LinuxThreTestPasses) {
    // serial8250_do_startup(): the interrupt must come again each time it is enabled with THR empty.
    out(uart, Ier, 0x02);
    EXPECT_EQ(in(uart, Iir) & 0x0f, 0x02);
    out(uart, Ier, 0x00);
    out(uart, Ier, 0x02);
    EXPECT_EQ(in(uart, Iir) & 0x0f, 0x02);
    out(uart, Ier, 0x00);
    EXPECT_EQ(in(uart, Iir) & 0x0f, 0x01);
    // and the test for lost transmit interrupts: THRI with TEMT shows an interrupt
    out(uart, Ier, 0x02);
    EXPECT_EQ(in(uart, Lsr) & 0x40, 0x40);
    EXPECT_EQ(in(uart, Iir) & 0x01, 0x00);
}

TEST_F(UartTest, TransmitterInterruptIsClearedByIirOrByData) {
    out(uart, Ier, 0x02);
    EXPECT_TRUE(irq.level());
    EXPECT_EQ(in(uart, Iir), 0x02);
    EXPECT_FALSE(irq.level());
    EXPECT_EQ(in(uart, Iir), 0x01);
    out(uart, Ier, 0x02);  // already enabled: nothing new
    EXPECT_FALSE(irq.level());
    watch.rises.clear();
    out(uart, Data, 'x');
    EXPECT_TRUE(irq.level());
    out(uart, Data, 'y');  // the line falls and rises: an edge for the second character too
    EXPECT_EQ(watch.rises.size(), 2u);
    EXPECT_EQ(sink.text, "xy");
}

TEST_F(UartTest, IirReadOfAHigherCauseDoesNotServeTheTransmitter) {
    out(uart, Ier, 0x03);
    send("a");
    EXPECT_EQ(in(uart, Iir), 0x04);
    EXPECT_EQ(in(uart, Iir), 0x04);
    EXPECT_EQ(in(uart, Data), 'a');
    EXPECT_EQ(in(uart, Iir), 0x02);
    EXPECT_EQ(in(uart, Iir), 0x01);
}

TEST_F(UartTest, Out2LetsTheInterruptOut) {
    out(uart, Mcr, 0x03);
    out(uart, Ier, 0x02);
    EXPECT_FALSE(irq.level());
    out(uart, Mcr, kOut2);
    EXPECT_TRUE(irq.level());
    EXPECT_EQ(in(uart, Iir), 0x02);
}

TEST_F(UartTest, ReceivesOneByteWithoutFifo) {
    out(uart, Ier, 0x01);
    send("ab");
    EXPECT_EQ(uart.backlog(), 1u);  // no overrun: the host waits
    EXPECT_EQ(in(uart, Lsr), 0x61);
    EXPECT_EQ(in(uart, Iir), 0x04);
    watch.falls.clear();
    EXPECT_EQ(in(uart, Data), 'a');
    EXPECT_EQ(watch.falls.size(), 1u);  // an edge for each character
    EXPECT_TRUE(irq.level());
    EXPECT_EQ(in(uart, Data), 'b');
    EXPECT_FALSE(irq.level());
    EXPECT_EQ(in(uart, Lsr), 0x60);
    EXPECT_EQ(in(uart, Data), 'b');  // empty: the buffer still holds it
}

TEST_F(UartTest, FifoTriggerLevels) {
    const unsigned levels[] = {1, 4, 8, 14};
    for (unsigned i = 0; i < 4; ++i) {
        out(uart, kFcr, i << 6 | 0x07);
        out(uart, Ier, 0x01);
        for (unsigned n = 1; n <= 16; ++n) {
            send("x");
            EXPECT_EQ(in(uart, Iir) & 0x0f, n >= levels[i] ? 0x04 : 0x01) << i << " " << n;
        }
        for (unsigned n = 15; n + 1 > levels[i]; --n) {
            (void)in(uart, Data);
            EXPECT_EQ(in(uart, Iir) & 0x0f, n >= levels[i] ? 0x04 : 0x01) << i << " " << n;
        }
    }
}

TEST_F(UartTest, LongInputArrivesWholeAndInOrder) {
    out(uart, kFcr, 0x01);
    std::string text;
    for (int i = 0; i < 1000; ++i) text += static_cast<char>(i * 7);
    send(text);
    EXPECT_EQ(uart.backlog(), 1000u - 16);
    EXPECT_EQ(receive_all(), text);
    EXPECT_EQ(uart.backlog(), 0u);
}

TEST_F(UartTest, ReceiveTimeoutAfterFourCharacterTimes) {
    out(uart, kFcr, 0x81);  // trigger at 8
    out(uart, Ier, 0x01);
    send("abc");
    EXPECT_FALSE(irq.level());
    bench.run_for(4 * kCharacter - 1);
    EXPECT_FALSE(irq.level());
    bench.run_for(1);
    EXPECT_TRUE(irq.level());
    EXPECT_EQ(in(uart, Iir), 0xcc);
    EXPECT_EQ(in(uart, Iir), 0xcc);
    EXPECT_EQ(in(uart, Data), 'a');  // reading ends it and starts the time over
    EXPECT_FALSE(irq.level());
    bench.run_for(4 * kCharacter - 1);
    EXPECT_FALSE(irq.level());
    bench.run_for(1);
    EXPECT_TRUE(irq.level());
    EXPECT_EQ(receive_all(), "bc");
    bench.run_for(kNsPerSecond);
    EXPECT_FALSE(irq.level());
    EXPECT_EQ(bench.timers.next_deadline(), bus::kNever);
}

TEST_F(UartTest, NewCharacterPutsTheTimeoutOff) {
    out(uart, kFcr, 0x81);
    out(uart, Ier, 0x01);
    send("a");
    bench.run_for(3 * kCharacter);
    send("b");
    bench.run_for(3 * kCharacter);
    EXPECT_FALSE(irq.level());
    bench.run_for(kCharacter);
    EXPECT_TRUE(irq.level());
}

TEST_F(UartTest, ClearingTheReceiveFifo) {
    out(uart, kFcr, 0x01);
    out(uart, Ier, 0x01);
    send("abc");
    EXPECT_TRUE(irq.level());
    out(uart, kFcr, 0x03);
    EXPECT_FALSE(irq.level());
    EXPECT_EQ(in(uart, Lsr), 0x60);
    bench.run_for(kNsPerSecond);
    EXPECT_FALSE(irq.level());
}

TEST_F(UartTest, TogglingTheFifosClearsThem) {
    out(uart, kFcr, 0x01);
    send("abc");
    out(uart, kFcr, 0x00);
    EXPECT_EQ(in(uart, Lsr), 0x60);
    send("d");
    out(uart, kFcr, 0x01);
    EXPECT_EQ(in(uart, Lsr), 0x60);
    out(uart, kFcr, 0xc0);  // without bit 0 nothing else is programmed
    EXPECT_EQ(uart.regs().fcr, 0);
}

TEST_F(UartTest, LoopbackSendsToItself) {
    out(uart, Mcr, 0x10 | kOut2);
    out(uart, kFcr, 0x01);
    out(uart, Data, 0x5a);
    out(uart, Data, 0xa5);
    EXPECT_TRUE(sink.text.empty());
    EXPECT_EQ(in(uart, Data), 0x5a);
    EXPECT_EQ(in(uart, Data), 0xa5);
}

TEST_F(UartTest, LoopbackOverrunsAndReportsIt) {
    out(uart, Mcr, 0x10 | kOut2);
    out(uart, Ier, 0x05);
    out(uart, Data, 'a');
    EXPECT_EQ(in(uart, Iir), 0x04);
    out(uart, Data, 'b');
    EXPECT_EQ(in(uart, Iir), 0x06);  // line status comes first
    EXPECT_EQ(in(uart, Lsr) & 0x03, 0x03);
    EXPECT_EQ(in(uart, Lsr) & 0x03, 0x01);  // reading clears it
    EXPECT_EQ(in(uart, Iir), 0x04);
    EXPECT_EQ(in(uart, Data), 'b');  // the holding register was overwritten
}

TEST_F(UartTest, LoopbackOverrunKeepsTheFifo) {
    out(uart, Mcr, 0x10 | kOut2);
    out(uart, kFcr, 0x01);
    for (unsigned i = 0; i < 18; ++i) out(uart, Data, 'a' + i);
    EXPECT_EQ(in(uart, Lsr) & 0x02, 0x02);
    EXPECT_EQ(receive_all(), "abcdefghijklmnop");
}

TEST_F(UartTest, LoopbackModemLinesAndTheirDeltas) {
    (void)in(uart, Msr);
    out(uart, Mcr, 0x10);
    EXPECT_EQ(in(uart, Msr), 0x0b);  // CTS, DSR and DCD fell
    EXPECT_EQ(in(uart, Msr), 0x00);
    out(uart, Mcr, 0x10 | 0x02);
    EXPECT_EQ(in(uart, Msr), 0x11);  // RTS is CTS
    out(uart, Mcr, 0x10 | 0x01);
    EXPECT_EQ(in(uart, Msr), 0x23);  // DTR is DSR
    out(uart, Mcr, 0x10 | 0x04);
    EXPECT_EQ(in(uart, Msr), 0x42);  // OUT1 is RI, whose rise is no event
    out(uart, Mcr, 0x10 | 0x08);
    EXPECT_EQ(in(uart, Msr), 0x8c);  // OUT2 is DCD, and RI's fall is one
}

TEST_F(UartTest, ModemInterruptIsTheLast) {
    (void)in(uart, Msr);
    out(uart, Ier, 0x0a);
    EXPECT_EQ(in(uart, Iir), 0x02);
    out(uart, Mcr, 0x10 | kOut2);  // CTS and DSR fell
    EXPECT_TRUE(irq.level());
    EXPECT_EQ(in(uart, Iir), 0x00);
    EXPECT_EQ(in(uart, Iir), 0x00);
    (void)in(uart, Msr);
    EXPECT_EQ(in(uart, Iir), 0x01);
    EXPECT_FALSE(irq.level());
}

TEST_F(UartTest, HostInputWaitsOutTheLoopback) {
    out(uart, Mcr, 0x10 | kOut2);
    send("a");
    EXPECT_EQ(in(uart, Lsr) & 1, 0);
    out(uart, Mcr, kOut2);
    EXPECT_EQ(in(uart, Data), 'a');
}

TEST_F(UartTest, ResetKeepsWhatTheHostSent) {
    send("abc");
    EXPECT_EQ(in(uart, Data), 'a');
    uart.reset();
    EXPECT_FALSE(irq.level());
    // 'b' was in the chip and is gone with it; the line delivers what is left
    EXPECT_EQ(receive_all(), "c");
}

TEST_F(PacedUartTest, TransmitterTakesItsTime) {
    out(uart, kFcr, 0x01);
    out(uart, Ier, 0x02);
    (void)in(uart, Iir);
    out(uart, Data, 'a');
    EXPECT_EQ(in(uart, Lsr) & 0x60, 0x20);  // already in the shift register
    EXPECT_EQ(in(uart, Iir) & 0x0f, 0x02);
    out(uart, Data, 'b');
    out(uart, Data, 'c');
    EXPECT_EQ(in(uart, Lsr) & 0x60, 0x00);
    EXPECT_FALSE(irq.level());
    EXPECT_EQ(sink.text, "");
    bench.run_for(kCharacter);
    EXPECT_EQ(sink.text, "a");
    EXPECT_FALSE(irq.level());
    bench.run_for(kCharacter);
    EXPECT_EQ(sink.text, "ab");
    EXPECT_TRUE(irq.level());  // the FIFO is empty as 'c' is shifted
    EXPECT_EQ(in(uart, Lsr) & 0x60, 0x20);
    bench.run_for(kCharacter);
    EXPECT_EQ(sink.text, "abc");
    EXPECT_EQ(in(uart, Lsr) & 0x60, 0x60);
}

TEST_F(PacedUartTest, FullTransmitterLosesWhatComes) {
    out(uart, kFcr, 0x01);
    for (unsigned i = 0; i < 20; ++i) out(uart, Data, 'a' + i);
    bench.run_for(30 * kCharacter);
    EXPECT_EQ(sink.text, "abcdefghijklmnopq");  // one in the shift register and sixteen behind it
}

TEST_F(PacedUartTest, ClearingTheTransmitFifoKeepsTheCharacterOnTheLine) {
    out(uart, kFcr, 0x01);
    out(uart, Ier, 0x02);
    for (unsigned i = 0; i < 5; ++i) out(uart, Data, 'a' + i);
    EXPECT_FALSE(irq.level());
    out(uart, kFcr, 0x05);
    EXPECT_TRUE(irq.level());
    bench.run_for(10 * kCharacter);
    EXPECT_EQ(sink.text, "a");
}

TEST_F(PacedUartTest, ReceiverTakesItsTime) {
    out(uart, kFcr, 0x01);
    out(uart, Ier, 0x01);
    send("abc");
    EXPECT_FALSE(irq.level());
    bench.run_for(kCharacter - 1);
    EXPECT_FALSE(irq.level());
    bench.run_for(1);
    EXPECT_TRUE(irq.level());
    bench.run_for(2 * kCharacter);
    EXPECT_EQ(receive_all(), "abc");
    ASSERT_EQ(watch.rises.size(), 1u);
}

TEST_F(PacedUartTest, CharacterTimeFollowsTheLineParameters) {
    struct Row {
        unsigned lcr, divisor;
        uint64_t half_bits;
    };
    for (const Row& row : {Row{0x03, 1, 20}, Row{0x00, 1, 14}, Row{0x04, 1, 15}, Row{0x07, 1, 22},
                           Row{0x1b, 1, 22}, Row{0x1f, 12, 24}, Row{0x03, 0, 20}}) {
        uart.reset();
        out(uart, Lcr, 0x80);
        out(uart, Data, row.divisor);
        out(uart, Ier, row.divisor >> 8);
        out(uart, Lcr, row.lcr);
        send("x");
        const uint64_t divisor = row.divisor == 0 ? 65536 : row.divisor;
        const VirtualNs expected = row.half_bits * 8 * divisor * kNsPerSecond / 1843200;
        EXPECT_EQ(bench.timers.next_deadline() - bench.now(), expected) << row.lcr << " " << row.divisor;
        bench.run_for(expected);
        (void)in(uart, Data);
    }
}

TEST_F(PacedUartTest, LateTimersKeepThePace) {
    out(uart, kFcr, 0x01);
    send("abcdef");
    bench.skip_to(bench.now() + 3 * kCharacter + 5);
    bench.timers.run_due(bench.now());
    EXPECT_EQ(uart.regs().receive.count, 3);
    EXPECT_EQ(uart.regs().receive_done, 4 * kCharacter);
}

TEST_F(PacedUartTest, FullFifoHoldsTheLine) {
    out(uart, kFcr, 0x01);
    send(std::string(20, 'x'));
    bench.run_for(100 * kCharacter);
    EXPECT_EQ(uart.backlog(), 4u);
    EXPECT_EQ(in(uart, Lsr) & 0x02, 0x00);
    (void)in(uart, Data);
    bench.run_for(kCharacter);
    EXPECT_EQ(uart.backlog(), 3u);
}

TEST_F(PacedUartTest, RestoreContinuesExactly) {
    out(uart, kFcr, 0x41);
    out(uart, Ier, 0x07);
    for (unsigned i = 0; i < 8; ++i) out(uart, Data, 'a' + i);
    bench.run_for(3 * kCharacter + 100);
    const Uart16550::Regs saved = uart.regs();

    Bench other_bench;
    other_bench.skip_to(bench.now());
    bus::IrqLine other_irq;
    StringSink other_sink;
    Uart16550 other(other_bench.timers, other_irq, other_sink, SerialPace::Line);
    other.restore(saved);
    EXPECT_EQ(other.regs(), saved);
    EXPECT_EQ(other_irq.level(), irq.level());
    bench.run_for(20 * kCharacter);
    other_bench.run_for(20 * kCharacter);
    EXPECT_EQ(sink.text, "abcdefgh");
    EXPECT_EQ(other_sink.text, "defgh");
    EXPECT_EQ(other.regs(), uart.regs());
}

}  // namespace
}  // namespace forkscope::devices
