// Reads a log file. Opening looks at the frame of the file only; events are decoded chunk by chunk as a
// cursor comes to them, so a log of any size is read in a few megabytes. A file that is cut, damaged or
// from a later program gives all that can be read, and damage() says what could not.
//
//   auto reader = TRY(log::Reader::open("run.mmu"));
//   auto cursor = reader->events({.kinds = log::mask_of(log::EventKind::PageFault)});
//   while (cursor.next()) use(cursor.number(), cursor.event());
#pragma once

#include <array>
#include <cstdint>
#include <filesystem>
#include <memory>
#include <optional>
#include <string>
#include <vector>

#include "emu/base/address.hpp"
#include "emu/base/result.hpp"
#include "emu/log/columns.hpp"
#include "emu/log/event_filter.hpp"
#include "emu/log/format.hpp"
#include "emu/log/keyframe.hpp"
#include "emu/log/meta.hpp"
#include "emu/log/symbols.hpp"

namespace forkscope::log {

// What could not be read. Grows while chunks are read, for a payload is checked when it is needed.
struct Damage {
    bool header = false;                 // the file header is damaged; the chunks were read all the same
    bool no_end = false;                 // no end mark: the writer was killed, or the file was cut
    std::optional<uint64_t> last_chunk;  // number of the last whole chunk; nothing: there is none
    uint64_t ignored_bytes = 0;          // that follow it and belong to no whole chunk
    uint64_t damaged_chunks = 0;         // in the middle, left out
    uint64_t damaged_bytes = 0;          // that belong to no chunk, in the middle
    uint64_t missing_events = 0;         // numbered, but in no readable chunk
    uint64_t unwritten_events = 0;       // that the writer could not write; it says so in the end mark

    [[nodiscard]] bool none() const;
    // One line, such as "cut after chunk 12, 345 bytes ignored"; empty if nothing is wrong.
    [[nodiscard]] std::string describe() const;
};

// What a later program may have put in that this one does not know.
struct Unknown {
    uint32_t file_version = 0;  // if it is newer than kFormatVersion, else 0
    uint64_t chunks = 0;        // of unknown kinds, or of known ones in a newer version
    uint64_t events = 0;        // of unknown kinds; complete after census()

    [[nodiscard]] std::string describe() const;
};

// How many events there are, from the heads of chunks alone; without the chunks that were found to be
// damaged.
struct Census {
    uint64_t chunks = 0;
    uint64_t event_chunks = 0;
    uint64_t events = 0;
    std::array<uint64_t, kKindValues> kinds{};
    uint64_t first_icount = 0;
    uint64_t last_icount = 0;
    uint64_t stored_bytes = 0;  // of event chunks in the file
};

class Reader;

// Goes through the events that pass a filter, in the order of the file. Outlives nothing: the Reader
// must stay.
class EventCursor {
public:
    // To the next event; false at the end. event() and number() are valid after true.
    [[nodiscard]] bool next() {
        while (at_ < events_.size()) {
            if (filter_.passes(events_[at_])) {
                ++at_;
                return true;
            }
            ++at_;
        }
        return next_in_later_chunk();
    }
    [[nodiscard]] const Event& event() const { return events_[at_ - 1]; }
    // Counted from 0 over the whole file, unknown kinds included.
    [[nodiscard]] uint64_t number() const { return first_event_ + positions_[at_ - 1]; }

    // How many more events there are. Ends the cursor. Chunks of which all pass are only counted.
    [[nodiscard]] uint64_t count_rest();

private:
    friend class Reader;
    EventCursor(Reader& reader, const EventFilter& filter);
    [[nodiscard]] bool next_in_later_chunk();
    [[nodiscard]] bool load_next_chunk();
    [[nodiscard]] bool may_hold(const EventsSummary& summary) const;
    [[nodiscard]] bool holds_only(const EventsSummary& summary) const;
    [[nodiscard]] uint64_t count_chunk(const EventsSummary& summary) const;
    void keep_numbers_in_range();

    Reader* reader_;
    EventFilter filter_;
    KindSet kinds_;
    size_t next_chunk_ = 0;
    std::vector<Event> events_;
    std::vector<uint32_t> positions_;
    uint64_t first_event_ = 0;
    size_t at_ = 0;
    std::unique_ptr<ColumnDecoder> decoder_;
};

class Reader {
public:
    // Fails if the file cannot be read or is no log at all.
    [[nodiscard]] static Result<std::unique_ptr<Reader>> open(const std::filesystem::path& path);
    ~Reader();
    Reader(const Reader&) = delete;
    Reader& operator=(const Reader&) = delete;

    [[nodiscard]] const Meta& meta() const { return meta_; }
    // Read from the file each time. Damaged chunks are left out.
    [[nodiscard]] std::vector<SymbolModule> symbols();
    [[nodiscard]] EventCursor events(const EventFilter& filter = {}) { return EventCursor(*this, filter); }

    // The last keyframe whose state is not later than before event `number`; if there is none, or it is
    // damaged, an empty one before event 0.
    [[nodiscard]] Keyframe keyframe_before(uint64_t number);

    [[nodiscard]] Census census();
    // Reads every byte and compares checksums; what is wrong is in damage() afterwards.
    void verify();

    [[nodiscard]] const Damage& damage() const { return damage_; }
    [[nodiscard]] const Unknown& unknown() const { return unknown_; }
    [[nodiscard]] uint64_t file_bytes() const { return file_bytes_; }
    [[nodiscard]] uint64_t event_count() const { return event_count_; }
    // Of these, those in chunks that were not found to be damaged so far.
    [[nodiscard]] uint64_t readable_events() const { return event_count_ - damaged_events_; }
    // How the chunks lie in the file.
    [[nodiscard]] const std::vector<IndexEntry>& chunks() const { return chunks_; }

private:
    friend class EventCursor;
    struct Zstd;

    Reader(int fd, uint64_t file_bytes);
    [[nodiscard]] Result<> read_frame(const std::filesystem::path& path);
    [[nodiscard]] bool read_by_index();
    void scan();
    [[nodiscard]] std::optional<uint64_t> find_head_after(uint64_t offset);
    void add_chunk(uint64_t offset, const ChunkHead& head, const EventsSummary* events);
    void add_chunk(const IndexEntry& entry);
    void read_meta();

    [[nodiscard]] bool read_at(uint64_t offset, size_t bytes, Bytes& into);
    [[nodiscard]] std::optional<ChunkHead> head_at(uint64_t offset);
    // The payload as stored, checked; nothing if it is damaged.
    [[nodiscard]] std::optional<ByteView> stored_payload(uint64_t offset, const ChunkHead& head);
    [[nodiscard]] std::optional<ByteView> payload(uint64_t offset, const ChunkHead& head);
    void chunk_is_damaged(size_t chunk);
    [[nodiscard]] std::optional<KeyframeSummary> read_keyframe_part(size_t chunk, std::vector<Event>& events);

    int fd_;
    uint64_t file_bytes_;
    uint64_t event_count_ = 0;
    uint64_t damaged_events_ = 0;
    std::vector<IndexEntry> chunks_;
    std::vector<uint64_t> latest_icount_;  // up to and with chunk i: for seeking
    std::vector<bool> damaged_;            // by chunk; counted once
    Meta meta_;
    Damage damage_;
    Unknown unknown_;
    Bytes stored_;
    Bytes raw_;
    std::unique_ptr<Zstd> zstd_;
};

}  // namespace forkscope::log
