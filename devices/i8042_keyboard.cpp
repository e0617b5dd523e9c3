#include "devices/i8042_keyboard.hpp"

namespace forkscope::devices {

namespace {

enum Command : uint8_t {
    SetLeds = 0xed,
    Echo = 0xee,
    ScanCodeSet = 0xf0,
    Identify = 0xf2,
    SetRate = 0xf3,
    Enable = 0xf4,
    DefaultAndDisable = 0xf5,
    Default = 0xf6,
    Resend = 0xfe,
    ResetCommand = 0xff,
};
constexpr uint8_t kAcknowledge = 0xfa, kSelfTestPassed = 0xaa, kRelease = 0xf0;

}  // namespace

void Ps2Keyboard::command(uint8_t byte) {
    if (regs_.command != 0 && byte < SetLeds) return argument(byte);
    regs_.command = 0;
    switch (byte) {
        case SetLeds:
        case ScanCodeSet:
        case SetRate:
            regs_.command = byte;
            break;
        case Echo:
            regs_.queue.push({Echo});
            return;
        case Identify:
            regs_.queue.push({kAcknowledge, 0xab, 0x83});
            return;
        case Enable:
            regs_.scanning = true;
            break;
        case DefaultAndDisable:
            regs_.scanning = false;
            break;
        case Default:
            break;
        case Resend:
            regs_.queue.push({regs_.last});
            return;
        case ResetCommand:
            reset();
            regs_.queue.push({kAcknowledge, kSelfTestPassed});
            return;
        default:
            regs_.queue.push({Resend});
            return;
    }
    regs_.queue.push({kAcknowledge});
}

void Ps2Keyboard::argument(uint8_t byte) {
    constexpr uint8_t kWhichSet = 0, kSet2 = 2;
    if (regs_.command == SetLeds) regs_.leds = byte & 7;
    const bool asks_set = regs_.command == ScanCodeSet && byte == kWhichSet;
    regs_.command = 0;
    if (asks_set)
        regs_.queue.push({kAcknowledge, kSet2});
    else
        regs_.queue.push({kAcknowledge});
}

bool Ps2Keyboard::key(KeyCode code, KeyMotion motion) {
    if (!regs_.scanning) return false;
    if (code == kPauseKey)
        return motion == KeyMotion::Release ||
               regs_.queue.push({0xe1, 0x14, 0x77, 0xe1, kRelease, 0x14, kRelease, 0x77});
    uint8_t bytes[3];
    size_t count = 0;
    if (code >> 8 != 0) bytes[count++] = static_cast<uint8_t>(code >> 8);
    if (motion == KeyMotion::Release) bytes[count++] = kRelease;
    bytes[count++] = static_cast<uint8_t>(code);
    return regs_.queue.push(std::span(bytes, count));
}

}  // namespace forkscope::devices
