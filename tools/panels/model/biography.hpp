// What became of one frame over the whole run: read from the log a part at a time, so that pointing at a
// frame never makes anybody wait.
#pragma once

#include <string>
#include <vector>

#include "emu/log/reader.hpp"
#include "tools/log/analysis/frame_history.hpp"
#include "tools/log/analysis/task_table.hpp"

namespace forkscope::panels {

struct BiographyLine {
    uint64_t number = 0;  // of the event
    uint64_t icount = 0;
    std::string text;
};

class Biography {
public:
    static constexpr size_t kMostLines = 400;

    Biography(log::Reader& reader, uint64_t frame);

    [[nodiscard]] uint64_t frame() const { return history_.frame(); }
    // True: all was read.
    bool read_on(uint64_t events);
    [[nodiscard]] double progress() const;
    [[nodiscard]] const std::vector<BiographyLine>& lines() const { return lines_; }
    [[nodiscard]] uint64_t left_out() const { return left_out_; }
    [[nodiscard]] size_t most_mappings() const { return history_.most_mappings(); }
    [[nodiscard]] bool was_table() const { return history_.was_table(); }

private:
    void take(const log::Event& event, uint64_t number);

    log::Reader& reader_;
    log::EventCursor cursor_;
    analysis::FrameHistory history_;
    analysis::TaskTable tasks_;
    std::vector<BiographyLine> lines_;
    uint64_t left_out_ = 0;
    uint64_t read_ = 0;
    bool done_ = false;
};

}  // namespace forkscope::panels
