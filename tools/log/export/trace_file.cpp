// Packets.
#include "tools/log/export/trace_file.hpp"

#include "tools/log/export/utf8.hpp"

namespace forkscope::tools {

namespace {

// message Trace
constexpr uint32_t kPacket = 1;
// message TracePacket
constexpr uint32_t kTimestamp = 8;
constexpr uint32_t kSequence = 10;
constexpr uint32_t kTrackEvent = 11;
constexpr uint32_t kTrackDescriptor = 60;
// message TrackDescriptor
constexpr uint32_t kUuid = 1;
constexpr uint32_t kTrackName = 2;
constexpr uint32_t kProcess = 3;
constexpr uint32_t kThread = 4;
constexpr uint32_t kCounter = 8;
// message ProcessDescriptor, message ThreadDescriptor
constexpr uint32_t kPid = 1;
constexpr uint32_t kProcessName = 6;
constexpr uint32_t kTid = 2;
constexpr uint32_t kThreadName = 5;
// message CounterDescriptor
constexpr uint32_t kUnit = 3;
constexpr uint32_t kUnitCount = 2;
// message TrackEvent
constexpr uint32_t kFacts = 4;
constexpr uint32_t kType = 9;
constexpr uint32_t kTrack = 11;
constexpr uint32_t kCategories = 22;
constexpr uint32_t kName = 23;
constexpr uint32_t kCounterValue = 30;
constexpr uint32_t kFlows = 47;
constexpr uint32_t kEndingFlows = 48;
constexpr uint32_t kSliceBegin = 1;
constexpr uint32_t kSliceEnd = 2;
constexpr uint32_t kInstant = 3;
constexpr uint32_t kCount = 4;
// message DebugAnnotation
constexpr uint32_t kFactName = 10;
constexpr uint32_t kFactNumber = 3;
constexpr uint32_t kFactText = 6;
constexpr uint32_t kFactAddress = 7;

// All packets are of one writer.
constexpr uint64_t kOurSequence = 1;

}  // namespace

void TraceFile::put_packet(ProtoWriter& packet) {
    packet.number(kSequence, kOurSequence);
    ProtoWriter trace;
    trace.message(kPacket, packet);
    file_.write(trace.bytes());
    ++packets_;
}

void TraceFile::put_descriptor(const ProtoWriter& descriptor) {
    ProtoWriter packet;
    packet.message(kTrackDescriptor, descriptor);
    put_packet(packet);
}

void TraceFile::put_event(uint64_t ns, const ProtoWriter& event) {
    ProtoWriter packet;
    packet.number(kTimestamp, ns).message(kTrackEvent, event);
    put_packet(packet);
}

void TraceFile::process(uint64_t track, int64_t pid, std::string_view name) {
    ProtoWriter process;
    process.integer(kPid, pid).text(kProcessName, as_utf8(name));
    put_descriptor(ProtoWriter().number(kUuid, track).message(kProcess, process));
}

void TraceFile::thread(uint64_t track, int64_t pid, int64_t tid, std::string_view name) {
    ProtoWriter thread;
    thread.integer(kPid, pid).integer(kTid, tid).text(kThreadName, as_utf8(name));
    put_descriptor(ProtoWriter().number(kUuid, track).message(kThread, thread));
}

void TraceFile::plain_track(uint64_t track, std::string_view name) {
    put_descriptor(ProtoWriter().number(kUuid, track).text(kTrackName, as_utf8(name)));
}

void TraceFile::counter_track(uint64_t track, std::string_view name) {
    ProtoWriter counter;
    counter.number(kUnit, kUnitCount);
    put_descriptor(
        ProtoWriter().number(kUuid, track).text(kTrackName, as_utf8(name)).message(kCounter, counter));
}

ProtoWriter TraceFile::named_event(uint32_t type, uint64_t track, std::string_view category,
                                   std::string_view name, std::span<const Fact> facts, Flow flow) const {
    ProtoWriter event;
    for (const Fact& fact : facts) {
        ProtoWriter note;
        if (fact.type == Fact::Type::Number) note.number(kFactNumber, fact.value);
        if (fact.type == Fact::Type::Address) note.number(kFactAddress, fact.value);
        if (fact.type == Fact::Type::Text) note.text(kFactText, as_utf8(fact.text));
        note.text(kFactName, fact.name);
        event.message(kFacts, note);
    }
    event.number(kType, type).number(kTrack, track).text(kCategories, category).text(kName, as_utf8(name));
    if (flow.out != 0) event.fixed64(kFlows, flow.out);
    if (flow.in != 0) event.fixed64(kEndingFlows, flow.in);
    return event;
}

void TraceFile::begin(uint64_t track, uint64_t ns, std::string_view category, std::string_view name,
                      std::span<const Fact> facts, Flow flow) {
    put_event(ns, named_event(kSliceBegin, track, category, name, facts, flow));
}

void TraceFile::instant(uint64_t track, uint64_t ns, std::string_view category, std::string_view name,
                        std::span<const Fact> facts, Flow flow) {
    put_event(ns, named_event(kInstant, track, category, name, facts, flow));
}

void TraceFile::end(uint64_t track, uint64_t ns) {
    put_event(ns, ProtoWriter().number(kType, kSliceEnd).number(kTrack, track));
}

void TraceFile::count(uint64_t track, uint64_t ns, uint64_t value) {
    put_event(ns, ProtoWriter().number(kType, kCount).number(kTrack, track).number(kCounterValue, value));
}

}  // namespace forkscope::tools
