// A finished log that can be gone through in time. It is read once from the beginning, a part at a time, and
// as far as it was read any event can be gone to: from where the view stands, or from the nearest checkpoint.
#pragma once

#include <deque>
#include <optional>

#include "emu/log/reader.hpp"
#include "tools/log/analysis/symbolizer.hpp"
#include "tools/panels/model/overview.hpp"

namespace forkscope::panels {

class LogView {
public:
    static constexpr size_t kCheckpointBytes = size_t{96} << 20;  // all of them together

    explicit LogView(log::Reader& reader);

    // Reads on for at most so many events. True: all was read.
    bool read_on(uint64_t events);
    [[nodiscard]] bool all_read() const { return all_read_; }
    // Events that can be gone to.
    [[nodiscard]] uint64_t read_events() const {
        return all_read_ ? reader_.event_count() : overview_.next_event();
    }
    [[nodiscard]] uint64_t event_count() const { return reader_.event_count(); }

    // The state after `events` events, or after all that were read, if these are fewer.
    void go_to(uint64_t events);
    // So many events of the wanted kinds further or back, or as many as there are.
    void step_forward(log::KindMask kinds, uint64_t count);
    void step_back(log::KindMask kinds, uint64_t count);
    // After the last event up to this instruction count.
    void go_to_icount(uint64_t icount);

    [[nodiscard]] const Moment& now() const { return now_; }
    // How many events have happened.
    [[nodiscard]] uint64_t at() const { return at_; }
    // Changes whenever the moment does.
    [[nodiscard]] uint64_t revision() const { return revision_; }
    [[nodiscard]] const Overview& overview() const { return overview_; }
    [[nodiscard]] const analysis::Symbolizer& symbols() const { return symbols_; }
    [[nodiscard]] log::Reader& reader() const { return reader_; }
    [[nodiscard]] size_t checkpoints() const { return checkpoints_.size(); }
    // "event 1,234 · instruction 26,000,000 · 26.00 ms"
    [[nodiscard]] std::string when() const;

private:
    // Least distance of checkpoints: below it, applying events is quick.
    static constexpr uint64_t kLeastDistance = 100'000;

    void keep_checkpoint();
    void restart_before(uint64_t events);
    [[nodiscard]] const Checkpoint* checkpoint_before(uint64_t events) const;

    log::Reader& reader_;
    analysis::Symbolizer symbols_;
    Overview overview_;
    log::EventCursor reading_;
    bool all_read_ = false;

    std::vector<Checkpoint> checkpoints_;
    uint64_t distance_ = kLeastDistance;
    size_t checkpoint_bytes_ = 0;

    Moment now_;
    log::EventCursor going_;
    bool going_has_next_ = false;  // going_ stands on the first event that has not happened
    uint64_t at_ = 0;
    uint64_t revision_ = 1;
};

}  // namespace forkscope::panels
