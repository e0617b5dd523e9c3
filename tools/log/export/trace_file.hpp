// A Perfetto trace: tracks, slices on them, and counters. The field numbers are those of Perfetto's published
// trace_packet.proto, track_descriptor.proto, track_event.proto, debug_annotation.proto.
#pragma once

#include <span>
#include <string>
#include <string_view>

#include "tools/log/export/output_file.hpp"
#include "tools/log/export/proto_writer.hpp"

namespace forkscope::tools {

// A fact beside a slice: a number, an address, or text.
struct Fact {
    enum class Type : uint8_t { Number, Address, Text };
    const char* name;
    Type type;
    uint64_t value = 0;
    std::string_view text = {};
};
[[nodiscard]] inline Fact number_fact(const char* name, uint64_t value) {
    return {name, Fact::Type::Number, value, {}};
}
[[nodiscard]] inline Fact address_fact(const char* name, uint64_t value) {
    return {name, Fact::Type::Address, value, {}};
}
[[nodiscard]] inline Fact text_fact(const char* name, std::string_view text) {
    return {name, Fact::Type::Text, 0, text};
}

// An arrow goes from the event with this `out` to the one with the same `in`; 0: none.
struct Flow {
    uint64_t out = 0;
    uint64_t in = 0;
};

class TraceFile {
public:
    explicit TraceFile(OutputFile& file) : file_(file) {}

    // Tracks have numbers other than 0, each at most once. Text may be any bytes.
    void process(uint64_t track, int64_t pid, std::string_view name);
    void thread(uint64_t track, int64_t pid, int64_t tid, std::string_view name);
    void plain_track(uint64_t track, std::string_view name);
    void counter_track(uint64_t track, std::string_view name);

    // Times are nanoseconds.
    void begin(uint64_t track, uint64_t ns, std::string_view category, std::string_view name,
               std::span<const Fact> facts = {}, Flow flow = {});
    void end(uint64_t track, uint64_t ns);
    void instant(uint64_t track, uint64_t ns, std::string_view category, std::string_view name,
                 std::span<const Fact> facts = {}, Flow flow = {});
    void count(uint64_t track, uint64_t ns, uint64_t value);

    [[nodiscard]] uint64_t packets() const { return packets_; }

private:
    void put_descriptor(const ProtoWriter& descriptor);
    void put_event(uint64_t ns, const ProtoWriter& event);
    void put_packet(ProtoWriter& packet);
    [[nodiscard]] ProtoWriter named_event(uint32_t type, uint64_t track, std::string_view category,
                                          std::string_view name, std::span<const Fact> facts,
                                          Flow flow) const;

    OutputFile& file_;
    uint64_t packets_ = 0;
};

}  // namespace forkscope::tools
