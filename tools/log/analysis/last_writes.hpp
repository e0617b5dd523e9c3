// Which software wrote an entry last, before a moment (accessed and dirty bits set by the CPU refuse
// nothing): found by going backwards through a log, chunk by chunk, so that it is quick where the answer is
// near.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "emu/log/reader.hpp"

namespace forkscope::analysis {

struct LastWrite {
    log::Event event;  // PteWrite, or PteFound: it held this when it was first seen
    uint64_t number = 0;
};

class LastWrites {
public:
    // Asks for the last write of the entry at this address before event `before`. The answer stands at this
    // place in answers() after find().
    size_t ask(uint64_t entry, uint64_t before);

    void find(log::Reader& reader);
    [[nodiscard]] const std::vector<std::optional<LastWrite>>& answers() const { return answers_; }

private:
    struct Question {
        size_t place = 0;
        uint64_t before = 0;
    };
    void look(const log::Event& event, uint64_t number);

    std::unordered_map<uint64_t, std::vector<Question>> open_;  // by entry
    std::vector<std::optional<LastWrite>> answers_;
};

}  // namespace forkscope::analysis
