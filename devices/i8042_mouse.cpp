#include "devices/i8042_mouse.hpp"

#include <algorithm>

namespace forkscope::devices {

namespace {

enum Command : uint8_t {
    Scaling1 = 0xe6,
    Scaling2 = 0xe7,
    SetResolution = 0xe8,
    Status = 0xe9,
    StreamMode = 0xea,
    ReadData = 0xeb,
    ResetWrap = 0xec,
    WrapMode = 0xee,
    RemoteMode = 0xf0,
    Identify = 0xf2,
    SetRate = 0xf3,
    Enable = 0xf4,
    Disable = 0xf5,
    Default = 0xf6,
    ResetCommand = 0xff,
};
constexpr uint8_t kAcknowledge = 0xfa, kError = 0xfc, kSelfTestPassed = 0xaa;

uint8_t bit_if(bool condition, uint8_t bit) { return condition ? bit : uint8_t{0}; }

}  // namespace

void Ps2Mouse::command(uint8_t byte) {
    if (regs_.command != 0) return argument(byte);
    if (regs_.wrap && byte != ResetWrap && byte != ResetCommand) {
        regs_.queue.push({byte});
        return;
    }
    const Ps2Queue queue = regs_.queue;
    switch (byte) {
        case Scaling1:
        case Scaling2:
            regs_.scaling2 = byte == Scaling2;
            break;
        case SetResolution:
        case SetRate:
            regs_.command = byte;
            break;
        case Status: {
            const auto state =
                static_cast<uint8_t>(bit_if(regs_.remote, 0x40) | bit_if(regs_.reporting, 0x20) |
                                     bit_if(regs_.scaling2, 0x10) | regs_.buttons);
            regs_.queue.push({kAcknowledge, state, regs_.resolution, regs_.rate});
            return;
        }
        case ReadData:
            regs_.queue.push({kAcknowledge});
            send_packet({.buttons = regs_.buttons});
            return;
        case StreamMode:
        case RemoteMode:
            regs_.remote = byte == RemoteMode;
            break;
        case WrapMode:
        case ResetWrap:
            regs_.wrap = byte == WrapMode;
            break;
        case Identify:
            regs_.queue.push({kAcknowledge, bit_if(regs_.has_wheel, 3)});
            return;
        case Enable:
        case Disable:
            regs_.reporting = byte == Enable;
            break;
        case Default:
            reset();
            regs_.queue = queue;
            break;
        case ResetCommand:
            reset();
            regs_.queue.push({kAcknowledge, kSelfTestPassed, 0});
            return;
        default:
            regs_.queue.push({kError});
            return;
    }
    regs_.queue.push({kAcknowledge});
}

void Ps2Mouse::argument(uint8_t byte) {
    if (regs_.command == SetResolution) {
        regs_.resolution = byte & 3;
    } else {
        // The rates 200, 100, 80 in a row ask for the wheel.
        if (regs_.rates[0] == 200 && regs_.rates[1] == 100 && byte == 80) regs_.has_wheel = true;
        regs_.rates[0] = regs_.rates[1];
        regs_.rates[1] = regs_.rate = byte;
    }
    regs_.command = 0;
    regs_.queue.push({kAcknowledge});
}

bool Ps2Mouse::send_packet(const Motion& motion) {
    const int dx = std::clamp(motion.dx, -256, 255), dy = std::clamp(motion.dy, -256, 255);
    const auto head =
        static_cast<uint8_t>(8 | (motion.buttons & 7) | bit_if(dx < 0, 0x10) | bit_if(dy < 0, 0x20));
    const auto wheel = static_cast<uint8_t>(std::clamp(motion.wheel, -8, 7));
    if (!regs_.has_wheel) return regs_.queue.push({head, static_cast<uint8_t>(dx), static_cast<uint8_t>(dy)});
    return regs_.queue.push({head, static_cast<uint8_t>(dx), static_cast<uint8_t>(dy), wheel});
}

bool Ps2Mouse::move(const Motion& motion) {
    regs_.buttons = motion.buttons & 7;
    return regs_.reporting && !regs_.remote && send_packet(motion);
}

}  // namespace forkscope::devices
