// Columns to events. Nothing that is read is believed: counts, lengths, references and widths are
// checked before they are used.
#include <algorithm>
#include <bit>

#include "emu/log/columns.hpp"

namespace forkscope::log {

namespace {

constexpr uint8_t kWholeChunk = 0;
constexpr uint8_t kOneKind = 1;
constexpr uint8_t kLastEncoding = static_cast<uint8_t>(Encoding::SlotDelta);

[[nodiscard]] constexpr uint8_t number(Field field) { return static_cast<uint8_t>(field); }

}  // namespace

Result<> ColumnDecoder::decode(ByteView payload, uint32_t count, const KindSet& wanted,
                               std::vector<Event>& events, std::vector<uint32_t>& positions) {
    const size_t first_event = events.size();
    const size_t first_position = positions.size();
    if (count > kMaxChunkEvents)
        return fail("a chunk of {} events, where at most {} are allowed", count, kMaxChunkEvents);
    TRY_VOID(read_directory(payload));
    TRY_VOID(read_kinds_and_icounts(count));

    pick(wanted, events, positions);
    std::span<const Stream> rest = streams_;
    while (!rest.empty()) {
        const auto same_kind = [&](const Stream& s) {
            return s.scope == rest.front().scope && s.kind == rest.front().kind;
        };
        const auto end = std::ranges::find_if_not(rest, same_kind);
        const auto streams = rest.first(static_cast<size_t>(end - rest.begin()));
        rest = rest.subspan(streams.size());
        if (streams.front().scope != kOneKind || members_[streams.front().kind].empty()) continue;
        if (auto read = read_kind(streams, streams.front().kind, events.data() + first_event); !read) {
            events.resize(first_event);
            positions.resize(first_position);
            return read;
        }
    }
    return {};
}

// Makes the events that are wanted, with kinds and times and nothing else.
void ColumnDecoder::pick(const KindSet& wanted, std::vector<Event>& events,
                         std::vector<uint32_t>& positions) {
    const Column& kinds = columns_[number(Field::Kind)];
    const Column& icounts = columns_[number(Field::Icount)];
    for (auto& members : members_) members.clear();
    std::array<bool, kKindValues> is_wanted{};
    for (size_t kind = 0; kind < kKindValues; ++kind) is_wanted[kind] = wanted.test(kind);
    const size_t first_event = events.size();
    const size_t first_position = positions.size();
    const auto picked = std::ranges::count_if(kinds, [&](uint64_t kind) { return is_wanted[kind]; });
    events.resize(first_event + static_cast<size_t>(picked));
    positions.resize(first_position + static_cast<size_t>(picked));
    Event* const event = events.data() + first_event;
    uint32_t* const position = positions.data() + first_position;
    uint32_t count = 0;
    for (uint32_t i = 0; i < kinds.size(); ++i) {
        if (!is_wanted[kinds[i]]) continue;
        event[count].kind = static_cast<EventKind>(kinds[i]);
        event[count].icount = icounts[i];
        position[count] = i;
        members_[kinds[i]].push_back(count++);
    }
}

Result<> ColumnDecoder::read_directory(ByteView payload) {
    streams_.clear();
    ByteReader in(payload);
    const uint64_t streams = in.varint();
    constexpr size_t kSmallestEntry = 6;  // bytes
    if (streams > in.left() / kSmallestEntry) return fail("the directory of columns runs past the chunk");
    for (uint64_t i = 0; i < streams; ++i) {
        Stream s;
        s.scope = in.word<uint8_t>();
        s.kind = in.word<uint8_t>();
        s.field = in.word<uint8_t>();
        const auto encoding = in.word<uint8_t>();
        s.reference = in.word<uint8_t>();
        s.length = in.varint();
        if (encoding > kLastEncoding) return fail("unknown encoding {} of a column", encoding);
        s.encoding = static_cast<Encoding>(encoding);
        if (!streams_.empty() && streams_.back().key() >= s.key())
            return fail("the directory of columns is out of order");
        streams_.push_back(s);
    }
    for (Stream& s : streams_) s.body = in.bytes(s.length);
    if (in.failed() || in.left() != 0) return fail("the columns do not fill the chunk");
    return {};
}

Result<> ColumnDecoder::read_kinds_and_icounts(uint32_t count) {
    for (Field field : {Field::Kind, Field::Icount}) {
        Column& values = columns_[number(field)];
        values.assign(count, 0);
        for (const Stream& s : streams_) {
            if (s.scope != kWholeChunk || s.field != number(field)) continue;
            if (s.encoding == Encoding::FieldDelta || s.encoding == Encoding::FieldXor ||
                s.encoding == Encoding::SlotDelta)
                return fail("encoding {} in a column of the whole chunk", static_cast<unsigned>(s.encoding));
            TRY_VOID(read_values(s, values));
        }
    }
    return {};
}

Result<> ColumnDecoder::read_kind(std::span<const Stream> streams, uint8_t kind, Event* first) {
    const std::vector<uint32_t>& members = members_[kind];
    const auto event_at = [&](size_t i) -> Event& { return first[members[i]]; };
    filled_.reset();
    slots_.clear();
    for (const Stream& s : streams) {
        // A field that this program does not know belongs to a later format: left out.
        if (s.field >= kFieldCount) continue;
        TRY_VOID(check_reference(s));
        if (s.encoding == Encoding::FieldDelta || s.encoding == Encoding::FieldXor)
            (void)column_of(static_cast<Field>(s.reference), members.size());
        if (s.encoding == Encoding::SlotDelta && slots_.empty()) find_slots(members.size());
        Column& values = columns_[s.field];
        values.resize(members.size());
        filled_.set(s.field);
        TRY_VOID(read_values(s, values));
        assign_field(static_cast<Field>(s.field), members.size(), event_at,
                     [&](size_t i) { return values[i]; });
    }
    return {};
}

// What stands in the way of a stream of one kind.
Result<> ColumnDecoder::check_reference(const Stream& s) const {
    if (s.field < kFirstPerKindField) return fail("column {} stored kind by kind", s.field);
    const bool refers = s.encoding == Encoding::FieldDelta || s.encoding == Encoding::FieldXor;
    if (refers && (s.reference < kFirstPerKindField || s.reference >= s.field))
        return fail("column {} refers to column {}", s.field, s.reference);
    if (s.encoding == Encoding::SlotDelta && s.field <= number(Field::Va))
        return fail("column {} predicted by slots", s.field);
    return {};
}

ColumnDecoder::Column& ColumnDecoder::column_of(Field field, size_t count) {
    Column& column = columns_[number(field)];
    if (!filled_.test(number(field))) column.assign(count, 0);
    filled_.set(number(field));
    return column;
}

void ColumnDecoder::find_slots(size_t count) {
    const Column& addresses = column_of(Field::Va, count);
    const Column& roots = column_of(Field::Root, count);
    slots_.resize(count);
    for (size_t i = 0; i < count; ++i) slots_[i] = static_cast<uint16_t>(slot_of(addresses[i], roots[i]));
}

// values has its final size.
Result<> ColumnDecoder::read_values(const Stream& stream, Column& values) {
    ByteReader in(stream.body);
    switch (stream.encoding) {
        case Encoding::Constant:
            std::ranges::fill(values, in.varint());
            break;
        case Encoding::Runs:
            TRY_VOID(read_runs(in, values));
            break;
        default:
            read_residues(stream, in, values);
            break;
    }
    if (in.failed() || in.left() != 0) return fail("column {} has a wrong length", stream.field);
    const uint64_t max = kFieldMax[stream.field];
    if (max != ~uint64_t{0} && std::ranges::any_of(values, [max](uint64_t v) { return v > max; }))
        return fail("column {} holds a value that is too large", stream.field);
    return {};
}

Result<> ColumnDecoder::read_runs(ByteReader& in, Column& values) {
    uint64_t value = 0;
    for (size_t i = 0; i < values.size();) {
        value += unzigzag(in.varint());
        const uint64_t length = in.varint();
        if (length == 0 || length > values.size() - i) return fail("a run of a column has a wrong length");
        std::fill_n(values.begin() + static_cast<ptrdiff_t>(i), length, value);
        i += length;
    }
    return {};
}

void ColumnDecoder::read_residues(const Stream& stream, ByteReader& from, Column& values) {
    const Column& reference = columns_[stream.reference < kFieldCount ? stream.reference : 0];
    uint64_t previous = 0;
    ByteReader in = from;  // a copy of its own stays in registers
    switch (stream.encoding) {
        case Encoding::Delta:
            for (uint64_t& value : values) value = previous += unzigzag(in.varint());
            break;
        case Encoding::FieldDelta:
            for (size_t i = 0; i < values.size(); ++i) values[i] = reference[i] + unzigzag(in.varint());
            break;
        case Encoding::FieldXor:
            for (size_t i = 0; i < values.size(); ++i) values[i] = reference[i] ^ std::rotr(in.varint(), 1);
            break;
        case Encoding::SlotDelta:
            slot_table_.clear();
            for (size_t i = 0; i < values.size(); ++i) {
                previous = values[i] = slot_table_.predict(slots_[i], previous) + unzigzag(in.varint());
                slot_table_.set(slots_[i], previous);
            }
            break;
        default:
            for (uint64_t& value : values) value = in.varint();
            break;
    }
    from = in;
}

}  // namespace forkscope::log
