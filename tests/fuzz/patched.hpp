// A fuzzer's input as a file: its own bytes, or a good file with some bytes changed, which reaches deeper.
#pragma once

#include <cstddef>
#include <cstdint>
#include <span>
#include <vector>

namespace forkscope::fuzz {

// The first byte chooses. Changes are triples: offset (16 bits, low byte first), new value; an offset past
// the end cuts the file to half its length.
inline std::vector<uint8_t> patched(std::span<const uint8_t> input,
                                    const std::vector<std::vector<uint8_t>>& good) {
    if (input.empty()) return {};
    const size_t choice = input[0] % (good.size() + 1);
    input = input.subspan(1);
    if (choice == good.size()) return {input.begin(), input.end()};
    std::vector<uint8_t> file = good[choice];
    for (; input.size() >= 3; input = input.subspan(3)) {
        const size_t offset = input[0] | static_cast<size_t>(input[1]) << 8;
        if (offset < file.size()) {
            file[offset] = input[2];
        } else {
            file.resize(file.size() / 2);
        }
    }
    return file;
}

}  // namespace forkscope::fuzz
