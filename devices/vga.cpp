#include "devices/vga.hpp"

namespace forkscope::devices {

namespace {

// Offsets from 0x3c0.
enum Port : uint16_t {
    kAttribute = 0x00,
    kAttributeRead = 0x01,
    kMiscWrite = 0x02,  // read: input status 0
    kSequencerIndex = 0x04,
    kSequencerData = 0x05,
    kDacMask = 0x06,
    kDacReadIndex = 0x07,  // read: the DAC's state
    kDacWriteIndex = 0x08,
    kDacData = 0x09,
    kMiscRead = 0x0c,
    kGraphicsIndex = 0x0e,
    kGraphicsData = 0x0f,
    kCrtcIndex = 0x14,
    kCrtcData = 0x15,
    kStatus1 = 0x1a,
};

constexpr uint8_t kColourPorts = 1;     // misc: the CRT controller is at 0x3d4, not at 0x3b4
constexpr uint8_t kSwitchSense = 0x10;  // input status 0: a colour display
constexpr uint8_t kDisplayDisabled = 1, kVerticalRetrace = 8;
constexpr unsigned kCrtcVerticalEnd = 0x11, kCrtcOverflow = 7;
constexpr uint8_t kCrtcProtect = 0x80;  // of registers 0 to 7

template <size_t N>
uint8_t get(const std::array<uint8_t, N>& registers, uint8_t index) {
    return index < N ? registers[index] : 0;
}
template <size_t N>
void set(std::array<uint8_t, N>& registers, uint8_t index, uint8_t value) {
    if (index < N) registers[index] = value;
}

}  // namespace

// The 64 colours of an EGA, two bits for each of red, green and blue; the rest is black until a guest sets
// it.
std::array<Vga::Colour, 256> Vga::default_dac() {
    std::array<Colour, 256> colours;
    for (unsigned n = 0; n < 64; ++n) {
        const auto component = [n](unsigned strong, unsigned weak) {
            return static_cast<uint8_t>((n >> strong & 1) * 0x2a + (n >> weak & 1) * 0x15);
        };
        colours[n] = {component(2, 5), component(1, 4), component(0, 3)};
    }
    return colours;
}

uint32_t Vga::read(const bus::PortAccess& access) {
    switch (access.offset) {
        case kAttribute:
            return regs_.attribute_index;
        case kAttributeRead:
            return get(regs_.attribute, regs_.attribute_index & 0x1f);
        case kMiscWrite:
            return kSwitchSense;
        case kSequencerIndex:
            return regs_.sequencer_index;
        case kSequencerData:
            return get(regs_.sequencer, regs_.sequencer_index);
        case kDacMask:
            return regs_.dac_mask;
        case kDacReadIndex:
            return regs_.dac_reading ? 3 : 0;
        case kDacWriteIndex:
            return regs_.dac_write;
        case kDacData:
            return read_dac();
        case kMiscRead:
            return regs_.misc;
        case kGraphicsIndex:
            return regs_.graphics_index;
        case kGraphicsData:
            return get(regs_.graphics, regs_.graphics_index);
        case kCrtcIndex:
            return (regs_.misc & kColourPorts) != 0 ? regs_.crtc_index : 0xff;
        case kCrtcData:
            return (regs_.misc & kColourPorts) != 0 ? get(regs_.crtc, regs_.crtc_index) : 0xff;
        case kStatus1:
            return status();
        default:
            return 0xff;
    }
}

void Vga::write(const bus::PortAccess& access, uint32_t value) {
    const auto byte = static_cast<uint8_t>(value);
    switch (access.offset) {
        case kAttribute:
            write_attribute(byte);
            break;
        case kMiscWrite:
            regs_.misc = byte;
            break;
        case kSequencerIndex:
            regs_.sequencer_index = byte & 7;
            break;
        case kSequencerData:
            set(regs_.sequencer, regs_.sequencer_index, byte);
            break;
        case kDacMask:
            regs_.dac_mask = byte;
            break;
        case kDacReadIndex:
            regs_.dac_read = byte;
            regs_.dac_component = 0;
            regs_.dac_reading = true;
            break;
        case kDacWriteIndex:
            regs_.dac_write = byte;
            regs_.dac_component = 0;
            regs_.dac_reading = false;
            break;
        case kDacData:
            write_dac(byte);
            break;
        case kGraphicsIndex:
            regs_.graphics_index = byte & 0xf;
            break;
        case kGraphicsData:
            set(regs_.graphics, regs_.graphics_index, byte);
            break;
        case kCrtcIndex:
            if ((regs_.misc & kColourPorts) != 0) regs_.crtc_index = byte & 0x1f;
            break;
        case kCrtcData:
            if ((regs_.misc & kColourPorts) != 0) write_crtc(byte);
            break;
        default:
            break;
    }
}

// A picture takes 1/70 s, the last part of which nothing is drawn; so does the end of each of its 449 lines.
uint8_t Vga::status() {
    constexpr VirtualNs kLine = 31'778, kLines = 449, kLinesShown = 400, kShownOfLine = 25'422;
    regs_.attribute_data = false;
    const VirtualNs into = clock_.now() % (kLine * kLines);
    if (into / kLine >= kLinesShown) return kDisplayDisabled | kVerticalRetrace;
    return into % kLine >= kShownOfLine ? kDisplayDisabled : 0;
}

void Vga::write_attribute(uint8_t value) {
    if (!regs_.attribute_data)
        regs_.attribute_index = value & 0x3f;
    else
        set(regs_.attribute, regs_.attribute_index & 0x1f, value);
    regs_.attribute_data = !regs_.attribute_data;
}

// Protected, registers 0 to 7 take but one bit, of the line compare.
void Vga::write_crtc(uint8_t value) {
    constexpr uint8_t kLineCompareBit = 0x10;
    uint8_t& overflow = regs_.crtc[kCrtcOverflow];
    if ((regs_.crtc[kCrtcVerticalEnd] & kCrtcProtect) == 0 || regs_.crtc_index > kCrtcOverflow)
        set(regs_.crtc, regs_.crtc_index, value);
    else if (regs_.crtc_index == kCrtcOverflow)
        overflow = static_cast<uint8_t>((overflow & ~kLineCompareBit) | (value & kLineCompareBit));
}

uint8_t Vga::read_dac() {
    const Colour& c = regs_.dac[regs_.dac_read];
    const uint8_t value = regs_.dac_component == 0 ? c.red : regs_.dac_component == 1 ? c.green : c.blue;
    if (++regs_.dac_component == 3) {
        regs_.dac_component = 0;
        ++regs_.dac_read;
    }
    return value;
}

void Vga::write_dac(uint8_t value) {
    Colour& c = regs_.dac[regs_.dac_write];
    (regs_.dac_component == 0 ? c.red : regs_.dac_component == 1 ? c.green : c.blue) = value & 0x3f;
    if (++regs_.dac_component == 3) {
        regs_.dac_component = 0;
        ++regs_.dac_write;
    }
}

}  // namespace forkscope::devices
