// Events as columns of bytes, before compression: FORMAT.md, "Events chunk". Both sides keep their
// scratch memory from chunk to chunk.
#pragma once

#include <array>
#include <bitset>
#include <cstdint>
#include <span>
#include <vector>

#include "emu/base/result.hpp"
#include "emu/log/bytes.hpp"
#include "emu/log/event.hpp"
#include "emu/log/event_fields.hpp"
#include "emu/log/recorder.hpp"

namespace forkscope::log {

// Kinds are bytes; a reader meets ones that it has never heard of.
inline constexpr unsigned kKindValues = 256;
// A bound on what a reader must hold: 20 MiB of events.
inline constexpr uint32_t kMaxChunkEvents = 262'144;

// How the values of one stream are written. Values are part of the file format. A prediction is taken
// from each value and what is left becomes a varint.
enum class Encoding : uint8_t {
    Constant = 0,    // one varint: every value
    Runs = 1,        // pairs of (difference from the value before, length of the run)
    Plain = 2,       // the value itself
    Delta = 3,       // difference from the value before
    FieldDelta = 4,  // difference from another field of the event
    FieldXor = 5,    // exclusive or with another field, rotated left by one
    SlotDelta = 6,   // difference from the last value with the same slot number (see slot_of)
};

// The slot of an event for Encoding::SlotDelta: the page it is about, in user space together with CR3.
inline constexpr unsigned kSlotBits = 12;
[[nodiscard]] constexpr unsigned slot_of(uint64_t va, uint64_t root) {
    const uint64_t page = va >> 12;
    const uint64_t key = (va >> 63) != 0 ? page : page ^ root;
    return static_cast<unsigned>((key * 0x9e37'79b9'7f4a'7c15) >> (64 - kSlotBits));
}

// Last values by slot; a slot that holds nothing yet gives the value before, of whatever slot.
class SlotTable {
public:
    void clear() { filled_.fill(false); }
    [[nodiscard]] uint64_t predict(unsigned slot, uint64_t previous) const {
        return filled_[slot] ? values_[slot] : previous;
    }
    void set(unsigned slot, uint64_t value) {
        values_[slot] = value;
        filled_[slot] = true;
    }

private:
    std::array<uint64_t, size_t{1} << kSlotBits> values_{};
    std::array<bool, size_t{1} << kSlotBits> filled_{};
};

class ColumnEncoder {
public:
    // The payload of these events, at most kMaxChunkEvents. The view is valid until the next call.
    ByteView encode(std::span<const Event> events);

private:
    using Column = std::vector<uint64_t>;
    struct Choice {
        Encoding encoding = Encoding::Plain;
        Field reference = Field::Kind;
    };

    void gather(std::span<const Event> events, std::span<const uint32_t> members);
    void put_kind(uint8_t kind);
    [[nodiscard]] Choice choose(Field field);
    void put_stream(bool whole_chunk, uint8_t kind, Field field, const Column& values, Choice choice);
    uint8_t* put_values(uint8_t* out, const Column& values, Choice choice);

    std::array<Column, kFieldCount> columns_;
    std::vector<uint16_t> slots_;
    std::vector<uint32_t> order_;
    SlotTable slot_table_;
    Bytes directory_;
    Bytes bodies_;
    size_t bodies_used_ = 0;
    uint64_t streams_ = 0;
    Bytes payload_;
};

using KindSet = std::bitset<kKindValues>;

class ColumnDecoder {
public:
    // Appends the events whose kinds are in `wanted`, in order, and to `positions` the position of each
    // in the chunk. `count` is what the chunk's summary promises, at most kMaxChunkEvents. After an
    // Error the two hold nothing new.
    [[nodiscard]] Result<> decode(ByteView payload, uint32_t count, const KindSet& wanted,
                                  std::vector<Event>& events, std::vector<uint32_t>& positions);

private:
    using Column = std::vector<uint64_t>;
    struct Stream {
        uint8_t scope = 0;  // 0: all events of the chunk, 1: those of `kind`
        uint8_t kind = 0;
        uint8_t field = 0;
        Encoding encoding = Encoding::Constant;
        uint8_t reference = 0;
        uint64_t length = 0;
        ByteView body;

        [[nodiscard]] uint32_t key() const { return (uint32_t{scope} << 16) | (uint32_t{kind} << 8) | field; }
    };

    [[nodiscard]] Result<> read_directory(ByteView payload);
    [[nodiscard]] Result<> read_kinds_and_icounts(uint32_t count);
    void pick(const KindSet& wanted, std::vector<Event>& events, std::vector<uint32_t>& positions);
    // The streams of one kind into its events, which `members_` tells the places of, from `first` on.
    [[nodiscard]] Result<> read_kind(std::span<const Stream> streams, uint8_t kind, Event* first);
    [[nodiscard]] Result<> check_reference(const Stream& stream) const;
    void find_slots(size_t count);
    // The column of a field of the kind that is being read; of 0 if it has no stream.
    [[nodiscard]] Column& column_of(Field field, size_t count);
    [[nodiscard]] Result<> read_values(const Stream& stream, Column& values);
    void read_residues(const Stream& stream, ByteReader& from, Column& values);
    [[nodiscard]] Result<> read_runs(ByteReader& in, Column& values);

    std::vector<Stream> streams_;
    std::array<Column, kFieldCount> columns_;
    std::bitset<kFieldCount> filled_;  // of columns_, for the kind that is being read
    std::array<std::vector<uint32_t>, kKindValues> members_;
    std::vector<uint16_t> slots_;
    SlotTable slot_table_;
};

}  // namespace forkscope::log
