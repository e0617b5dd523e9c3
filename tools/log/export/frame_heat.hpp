// Frames by owner and sharing, at moments through a log: what each of them is used for, in rows of frames
// that lie together. Only frames that user space maps, or that are its page tables, have a row.
#pragma once

#include <array>
#include <cstdint>
#include <map>
#include <string>
#include <vector>

#include "emu/log/reader.hpp"
#include "tools/log/analysis/task_table.hpp"

namespace forkscope::tools {

class FrameHeat {
public:
    static constexpr size_t kMostRows = 128;
    static constexpr size_t kColumns = 96;
    static constexpr size_t kMostOwners = 6;  // that have a colour of their own
    // A sample walks all tables; when that becomes too much, samples are left out.
    static constexpr uint64_t kMostVisits = 24'000'000;

    enum class Use : uint8_t { None, One, Two, More, Table };
    static constexpr size_t kUses = 5;

    // The first pass: which frames are ever used in this range of events.
    static constexpr log::KindMask kKinds = log::mask_of(log::EventKind::PteWrite) |
                                            log::mask_of(log::EventKind::PteFound) |
                                            log::mask_of(log::EventKind::TableLink);
    void saw(const log::Event& event);

    // The second pass, and at its end finish(): the tables and tasks as they are at a moment.
    void sample(uint64_t icount, const log::Replay& tables, const analysis::TaskTable& tasks);
    void finish();

    struct Cell {
        Use use = Use::None;  // of most of its frames that are used
        uint8_t owner = 0;    // 0: none or several; else a place in owners(), plus 1
        uint16_t used = 0;    // frames
    };
    struct Column {
        uint64_t icount = 0;
        std::vector<Cell> cells;               // by row
        std::array<uint64_t, kUses> frames{};  // of all rows, by use
    };
    [[nodiscard]] const std::vector<Column>& columns() const { return columns_; }
    // Physical addresses: the first frame of each row.
    [[nodiscard]] std::vector<uint64_t> rows() const;
    [[nodiscard]] uint64_t frames() const { return frames_.size(); }
    [[nodiscard]] uint64_t frames_a_row() const { return frames_a_row_; }
    // Who had most frames, the first ones of them all.
    [[nodiscard]] const std::vector<std::string>& owners() const { return owners_; }
    [[nodiscard]] uint64_t samples_left_out() const { return samples_left_out_; }

private:
    struct Used {
        uint32_t spaces = 0;
        uint32_t last_space = 0;  // that was counted
        uint32_t owner = 0;       // number of the first space's label
        bool table = false;
    };
    void mark(uint64_t frame, uint64_t frames);
    void settle_rows();
    // Calls visit(place) for those of the frames that have one.
    template <typename Visit>
    void each_place(uint64_t frame, uint64_t frames, Visit&& visit) const;
    [[nodiscard]] uint32_t owner_number(const std::string& label);
    [[nodiscard]] bool affords_sample();
    void fill_column(Column& column, const std::vector<Used>& used);

    std::vector<bool> seen_;        // by frame number
    std::vector<uint64_t> frames_;  // numbers, ascending
    uint64_t frames_a_row_ = 1;
    std::vector<Column> columns_;
    std::vector<std::vector<uint32_t>> owner_cells_;  // by column: owner numbers of the cells
    std::map<std::string, uint32_t> owner_numbers_;   // from 1
    std::vector<uint64_t> owner_frames_{0};           // by number: frames in all samples
    std::vector<std::string> owners_;
    uint64_t visits_ = 0;
    uint64_t last_visits_ = 0;
    uint64_t samples_left_out_ = 0;
};

}  // namespace forkscope::tools
