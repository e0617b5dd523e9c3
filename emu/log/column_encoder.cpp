// Events to columns. Which encoding a stream gets is decided from the first values of each stream, so
// that the bytes depend on the events alone.
#include <algorithm>
#include <cassert>
#include <limits>

#include "emu/log/columns.hpp"

namespace forkscope::log {

namespace {

// Calls visit(value, prediction) in order; the prediction is what Encoding says.
template <typename Visitor>
void visit_predictions(std::span<const uint64_t> values, std::span<const uint64_t> reference,
                       std::span<const uint16_t> slots, SlotTable& table, Encoding encoding,
                       Visitor&& visit) {
    uint64_t previous = 0;
    switch (encoding) {
        case Encoding::Delta:
            for (const uint64_t value : values) {
                visit(value, previous);
                previous = value;
            }
            break;
        case Encoding::FieldDelta:
        case Encoding::FieldXor:
            for (size_t i = 0; i < values.size(); ++i) visit(values[i], reference[i]);
            break;
        case Encoding::SlotDelta:
            table.clear();
            for (size_t i = 0; i < values.size(); ++i) {
                visit(values[i], table.predict(slots[i], previous));
                table.set(slots[i], previous = values[i]);
            }
            break;
        case Encoding::Constant:
        case Encoding::Runs:
        case Encoding::Plain:
            for (const uint64_t value : values) visit(value, 0);
            break;
    }
}

[[nodiscard]] uint64_t residue(Encoding encoding, uint64_t value, uint64_t prediction) {
    switch (encoding) {
        case Encoding::Delta:
        case Encoding::FieldDelta:
        case Encoding::SlotDelta:
            return zigzag(value - prediction);
        case Encoding::FieldXor:
            return std::rotl(value ^ prediction, 1);
        default:
            return value;
    }
}

[[nodiscard]] size_t runs_in(std::span<const uint64_t> values) {
    size_t runs = 1;
    for (size_t i = 1; i < values.size(); ++i) runs += values[i] != values[i - 1] ? 1u : 0u;
    return runs;
}

}  // namespace

ByteView ColumnEncoder::encode(std::span<const Event> events) {
    assert(events.size() <= kMaxChunkEvents);
    directory_.clear();
    bodies_used_ = 0;
    streams_ = 0;

    // A stable counting sort by kind.
    std::array<uint32_t, kKindValues + 1> starts{};
    for (const Event& e : events) ++starts[static_cast<size_t>(e.kind) + 1];
    for (size_t kind = 0; kind < kKindValues; ++kind) starts[kind + 1] += starts[kind];
    auto next = starts;
    order_.resize(events.size());
    Column& kinds = columns_[static_cast<size_t>(Field::Kind)];
    Column& icounts = columns_[static_cast<size_t>(Field::Icount)];
    kinds.resize(events.size());
    icounts.resize(events.size());
    for (size_t i = 0; i < events.size(); ++i) {
        kinds[i] = static_cast<uint64_t>(events[i].kind);
        icounts[i] = events[i].icount;
        order_[next[kinds[i]]++] = static_cast<uint32_t>(i);
    }

    if (!events.empty()) {
        put_stream(true, 0, Field::Kind, kinds, {Encoding::Plain, Field::Kind});
        put_stream(true, 0, Field::Icount, icounts, {Encoding::Delta, Field::Kind});
    }
    for (size_t kind = 0; kind < kKindValues; ++kind) {
        if (starts[kind] == starts[kind + 1]) continue;
        gather(events, std::span(order_).subspan(starts[kind], starts[kind + 1] - starts[kind]));
        put_kind(static_cast<uint8_t>(kind));
    }

    payload_.clear();
    append_varint(payload_, streams_);
    payload_.insert(payload_.end(), directory_.begin(), directory_.end());
    payload_.insert(payload_.end(), bodies_.begin(), bodies_.begin() + static_cast<ptrdiff_t>(bodies_used_));
    return payload_;
}

void ColumnEncoder::gather(std::span<const Event> events, std::span<const uint32_t> members) {
    std::array<uint64_t*, kFieldCount> out{};
    for (unsigned f = kFirstPerKindField; f < kFieldCount; ++f) {
        columns_[f].resize(members.size());
        out[f] = columns_[f].data();
    }
    slots_.resize(members.size());
    for (size_t i = 0; i < members.size(); ++i) {
        const Event& e = events[members[i]];
        visit_fields(e, [&](Field field, uint64_t value) { out[static_cast<size_t>(field)][i] = value; });
        slots_[i] = static_cast<uint16_t>(slot_of(e.va, e.root));
    }
}

void ColumnEncoder::put_kind(uint8_t kind) {
    for (unsigned f = kFirstPerKindField; f < kFieldCount; ++f) {
        const Column& values = columns_[f];
        const bool constant = std::ranges::all_of(values, [&](uint64_t v) { return v == values[0]; });
        if (constant && values[0] == 0) continue;
        const auto field = static_cast<Field>(f);
        put_stream(false, kind, field, values,
                   constant ? Choice{Encoding::Constant, Field::Kind} : choose(field));
    }
}

// The cheapest encoding in bytes before compression, judged on the second half of a sample: the first
// half warms up the slots.
ColumnEncoder::Choice ColumnEncoder::choose(Field field) {
    constexpr size_t kSample = 2048;
    const Column& values = columns_[static_cast<size_t>(field)];
    const size_t runs = runs_in(values);
    if (runs <= values.size() / 8 + 1) return {Encoding::Runs, Field::Kind};

    const std::span sample(values.data(), std::min(values.size(), kSample));
    Choice best;
    uint64_t best_cost = std::numeric_limits<uint64_t>::max();
    const auto judge = [&](Choice choice) {
        const Column& reference = columns_[static_cast<size_t>(choice.reference)];
        size_t index = 0;
        uint64_t cost = 0;
        visit_predictions(sample, reference, slots_, slot_table_, choice.encoding,
                          [&](uint64_t value, uint64_t prediction) {
                              if (index++ >= sample.size() / 2)
                                  cost += varint_bytes(residue(choice.encoding, value, prediction));
                          });
        if (cost < best_cost) {
            best_cost = cost;
            best = choice;
        }
    };
    judge({Encoding::Plain, Field::Kind});
    judge({Encoding::Delta, Field::Kind});
    if (field == Field::Space) judge({Encoding::FieldDelta, Field::Root});
    for (Field reference : {Field::Va, Field::Pa, Field::A, Field::B}) {
        if (reference >= field) break;
        judge({Encoding::FieldDelta, reference});
        judge({Encoding::FieldXor, reference});
    }
    if (field > Field::Va) judge({Encoding::SlotDelta, Field::Kind});
    return best;
}

void ColumnEncoder::put_stream(bool whole_chunk, uint8_t kind, Field field, const Column& values,
                               Choice choice) {
    const size_t room = bodies_used_ + values.size() * 2 * kMaxVarintBytes;
    if (bodies_.size() < room) bodies_.resize(room);
    uint8_t* start = bodies_.data() + bodies_used_;
    const auto length = static_cast<size_t>(put_values(start, values, choice) - start);
    bodies_used_ += length;

    directory_.push_back(whole_chunk ? 0 : 1);
    directory_.push_back(kind);
    directory_.push_back(static_cast<uint8_t>(field));
    directory_.push_back(static_cast<uint8_t>(choice.encoding));
    directory_.push_back(static_cast<uint8_t>(choice.reference));
    append_varint(directory_, length);
    ++streams_;
}

uint8_t* ColumnEncoder::put_values(uint8_t* out, const Column& values, Choice choice) {
    if (choice.encoding == Encoding::Constant) return put_varint(out, values[0]);
    if (choice.encoding == Encoding::Runs) {
        uint64_t previous = 0;
        for (size_t i = 0; i < values.size();) {
            size_t end = i + 1;
            while (end < values.size() && values[end] == values[i]) ++end;
            out = put_varint(out, zigzag(values[i] - previous));
            out = put_varint(out, end - i);
            previous = values[i];
            i = end;
        }
        return out;
    }
    const auto put_all = [&](Encoding encoding) {
        visit_predictions(values, columns_[static_cast<size_t>(choice.reference)], slots_, slot_table_,
                          encoding, [&](uint64_t value, uint64_t prediction) {
                              out = put_varint(out, residue(encoding, value, prediction));
                          });
    };
    put_all(choice.encoding);
    return out;
}

}  // namespace forkscope::log
