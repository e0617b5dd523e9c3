// The live page tables, with the entries that link each of them, and in step with it the frame book's counts.
#pragma once

#include <cstdint>
#include <optional>
#include <unordered_map>
#include <vector>

#include "emu/check/frame_book.hpp"
#include "emu/log/replay.hpp"

namespace forkscope::check {

// A user entry of level 1 as a program can use it: through one chain of tables from one root.
struct UserMapping {
    uint64_t root = 0;
    uint64_t va = 0;
    uint64_t entry_pa = 0;
    uint64_t value = 0;
    bool writable = false;  // all the way down
};

class TableBook {
public:
    explicit TableBook(FrameBook& frames) : frames_(frames) {}

    void apply(const log::Event& event, uint64_t number);

    [[nodiscard]] bool is_table(uint64_t frame) const { return links_.contains(frame); }
    // Entries that link this frame as a table of any level; roots have none.
    [[nodiscard]] size_t links_of(uint64_t frame) const;
    // Who wrote a user entry that links a table of level 1, last.
    [[nodiscard]] std::optional<CodePoint> linker(uint64_t entry_pa) const;
    // The value of an entry of a live table, 0 if it is in none.
    [[nodiscard]] uint64_t entry_at(uint64_t pa) const;
    [[nodiscard]] const log::ReplayTable* table(uint64_t frame) const { return replay_.table(frame); }

    // All ways in which programs reach a frame. Looks at every table: for findings, not for events.
    [[nodiscard]] std::vector<UserMapping> mappings_of(uint64_t frame) const;
    // All ways to a table of level 1, with what can be done through them. value: of the entry that links it.
    [[nodiscard]] std::vector<UserMapping> ways_to_table(uint64_t frame) const;

private:
    void follow_ways(uint64_t frame, unsigned level, bool writable, const UserMapping& below,
                     std::vector<UserMapping>& found) const;
    void count_table(const log::Event& unlinked, uint64_t number);

    FrameBook& frames_;
    log::Replay replay_;
    // For each table the entries that link it (0: it is a root), once for each level that they link it at.
    std::unordered_map<uint64_t, std::vector<uint64_t>> links_;
    std::unordered_map<uint64_t, CodePoint> linkers_;
};

}  // namespace forkscope::check
