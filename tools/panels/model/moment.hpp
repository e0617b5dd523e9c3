// One moment of a run, as its events tell it: page tables, tasks, what the TLB could hold, what the frames
// are used for, and the events that led there. Whoever has events can fill it: a log, or a machine that runs.
#pragma once

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

#include "emu/log/replay.hpp"
#include "tools/log/analysis/task_table.hpp"
#include "tools/log/analysis/tlb_view.hpp"
#include "tools/panels/model/frame_book.hpp"

namespace forkscope::panels {

struct NumberedEvent {
    uint64_t number = 0;
    log::Event event;
};

// The last events, the oldest first.
class RecentEvents {
public:
    static constexpr size_t kMost = 8192;

    void add(const log::Event& event, uint64_t number) {
        if (events_.size() < kMost) {
            events_.push_back({number, event});
            return;
        }
        events_[oldest_] = {number, event};
        oldest_ = (oldest_ + 1) % kMost;
    }
    [[nodiscard]] size_t size() const { return events_.size(); }
    // 0: the oldest.
    [[nodiscard]] const NumberedEvent& at(size_t place) const {
        return events_[(oldest_ + place) % events_.size()];
    }

private:
    std::vector<NumberedEvent> events_;
    size_t oldest_ = 0;
};

// A moment that can be gone back to, in little memory and without the events before it.
class Checkpoint {
public:
    Checkpoint(uint64_t next_event, const log::Replay& tables, const analysis::TaskTable& tasks,
               const analysis::TlbView& tlb, const FrameBook& frames);

    [[nodiscard]] uint64_t next_event() const { return next_event_; }
    [[nodiscard]] size_t bytes() const;

private:
    friend class Moment;
    struct Entry {
        uint64_t address = 0;
        uint64_t value = 0;
    };
    struct Table {
        uint64_t frame = 0;
        uint64_t va = 0;
        uint64_t references = 0;
        uint32_t entries = 0;  // that follow in entries_
        uint8_t level = 0;
        uint8_t is_root = 0;
    };

    uint64_t next_event_ = 0;
    std::vector<Table> tables_;
    std::vector<Entry> entries_;
    std::vector<log::Event> tasks_;
    analysis::TlbView tlb_;
    FrameBook frames_;
};

class Moment {
public:
    Moment() = default;
    explicit Moment(const Checkpoint& checkpoint);

    void apply(const log::Event& event, uint64_t number);

    // Number of the first event that has not happened yet.
    [[nodiscard]] uint64_t next_event() const { return next_event_; }
    // Says how far the moment lies, if the events right before it are of no kind that is known.
    void settle_at(uint64_t next_event) { next_event_ = std::max(next_event_, next_event); }
    [[nodiscard]] uint64_t icount() const { return icount_; }

    [[nodiscard]] const log::Replay& tables() const { return tables_; }
    [[nodiscard]] const analysis::TaskTable& tasks() const { return tasks_; }
    [[nodiscard]] const analysis::TlbView& tlb() const { return tlb_; }
    [[nodiscard]] const FrameBook& frames() const { return frames_; }
    [[nodiscard]] const RecentEvents& recent() const { return recent_; }

private:
    log::Replay tables_;
    analysis::TaskTable tasks_;
    analysis::TlbView tlb_;
    FrameBook frames_;
    RecentEvents recent_;
    uint64_t next_event_ = 0;
    uint64_t icount_ = 0;
};

}  // namespace forkscope::panels
