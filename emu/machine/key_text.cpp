#include "emu/machine/key_text.hpp"

#include <fmt/format.h>

#include <charconv>
#include <optional>

namespace forkscope::machine {

namespace {

using devices::KeyCode;
using devices::KeyMotion;

constexpr KeyCode kShift = 0x12;

struct NamedKey {
    std::string_view name;
    KeyCode code;
};
// Set 2 codes (IBM Personal System/2 Hardware Interface Technical Reference, "Keyboards").
constexpr NamedKey kNamed[] = {
    {"shift", kShift},     {"shift_r", 0x59},     {"alt", 0x11},         {"alt_r", 0xe011},
    {"ctrl", 0x14},        {"ctrl_r", 0xe014},    {"menu", 0xe02f},      {"esc", 0x76},
    {"backspace", 0x66},   {"tab", 0x0d},         {"ret", 0x5a},         {"spc", 0x29},
    {"caps_lock", 0x58},   {"num_lock", 0x77},    {"scroll_lock", 0x7e}, {"f1", 0x05},
    {"f2", 0x06},          {"f3", 0x04},          {"f4", 0x0c},          {"f5", 0x03},
    {"f6", 0x0b},          {"f7", 0x83},          {"f8", 0x0a},          {"f9", 0x01},
    {"f10", 0x09},         {"f11", 0x78},         {"f12", 0x07},         {"home", 0xe06c},
    {"end", 0xe069},       {"pgup", 0xe07d},      {"pgdn", 0xe07a},      {"left", 0xe06b},
    {"right", 0xe074},     {"up", 0xe075},        {"down", 0xe072},      {"insert", 0xe070},
    {"delete", 0xe071},    {"kp_0", 0x70},        {"kp_1", 0x69},        {"kp_2", 0x72},
    {"kp_3", 0x7a},        {"kp_4", 0x6b},        {"kp_5", 0x73},        {"kp_6", 0x74},
    {"kp_7", 0x6c},        {"kp_8", 0x75},        {"kp_9", 0x7d},        {"kp_add", 0x79},
    {"kp_subtract", 0x7b}, {"kp_multiply", 0x7c}, {"kp_divide", 0xe04a}, {"kp_enter", 0xe05a},
    {"kp_decimal", 0x71},  {"meta_l", 0xe01f},    {"meta_r", 0xe027},
};

// The keys of characters, without and with Shift, in one order.
constexpr std::string_view kPlain = "`1234567890-=qwertyuiop[]\\asdfghjkl;'zxcvbnm,./ ";
constexpr std::string_view kShifted = "~!@#$%^&*()_+QWERTYUIOP{}|ASDFGHJKL:\"ZXCVBNM<>? ";
constexpr uint8_t kPlainCodes[] = {0x0e, 0x16, 0x1e, 0x26, 0x25, 0x2e, 0x36, 0x3d, 0x3e, 0x46, 0x45, 0x4e,
                                   0x55, 0x15, 0x1d, 0x24, 0x2d, 0x2c, 0x35, 0x3c, 0x43, 0x44, 0x4d, 0x54,
                                   0x5b, 0x5d, 0x1c, 0x1b, 0x23, 0x2b, 0x34, 0x33, 0x3b, 0x42, 0x4b, 0x4c,
                                   0x52, 0x1a, 0x22, 0x21, 0x2a, 0x32, 0x31, 0x3a, 0x41, 0x49, 0x4a, 0x29};
static_assert(kPlain.size() == kShifted.size() && kPlain.size() == std::size(kPlainCodes));

std::optional<KeyCode> code_of_name(std::string_view name) {
    for (const NamedKey& key : kNamed)
        if (key.name == name) return key.code;
    if (name.size() == 1)
        if (const size_t at = kPlain.find(name[0]); at != std::string_view::npos) return kPlainCodes[at];
    return std::nullopt;
}

class Keys {
public:
    void press(KeyCode code) { strokes_.push_back({code, KeyMotion::Press, 0, false}); }
    void release(KeyCode code) { strokes_.push_back({code, KeyMotion::Release, 0, code == kEnter}); }
    void tap(KeyCode code) {
        press(code);
        release(code);
    }
    void wait(VirtualNs time) { strokes_.push_back({0, KeyMotion::Press, time, false}); }

