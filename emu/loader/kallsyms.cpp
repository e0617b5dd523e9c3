// Linux, scripts/kallsyms.c, write_src(): symbols stand in order of address, their names in one row. Each
// name is a length and so many tokens; the 256 tokens are pieces of names, letters and digits being tokens of
// themselves. The tables are found from their middle: the tokens "0", "1" ... "9" stand in a row in every
// kernel.
#include "emu/loader/kallsyms.hpp"

#include <algorithm>
#include <array>
#include <cstring>
#include <string_view>
#include <vector>

namespace forkscope::loader {

namespace {

constexpr size_t kTokens = 256;
constexpr size_t kFirstDigit = '0';
constexpr size_t kAlignment = 8;       // of each table
constexpr size_t kNamesAMarker = 256;  // kallsyms_markers has the place of every 256th name
constexpr uint64_t kFewestSymbols = 1000;
constexpr uint64_t kMostSymbols = 1 << 20;
constexpr size_t kLongestName = 512;        // KSYM_NAME_LEN
constexpr size_t kLongestNames = 64 << 20;  // bytes, before the tokens
constexpr uint64_t kKernelHalf = 0xffff'8000'0000'0000;

[[nodiscard]] constexpr size_t aligned(size_t offset) {
    return (offset + kAlignment - 1) & ~(kAlignment - 1);
}

class Tables {
public:
    explicit Tables(std::span<const uint8_t> memory) : memory_(memory) {}

    // Whether the token of "0" at `digits` is one of a kernel's.
    [[nodiscard]] bool read_tokens(size_t digits);
    // Of those tokens: where the number of symbols stands, and their names after it.
    [[nodiscard]] bool find_names();
    [[nodiscard]] std::optional<SymbolTable> read_symbols() const;

private:
    template <typename Word>
    [[nodiscard]] Word word(size_t offset) const {
        Word value{};
        if (offset <= memory_.size() && memory_.size() - offset >= sizeof(Word))
            std::memcpy(&value, memory_.data() + offset, sizeof(Word));
        return value;
    }
    // The offset after the name there; nothing if it runs into the tokens.
    [[nodiscard]] std::optional<size_t> after_name(size_t offset) const;
    [[nodiscard]] bool names_at(size_t offset, uint64_t count) const;
    [[nodiscard]] std::string name_at(size_t offset) const;
    struct Addresses {
        size_t offsets;
        uint64_t base;
        bool down;  // negative offsets count from the base, others are addresses themselves
    };
    [[nodiscard]] std::optional<Addresses> find_addresses() const;
    [[nodiscard]] static size_t length_bytes(uint8_t first) { return first < 0x80 ? 1 : 2; }
    [[nodiscard]] size_t name_length(size_t offset) const {
        const size_t low = memory_[offset];
        return low < 0x80 ? low : (low & 0x7f) | size_t{memory_[offset + 1]} << 7;
    }

