// A kernel's table of its own symbols, as Linux's build lays it out in memory.
#pragma once

#include <cstdint>
#include <cstring>
#include <string>
#include <utility>
#include <vector>

namespace forkscope::test {

class KallsymsBuilder {
public:
    enum class Layout { OffsetsFirst, OffsetsLast };  // until Linux 6.3, and since 6.4
    static constexpr uint64_t kBase = 0xffff'ffff'8100'0000;

    // The type is nm's letter.
    KallsymsBuilder& add(uint64_t address, char type, const std::string& name) {
        symbols_.emplace_back(address, type + name);
        return *this;
    }

    [[nodiscard]] std::vector<uint8_t> build(Layout layout, size_t in_front = 4096) {
        bytes_.assign(in_front, 0x5a);
        if (layout == Layout::OffsetsFirst) put_addresses();
        put_names();
        put_tokens();
        if (layout == Layout::OffsetsLast) put_addresses();
        bytes_.insert(bytes_.end(), 100, 0xa5);
        return bytes_;
    }

private:
    template <typename Word>
    void put(Word word) {
        const size_t at = bytes_.size();
        bytes_.resize(at + sizeof(word));
        std::memcpy(bytes_.data() + at, &word, sizeof(word));
    }
    void align() { bytes_.resize((bytes_.size() + 7) / 8 * 8); }

    void put_addresses() {
        align();
        for (const auto& [address, name] : symbols_)
            put(static_cast<int32_t>(address < kBase ? address : kBase - 1 - address));
        align();
        put(kBase);
    }

    void put_names() {
        put(uint64_t{symbols_.size()});
        std::vector<uint32_t> markers;
        const size_t start = bytes_.size();
        for (size_t n = 0; n < symbols_.size(); ++n) {
            if (n % 256 == 0) markers.push_back(static_cast<uint32_t>(bytes_.size() - start));
            std::string packed = symbols_[n].second;
            // Token 1 stands for "sys_".
            if (const size_t at = packed.find("sys_"); at != std::string::npos) packed.replace(at, 4, "\1");
            if (packed.size() >= 0x80) {
                put(static_cast<uint8_t>(packed.size() | 0x80));
                put(static_cast<uint8_t>(packed.size() >> 7));
            } else {
                put(static_cast<uint8_t>(packed.size()));
            }
            bytes_.insert(bytes_.end(), packed.begin(), packed.end());
        }
        align();
        for (const uint32_t marker : markers) put(marker);
        align();
    }

    void put_tokens() {
        std::vector<uint16_t> index;
        const size_t start = bytes_.size();
        for (unsigned token = 0; token < 256; ++token) {
            index.push_back(static_cast<uint16_t>(bytes_.size() - start));
            std::string text(1, static_cast<char>(token));
            if (token == 1) text = "sys_";
            if (token == 0) text = "";
            bytes_.insert(bytes_.end(), text.begin(), text.end());
            bytes_.push_back(0);
        }
        align();
        for (const uint16_t place : index) put(place);
        align();
    }

    std::vector<std::pair<uint64_t, std::string>> symbols_;
    std::vector<uint8_t> bytes_;
};

// One with more symbols than the fewest that a kernel has.
[[nodiscard]] inline KallsymsBuilder some_kernel() {
    KallsymsBuilder kernel;
    kernel.add(0x1000, 'A', "per_cpu_thing");
    for (unsigned n = 0; n < 1200; ++n)
        kernel.add(KallsymsBuilder::kBase + 0x100 * n, n % 3 == 0 ? 'T' : 't',
                   "sys_number" + std::to_string(n));
    kernel.add(KallsymsBuilder::kBase + 0x90000, 'D', "some_data");
    kernel.add(KallsymsBuilder::kBase + 0xa0000, 'W', std::string(300, 'x'));
    return kernel;
}

}  // namespace forkscope::test
