#include "devices/i8042.hpp"

#include <array>
#include <utility>

namespace forkscope::devices {

namespace {

// Status.
constexpr uint8_t kOutputFull = 0x01, kWasCommand = 0x08, kFromMouse = 0x20;
// Configuration.
constexpr uint8_t kKeyboardInterrupt = 0x01, kMouseInterrupt = 0x02, kKeyboardOff = 0x10, kMouseOff = 0x20;
constexpr uint8_t kTranslate = 0x40;

enum : uint8_t {
    ReadConfig = 0x20,
    WriteConfig = 0x60,
    DisableMouse = 0xa7,
    EnableMouse = 0xa8,
    TestMouse = 0xa9,
    SelfTest = 0xaa,
    TestKeyboard = 0xab,
    DisableKeyboard = 0xad,
    EnableKeyboard = 0xae,
    ReadInputPort = 0xc0,
    ReadOutputPort = 0xd0,
    WriteOutputPort = 0xd1,
    WriteKeyboardOutput = 0xd2,
    WriteMouseOutput = 0xd3,
    WriteMouse = 0xd4,
    CloseGate = 0xdd,
    OpenGate = 0xdf,
    PulseFirst = 0xf0,
};

constexpr uint8_t kRelease = 0xf0;
constexpr uint8_t kGate = 0x02;  // of the output port

// Scan code set 2 to set 1, as the controller translates.
constexpr std::array<uint8_t, 128> kSet1 = {
    0xff, 0x43, 0x41, 0x3f, 0x3d, 0x3b, 0x3c, 0x58, 0x64, 0x44, 0x42, 0x40, 0x3e, 0x0f, 0x29, 0x59,
    0x65, 0x38, 0x2a, 0x70, 0x1d, 0x10, 0x02, 0x5a, 0x66, 0x71, 0x2c, 0x1f, 0x1e, 0x11, 0x03, 0x5b,
    0x67, 0x2e, 0x2d, 0x20, 0x12, 0x05, 0x04, 0x5c, 0x68, 0x39, 0x2f, 0x21, 0x14, 0x13, 0x06, 0x5d,
    0x69, 0x31, 0x30, 0x23, 0x22, 0x15, 0x07, 0x5e, 0x6a, 0x72, 0x32, 0x24, 0x16, 0x08, 0x09, 0x5f,
    0x6b, 0x33, 0x25, 0x17, 0x18, 0x0b, 0x0a, 0x60, 0x6c, 0x34, 0x35, 0x26, 0x27, 0x19, 0x0c, 0x61,
    0x6d, 0x73, 0x28, 0x74, 0x1a, 0x0d, 0x62, 0x6e, 0x3a, 0x36, 0x1c, 0x1b, 0x75, 0x2b, 0x63, 0x76,
    0x55, 0x56, 0x77, 0x78, 0x79, 0x7a, 0x0e, 0x7b, 0x7c, 0x4f, 0x7d, 0x4b, 0x47, 0x7e, 0x7f, 0x6f,
    0x52, 0x53, 0x50, 0x4c, 0x4d, 0x48, 0x01, 0x45, 0x57, 0x4e, 0x51, 0x4a, 0x37, 0x49, 0x46, 0x54};

uint8_t translated(uint8_t code) {
    if (code < kSet1.size()) return kSet1[code];
    if (code == 0x83) return 0x41;
    if (code == 0x84) return 0x54;
    return code;
}

}  // namespace

I8042::I8042(bus::IrqLine& keyboard_irq, bus::IrqLine& mouse_irq, std::function<void()> on_reset,
             std::function<void(bool)> on_gate)
    : keyboard_irq_(keyboard_irq),
      mouse_irq_(mouse_irq),
      on_reset_(std::move(on_reset)),
      on_gate_(std::move(on_gate)) {}

void I8042::set_gate(bool open) {
    regs_.output_port = static_cast<uint8_t>(open ? regs_.output_port | kGate : regs_.output_port & ~kGate);
}

void I8042::reset() {
    keyboard_.reset();
    mouse_.reset();
    regs_ = Regs{};
    update_lines();
}

I8042::Regs I8042::regs() const {
    Regs regs = regs_;
    regs.keyboard = keyboard_.regs();
    regs.mouse = mouse_.regs();
    return regs;
}

void I8042::restore(const Regs& regs) {
    regs_ = regs;
    keyboard_.restore(regs.keyboard);
    mouse_.restore(regs.mouse);
    update_lines();
}

bool I8042::key(KeyCode code, KeyMotion motion) {
    const bool taken = keyboard_.key(code, motion);
    refill();
    return taken;
}

bool I8042::move_mouse(const Ps2Mouse::Motion& motion) {
    const bool taken = mouse_.move(motion);
    refill();
    return taken;
}

bool I8042::keyboard_drained() const { return (regs_.status & kOutputFull) == 0 && !keyboard_.has_byte(); }

bool I8042::listens_to_mouse() const {
    return (regs_.config & kMouseOff) == 0 && mouse_.regs().reporting && !mouse_.regs().remote;
}

void I8042::update_lines() {
    const bool full = (regs_.status & kOutputFull) != 0, mouse = (regs_.status & kFromMouse) != 0;
    keyboard_irq_.set(full && !mouse && (regs_.config & kKeyboardInterrupt) != 0);
    mouse_irq_.set(full && mouse && (regs_.config & kMouseInterrupt) != 0);
}

void I8042::put(uint8_t byte, Source source) {
    regs_.output = byte;
    regs_.status = static_cast<uint8_t>((regs_.status & ~kFromMouse) | kOutputFull |
                                        (source == Source::Mouse ? kFromMouse : 0));
    update_lines();
}

void I8042::refill() {
    while ((regs_.status & kOutputFull) == 0) {
        if ((regs_.config & kKeyboardOff) == 0 && keyboard_.has_byte()) {
            uint8_t byte = keyboard_.take();
            if ((regs_.config & kTranslate) != 0) {
                if (byte == kRelease) {
                    regs_.translated_release = 0x80;
                    continue;
                }
                byte = static_cast<uint8_t>(translated(byte) |
                                            std::exchange(regs_.translated_release, uint8_t{0}));
            }
            put(byte, Source::Keyboard);
        } else if ((regs_.config & kMouseOff) == 0 && mouse_.has_byte()) {
            put(mouse_.take(), Source::Mouse);
        } else {
            return;
        }
    }
}

uint8_t I8042::read_data() {
    const uint8_t byte = regs_.output;
    regs_.status = static_cast<uint8_t>(regs_.status & ~(kOutputFull | kFromMouse));
    // The line falls between two bytes: its input is edge triggered.
    update_lines();
    refill();
    return byte;
}

void I8042::write_output_port(uint8_t value) {
    regs_.output_port = value;
    on_gate_((value & kGate) != 0);
    if ((value & 1) == 0) on_reset_();
}

void I8042::write_data(uint8_t value) {
    regs_.status = static_cast<uint8_t>(regs_.status & ~kWasCommand);
    switch (std::exchange(regs_.command, uint8_t{0})) {
        case WriteConfig:
            regs_.config = value;
            update_lines();
            break;
        case WriteOutputPort:
            write_output_port(value);
            break;
        case WriteKeyboardOutput:
            put(value, Source::Keyboard);
            break;
        case WriteMouseOutput:
            put(value, Source::Mouse);
            break;
        case WriteMouse:
            mouse_.command(value);
            break;
        default:
            // A command to the keyboard switches it on.
            regs_.config = static_cast<uint8_t>(regs_.config & ~kKeyboardOff);
            keyboard_.command(value);
            break;
    }
    refill();
}

void I8042::write_command(uint8_t value) {
    regs_.status |= kWasCommand;
    regs_.command = 0;
    const auto set_config = [this](uint8_t bit, bool on) {
        regs_.config = static_cast<uint8_t>(on ? regs_.config | bit : regs_.config & ~bit);
    };
    switch (value) {
        case ReadConfig:
            put(regs_.config, Source::Keyboard);
            break;
        case WriteConfig:
        case WriteOutputPort:
        case WriteKeyboardOutput:
        case WriteMouseOutput:
        case WriteMouse:
            regs_.command = value;
            break;
        case DisableMouse:
        case EnableMouse:
            set_config(kMouseOff, value == DisableMouse);
            break;
        case DisableKeyboard:
        case EnableKeyboard:
            set_config(kKeyboardOff, value == DisableKeyboard);
            break;
        case SelfTest:
            put(0x55, Source::Keyboard);
            break;
        case TestMouse:
        case TestKeyboard:
            put(0, Source::Keyboard);
            break;
        case ReadInputPort:
            put(0x80, Source::Keyboard);  // not locked
            break;
        case CloseGate:
        case OpenGate:
            write_output_port(static_cast<uint8_t>(value == OpenGate ? regs_.output_port | kGate
                                                                     : regs_.output_port & ~kGate));
            break;
        case ReadOutputPort:
            put(regs_.output_port, Source::Keyboard);
            break;
        default:
            // "Pulse output port": zeros name the lines; line 0 is reset.
            if (value >= PulseFirst && (value & 1) == 0) on_reset_();
            break;
    }
    refill();
}

}  // namespace forkscope::devices