    std::span<const uint8_t> memory_;
    std::array<std::string_view, kTokens> tokens_;
    size_t tokens_start_ = 0;
    size_t index_ = 0;  // kallsyms_token_index
    size_t count_at_ = 0;
    uint64_t count_ = 0;
};

bool Tables::read_tokens(size_t digits) {
    const auto end_of_text = [this](size_t at) {
        const auto* end =
            static_cast<const uint8_t*>(std::memchr(memory_.data() + at, 0, memory_.size() - at));
        return end == nullptr ? memory_.size() : static_cast<size_t>(end - memory_.data());
    };
    size_t at = digits;
    for (size_t token = kFirstDigit; token < kTokens && at < memory_.size(); ++token)
        at = end_of_text(at) + 1;
    index_ = aligned(at);
    const size_t before = word<uint16_t>(index_ + kFirstDigit * sizeof(uint16_t));
    if (index_ + kTokens * sizeof(uint16_t) > memory_.size() || before > digits) return false;
    tokens_start_ = at = digits - before;
    for (size_t token = 0; token < kTokens; ++token) {
        if (word<uint16_t>(index_ + token * sizeof(uint16_t)) != at - tokens_start_) return false;
        const size_t end = end_of_text(at);
        if (end >= index_ || end - at > kLongestName) return false;
        tokens_[token] = {reinterpret_cast<const char*>(memory_.data() + at), end - at};
        at = end + 1;
    }
    return true;
}

std::optional<size_t> Tables::after_name(size_t offset) const {
    if (offset + 2 > tokens_start_) return std::nullopt;
    const size_t length = name_length(offset);
    const size_t end = offset + length_bytes(memory_[offset]) + length;
    if (length == 0 || end > tokens_start_) return std::nullopt;
    return end;
}

bool Tables::names_at(size_t offset, uint64_t count) const {
    const size_t start = offset;
    size_t second_marker = 0;
    for (uint64_t n = 0; n < count; ++n) {
        if (n == kNamesAMarker) second_marker = offset - start;
        const auto next = after_name(offset);
        if (!next) return false;
        offset = *next;
    }
    const size_t markers = aligned(offset);
    return word<uint32_t>(markers) == 0 && word<uint32_t>(markers + sizeof(uint32_t)) == second_marker;
}

bool Tables::find_names() {
    const size_t lowest = tokens_start_ > kLongestNames ? tokens_start_ - kLongestNames : 0;
    for (size_t at = tokens_start_ & ~(kAlignment - 1); at >= lowest + kAlignment;) {
        at -= kAlignment;
        const auto count = word<uint64_t>(at);
        if (count < kFewestSymbols || count > kMostSymbols || !names_at(at + kAlignment, count)) continue;
        count_at_ = at;
        count_ = count;
        return true;
    }
    return false;
}

// Since Linux 6.4 the offsets and their base stand after the tokens, before that in front of the names.
std::optional<Tables::Addresses> Tables::find_addresses() const {
    const size_t bytes = aligned(count_ * sizeof(int32_t));
    const size_t behind = aligned(index_ + kTokens * sizeof(uint16_t));
    const auto is_base = [](uint64_t base) { return base >= kKernelHalf && base % 0x1000 == 0; };
    Addresses found{};
    if (count_at_ >= bytes + kAlignment && is_base(word<uint64_t>(count_at_ - kAlignment))) {
        found = {count_at_ - kAlignment - bytes, word<uint64_t>(count_at_ - kAlignment), false};
    } else if (is_base(word<uint64_t>(behind + bytes))) {
        found = {behind, word<uint64_t>(behind + bytes), false};
    } else {
        return std::nullopt;
    }
    // CONFIG_KALLSYMS_ABSOLUTE_PERCPU: all but the symbols of per-CPU data count downwards.
    uint64_t negative = 0;
    for (uint64_t n = 0; n < count_; ++n) negative += word<int32_t>(found.offsets + n * sizeof(int32_t)) < 0;
    found.down = negative > count_ / 2;
    return found;
}

std::string Tables::name_at(size_t offset) const {
    std::string name;
    const size_t length = name_length(offset);
    offset += length_bytes(memory_[offset]);
    for (size_t n = 0; n < length && name.size() < kLongestName; ++n) name += tokens_[memory_[offset + n]];
    return name;
}

std::optional<SymbolTable> Tables::read_symbols() const {
    const auto addresses = find_addresses();
    if (!addresses) return std::nullopt;
    std::vector<Symbol> symbols;
    size_t at = count_at_ + kAlignment;
    for (uint64_t n = 0; n < count_; ++n) {
        const std::string name = name_at(at);
        at = *after_name(at);
        const auto offset = word<uint32_t>(addresses->offsets + n * sizeof(uint32_t));
        const bool negative = static_cast<int32_t>(offset) < 0;
        if (addresses->down && !negative) continue;
        const uint64_t address =
            addresses->down
                ? addresses->base - 1 - static_cast<uint64_t>(int64_t{static_cast<int32_t>(offset)})
                : addresses->base + offset;
        // The first letter is the one that nm(1) shows: T, t, W, w for code.
        const bool is_code =
            !name.empty() && std::string_view("TtWw").find(name[0]) != std::string_view::npos;
        if (is_code) symbols.push_back({VirtAddr(address), 0, name.substr(1)});
    }
    if (symbols.empty()) return std::nullopt;
    return SymbolTable(std::move(symbols), false);
}

}  // namespace

std::optional<SymbolTable> find_kallsyms(std::span<const uint8_t> memory) {
    constexpr std::string_view kDigits("0\0001\0002\0003\0004\0005\0006\0007\0008\0009\0", 20);
    if (memory.empty()) return std::nullopt;  // memmem() wants an address
    const uint8_t* from = memory.data();
    const uint8_t* const end = from + memory.size();
    while (const void* found =
               memmem(from, static_cast<size_t>(end - from), kDigits.data(), kDigits.size())) {
        from = static_cast<const uint8_t*>(found);
        Tables tables(memory);
        if (tables.read_tokens(static_cast<size_t>(from - memory.data())) && tables.find_names()) {
            if (auto symbols = tables.read_symbols()) return symbols;
        }
        ++from;
    }
    return std::nullopt;
}

}  // namespace forkscope::loader
