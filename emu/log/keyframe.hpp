// Keyframes: now and then a log says how things stand, so that a reader can begin in the middle. A keyframe
// is a list of events that make that state when they are applied to nothing: links and found entries for the
// page tables, announcements for the tasks.
#pragma once

#include <cstdint>
#include <memory>
#include <optional>
#include <vector>

#include "emu/log/bytes.hpp"
#include "emu/log/event.hpp"
#include "emu/log/recorder.hpp"
#include "emu/log/replay.hpp"

namespace forkscope::log {

// Follows the events and can say what state they lead to. Works in the writer's thread.
class StateKeeper {
public:
    virtual ~StateKeeper() = default;
    virtual void apply(const Event& event, uint64_t number) = 0;
    virtual void append_state(std::vector<Event>& events) const = 0;
};

// Of the page tables.
class TableKeeper final : public StateKeeper {
public:
    void apply(const Event& event, uint64_t number) override;
    void append_state(std::vector<Event>& events) const override;

private:
    Replay replay_;
};

struct KeyframeOptions {
    std::unique_ptr<StateKeeper> keeper =
        nullptr;                        // of what else than page tables belongs into one; null: nothing
    uint64_t least_events = 1'000'000;  // between two of them
};

// When the next keyframe is due: they come at some distance from each other, and take a small part of the
// file.
class KeyframePace {
public:
    static constexpr uint64_t kShare = 24;  // bytes of events to one of a keyframe, at least

    explicit KeyframePace(uint64_t least_events) : least_events_(least_events) {}

    [[nodiscard]] bool is_due() const { return events_ >= least_events_ && bytes_ >= kShare * last_bytes_; }
    void wrote_events(uint64_t events, uint64_t bytes) {
        events_ += events;
        bytes_ += bytes;
    }
    void wrote_keyframe(uint64_t bytes) {
        events_ = bytes_ = 0;
        last_bytes_ = bytes;
    }

private:
    uint64_t least_events_;
    uint64_t events_ = 0;
    uint64_t bytes_ = 0;
    uint64_t last_bytes_ = 0;
};

// The summary of a chunk of a keyframe.
struct KeyframeSummary {
    uint64_t next_event = 0;  // number of the event that comes after the state
    uint32_t count = 0;       // events in this part
    uint32_t part = 0;
    uint32_t parts = 1;
};
[[nodiscard]] Bytes encode_summary(const KeyframeSummary& summary);
[[nodiscard]] std::optional<KeyframeSummary> decode_keyframe_summary(ByteView bytes);

struct Keyframe {
    uint64_t next_event = 0;
    std::vector<Event> events;
};

}  // namespace forkscope::log
