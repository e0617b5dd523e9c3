// Where events go. append() is on the hot path of TLB fills and table writes: a mask test and a copy
// into a buffer, no allocation, no virtual call. Full buffers go to the sinks.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <vector>

#include "emu/base/result.hpp"
#include "emu/log/event.hpp"

namespace forkscope::log {

// Takes whole buffers of events, in order. The span is valid during the call only.
class EventSink {
public:
    virtual ~EventSink() = default;
    virtual void consume(std::span<const Event> events) = 0;
    // Lets go of what it holds back, so that a killed program has it in the file.
    virtual void write_out() {}
};

// Bit n stands for EventKind n.
using KindMask = uint64_t;
inline constexpr KindMask kAllKinds = ~KindMask{0};
[[nodiscard]] constexpr KindMask mask_of(EventKind kind) {
    return KindMask{1} << static_cast<unsigned>(kind);
}

class Recorder {
public:
    static constexpr size_t kBufferedEvents = 16384;

    Recorder() : buffer_(kBufferedEvents) {}

    // With no sink nothing is wanted, and append() only tests the mask.
    void attach(EventSink& sink, KindMask kinds) {
        flush();
        sinks_.push_back({&sink, kinds});
        wanted_ |= kinds;
    }

    [[nodiscard]] bool wants(EventKind kind) const { return (wanted_ & mask_of(kind)) != 0; }
    [[nodiscard]] KindMask kinds() const { return wanted_; }
    [[nodiscard]] bool enabled() const { return wanted_ != 0; }
    [[nodiscard]] uint64_t count() const { return flushed_ + used_; }

    void append(const Event& event) {
        if (!wants(event.kind)) return;
        buffer_[used_] = event;
        if (++used_ == kBufferedEvents) flush();
    }

    // Hands what is buffered to the sinks.
    void flush() {
        if (used_ == 0) return;
        for (const Attached& to : sinks_) hand_to(to);
        flushed_ += used_;
        used_ = 0;
    }

    // The same, and has the sinks write out what they hold.
    void write_out() {
        flush();
        for (const Attached& to : sinks_) to.sink->write_out();
    }

private:
    struct Attached {
        EventSink* sink;
        KindMask kinds;
    };

    // What another sink alone wants is left out.
    void hand_to(const Attached& to) {
        std::span<const Event> events(buffer_.data(), used_);
        if ((wanted_ & ~to.kinds) != 0) {
            selected_.clear();
            for (const Event& event : events)
                if ((to.kinds & mask_of(event.kind)) != 0) selected_.push_back(event);
            events = selected_;
        }
        if (!events.empty()) to.sink->consume(events);
    }

    std::vector<Event> buffer_;
    std::vector<Event> selected_;
    std::vector<Attached> sinks_;
    KindMask wanted_ = 0;
    uint64_t flushed_ = 0;
    size_t used_ = 0;
};

}  // namespace forkscope::log
