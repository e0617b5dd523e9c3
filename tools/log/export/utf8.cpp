// UTF-8 (RFC 3629), JSON strings and CSV fields.
#include "tools/log/export/utf8.hpp"

#include <algorithm>
#include <array>
#include <cstdint>

namespace forkscope::tools {

namespace {

constexpr std::string_view kReplacement = "\xef\xbf\xbd";

[[nodiscard]] bool is_ascii(std::string_view text) {
    return std::ranges::all_of(text, [](char c) { return static_cast<unsigned char>(c) < 0x80; });
}

// Which bytes stand for themselves, for a look-up a byte.
template <typename Rule>
[[nodiscard]] constexpr std::array<bool, 256> bytes_that(Rule rule) {
    std::array<bool, 256> table{};
    for (unsigned byte = 0; byte < table.size(); ++byte) table[byte] = byte < 0x80 && rule(byte);
    return table;
}
constexpr std::array<bool, 256> kPlainInCsv =
    bytes_that([](unsigned c) { return c != ',' && c != '"' && c != '\r' && c != '\n'; });
constexpr std::array<bool, 256> kPlainInJson =
    bytes_that([](unsigned c) { return c >= ' ' && c != '"' && c != '\\' && c != '<' && c != 0x7f; });

[[nodiscard]] bool is_plain(std::string_view text, const std::array<bool, 256>& plain) {
    return std::ranges::all_of(text, [&](char c) { return plain[static_cast<unsigned char>(c)]; });
}

[[nodiscard]] bool continues(unsigned char c, unsigned char least = 0x80, unsigned char most = 0xbf) {
    return c >= least && c <= most;
}

// Bytes of the character that the text begins with; 0: it begins with none. (RFC 3629, section 4.)
[[nodiscard]] size_t character_at(std::string_view text) {
    const auto byte = [text](size_t i) {
        return i < text.size() ? static_cast<unsigned char>(text[i]) : static_cast<unsigned char>(0);
    };
    const unsigned char c = byte(0);
    if (c < 0x80) return 1;
    if (c >= 0xc2 && c <= 0xdf) return continues(byte(1)) ? 2 : 0;
    if (c >= 0xe0 && c <= 0xef) {
        const unsigned char least = c == 0xe0 ? 0xa0 : 0x80;
        const unsigned char most = c == 0xed ? 0x9f : 0xbf;
        return continues(byte(1), least, most) && continues(byte(2)) ? 3 : 0;
    }
    if (c >= 0xf0 && c <= 0xf4) {
        const unsigned char least = c == 0xf0 ? 0x90 : 0x80;
        const unsigned char most = c == 0xf4 ? 0x8f : 0xbf;
        return continues(byte(1), least, most) && continues(byte(2)) && continues(byte(3)) ? 4 : 0;
    }
    return 0;
}

void append_json_ascii(std::string& to, char c) {
    constexpr std::string_view kDigits = "0123456789abcdef";
    const auto code = static_cast<unsigned char>(c);
    if (c == '"' || c == '\\') {
        to += '\\';
        to += c;
    } else if (code < ' ' || c == '<' || c == '\x7f') {
        to += "\\u00";
        to += kDigits[code >> 4];
        to += kDigits[code & 15];
    } else {
        to += c;
    }
}

}  // namespace

void append_utf8(std::string& to, std::string_view text) {
    if (is_ascii(text)) {
        to += text;
        return;
    }
    while (!text.empty()) {
        const size_t length = character_at(text);
        to += length == 0 ? kReplacement : text.substr(0, length);
        text.remove_prefix(std::max<size_t>(length, 1));
    }
}

std::string as_utf8(std::string_view text) {
    std::string clean;
    append_utf8(clean, text);
    return clean;
}

void append_json_string(std::string& to, std::string_view text) {
    if (is_plain(text, kPlainInJson)) {
        to += '"';
        to += text;
        to += '"';
        return;
    }
    const std::string clean = as_utf8(text);
    text = clean;
    to += '"';
    for (const char c : text) append_json_ascii(to, c);
    to += '"';
}

void append_csv_field(std::string& to, std::string_view text) {
    if (is_plain(text, kPlainInCsv)) {
        to += text;
        return;
    }
    const bool in_quotes = text.find_first_of(",\"\r\n") != std::string_view::npos;
    if (!in_quotes) return append_utf8(to, text);
    to += '"';
    for (const char c : as_utf8(text)) {
        if (c == '"') to += c;
        to += c;
    }
    to += '"';
}

}  // namespace forkscope::tools