    [[nodiscard]] bool character(char c) {
        if (c == '\n') return tap(kEnter), true;
        if (c == '\t') return tap(kTab), true;
        if (const size_t at = kPlain.find(c); at != std::string_view::npos) return tap(kPlainCodes[at]), true;
        const size_t at = kShifted.find(c);
        if (at == std::string_view::npos) return false;
        press(kShift);
        tap(kPlainCodes[at]);
        release(kShift);
        return true;
    }
    [[nodiscard]] bool escaped(char c) {
        switch (c) {
            case 'n':
                return tap(kEnter), true;
            case 't':
                return tap(kTab), true;
            case 'b':
                return tap(kBackspace), true;
            case 'e':
                return tap(kEscape), true;
            case '\\':
            case '<':
                return character(c);
            default:
                return false;
        }
    }
    // All go down in order, and up in the other.
    [[nodiscard]] Result<> chord(std::string_view names) {
        std::vector<KeyCode> codes;
        for (size_t from = 0; from <= names.size();) {
            const size_t to = std::min(names.find('-', from), names.size());
            const std::string_view name = names.substr(from, to - from);
            const auto code = code_of_name(name);
            if (!code)
                return fail("'{}' is no key; expected a name such as ctrl, alt, f1, up, ret or a", name);
            codes.push_back(*code);
            from = to + 1;
        }
        for (const KeyCode code : codes) press(code);
        for (size_t i = codes.size(); i-- > 0;) release(codes[i]);
        return {};
    }
    [[nodiscard]] std::vector<KeyStroke> take() { return std::move(strokes_); }

private:
    static constexpr KeyCode kEnter = 0x5a, kTab = 0x0d, kBackspace = 0x66, kEscape = 0x76;
    std::vector<KeyStroke> strokes_;
};

constexpr std::string_view kWait = "wait";

// "wait" or "wait SECONDS".
Result<VirtualNs> parse_wait(std::string_view words) {
    constexpr double kLongest = 1e6;
    words.remove_prefix(kWait.size());
    if (words.empty()) return kNsPerSecond;
    double seconds = 0;
    const char* const end = words.data() + words.size();
    const auto [rest, error] = std::from_chars(words.data() + 1, end, seconds);
    if (words[0] != ' ' || error != std::errc() || rest != end || !(seconds >= 0 && seconds <= kLongest))
        return fail("'wait{}': expected wait SECONDS, such as wait 0.5", words);
    return static_cast<VirtualNs>(seconds * static_cast<double>(kNsPerSecond));
}

}  // namespace

Result<std::vector<KeyStroke>> parse_keys(std::string_view text) {
    Keys keys;
    for (size_t at = 0; at < text.size(); ++at) {
        const char c = text[at];
        if (c == '\\') {
            if (at + 1 == text.size() || !keys.escaped(text[at + 1]))
                return fail("at character {}: '{}'; expected one of \\n \\t \\b \\e \\\\ \\<", at + 1,
                            text.substr(at, 2));
            ++at;
        } else if (c == '<') {
            const size_t close = text.find('>', at);
            if (close == std::string_view::npos)
                return fail("at character {}: '<' without '>'; a '<' to be typed is \\<", at + 1);
            const std::string_view inside = text.substr(at + 1, close - at - 1);
            if (inside == kWait || inside.starts_with("wait ")) {
                const auto time = parse_wait(inside);
                if (!time) return fail("at character {}: {}", at + 1, time.error().message);
                keys.wait(*time);
            } else if (const auto done = keys.chord(inside); !done) {
                return fail("at character {}: {}", at + 1, done.error().message);
            }
            at = close;
        } else if (!keys.character(c)) {
            return fail("at character {}: byte {:#04x} is on no key of a US keyboard", at + 1,
                        static_cast<uint8_t>(c));
        }
    }
    return keys.take();
}

std::vector<KeyStroke> keys_of_text(std::string_view text) {
    Keys keys;
    for (const char c : text) static_cast<void>(keys.character(c));
    return keys.take();
}

}  // namespace forkscope::machine
