// The writer's two halves: the caller's, which fills buffers and waits when all are in use, and the
// thread that encodes and writes them in their order.
#include "emu/log/writer.hpp"

#include <algorithm>
#include <condition_variable>
#include <deque>
#include <mutex>
#include <optional>
#include <thread>
#include <utility>
#include <variant>
#include <vector>

#include "emu/base/quiet_thread.hpp"
#include "emu/log/chunk_file.hpp"
#include "emu/log/columns.hpp"

namespace forkscope::log {

namespace {

// Events of a full chunk: how much a kill can lose, and the step of a seek. Bigger ones compress little
// better.
constexpr size_t kChunkEvents = 32768;
// Buffers of kChunkEvents events (2.5 MiB each): one is filled while others wait or are encoded.
constexpr size_t kBuffers = 4;
// Of a part of a keyframe: what the reader allows in a chunk.
constexpr size_t kKeyframeEvents = kMaxChunkEvents;

static_assert(kChunkEvents <= kMaxChunkEvents);

}  // namespace

class Writer::Impl {
public:
    Impl(std::unique_ptr<ChunkFile> file, std::vector<std::unique_ptr<StateKeeper>> keepers,
         uint64_t least_events)
        : file_(std::move(file)), keepers_(std::move(keepers)), pace_(least_events) {
        for (size_t i = 1; i < kBuffers; ++i) free_.emplace_back().reserve(kChunkEvents);
        filling_.reserve(kChunkEvents);
        bytes_ = file_->bytes();
        thread_ = start_quiet_thread([this] { run(); });
    }

    ~Impl() { (void)finish(); }

    [[nodiscard]] Result<> add_symbols(SymbolModule module) {
        if (finished_) return fail("the log is finished, no symbols can be added");
        std::ranges::stable_sort(module.symbols, {}, &Symbol::address);
        std::ranges::stable_sort(module.lines, {}, &Line::address);
        Bytes symbols = encode_symbols(module);
        Bytes lines = module.lines.empty() ? Bytes() : encode_lines(module);
        const size_t size = std::max(symbols.size(), lines.size());
        if (size > kMaxRawBytes)
            return fail("the symbols of '{}' take {} bytes, at most {} fit into a log", module.name, size,
                        kMaxRawBytes);
        push(Symbols{ChunkKind::Symbols, std::move(symbols)});
        if (!lines.empty()) push(Symbols{ChunkKind::Lines, std::move(lines)});
        return status();
    }

    void consume(std::span<const Event> events) {
        if (finished_) return;
        events_ += events.size();
        while (!events.empty()) {
            const auto part = events.first(std::min(events.size(), kChunkEvents - filling_.size()));
            filling_.insert(filling_.end(), part.begin(), part.end());
            events = events.subspan(part.size());
            if (filling_.size() == kChunkEvents) push_filling();
        }
    }

    void write_out() {
        if (!finished_) push_filling();
    }

    void sync() {
        if (finished_) return;
        push_filling();
        std::unique_lock lock(mutex_);
        idle_.wait(lock, [this] { return jobs_.empty() && !busy_; });
    }

    [[nodiscard]] Result<> status() const {
        const std::scoped_lock lock(mutex_);
        if (error_) return tl::make_unexpected(*error_);
        return {};
    }

    [[nodiscard]] Result<> finish() {
        if (!finished_) {
            push_filling();
            push(Finish{});
            thread_.join();
            finished_ = true;
        }
        return status();
    }

    [[nodiscard]] uint64_t events() const { return events_; }
    [[nodiscard]] uint64_t bytes() const {
        const std::scoped_lock lock(mutex_);
        return bytes_;
    }

private:
    using Buffer = std::vector<Event>;
    struct Symbols {
        ChunkKind kind;
        Bytes payload;
    };
    struct Finish {};
    using Job = std::variant<Buffer, Symbols, Finish>;

    // Waits for a free buffer, so that no more than kBuffers exist.
    void push_filling() {
        if (filling_.empty()) return;
        push(std::move(filling_));
        std::unique_lock lock(mutex_);
        freed_.wait(lock, [this] { return !free_.empty(); });
        filling_ = std::move(free_.back());
        free_.pop_back();
    }

    void push(Job job) {
        const std::scoped_lock lock(mutex_);
        jobs_.push_back(std::move(job));
        work_.notify_one();
    }

    // The thread.
    void run() {
        for (;;) {
            Job job = take();
            Result<> done;
            const bool last = std::holds_alternative<Finish>(job);
            if (auto* buffer = std::get_if<Buffer>(&job)) {
                done = write_events(*buffer);
            } else if (auto* symbols = std::get_if<Symbols>(&job)) {
                if (!failed_) done = file_->append(symbols->kind, symbols->payload, {}, {});
            } else {
                done = write_end();
            }
            give_back(std::move(job), std::move(done));
            if (last) return;
        }
    }

    [[nodiscard]] Job take() {
        std::unique_lock lock(mutex_);
        work_.wait(lock, [this] { return !jobs_.empty(); });
        busy_ = true;
        Job job = std::move(jobs_.front());
        jobs_.pop_front();
        return job;
    }

    void give_back(Job job, Result<> done) {
        const std::scoped_lock lock(mutex_);
        if (auto* buffer = std::get_if<Buffer>(&job)) {
            buffer->clear();
            free_.push_back(std::move(*buffer));
            freed_.notify_one();
        }
        if (!done) failed_ = true;
        if (!done && !error_) error_ = std::move(done).error();
        bytes_ = file_->bytes();
        busy_ = false;
        if (jobs_.empty()) idle_.notify_all();
    }

    [[nodiscard]] Result<> write_events(const Buffer& events) {
        Result<> done;
        if (!failed_) {
            const uint64_t before = file_->bytes();
            const EventsSummary summary = summarize(events, written_);
            IndexEntry entry;
            entry.first_icount = summary.first_icount;
            entry.last_icount = summary.last_icount;
            entry.count = summary.count;
            done = file_->append(ChunkKind::Events, encoder_.encode(events), encode_summary(summary), entry);
            if (done) {
                for (const auto& keeper : keepers_)
                    for (size_t i = 0; i < events.size(); ++i) keeper->apply(events[i], written_ + i);
                written_ += events.size();
                pace_.wrote_events(events.size(), file_->bytes() - before);
                return pace_.is_due() && !keepers_.empty() ? write_keyframe() : done;
            }
        }
        lost_ += events.size();
        return done;
    }

    [[nodiscard]] Result<> write_keyframe() {
        std::vector<Event> events;
        for (const auto& keeper : keepers_) keeper->append_state(events);
        const uint64_t before = file_->bytes();
        KeyframeSummary summary;
        summary.next_event = written_;
        summary.parts = static_cast<uint32_t>((events.size() + kKeyframeEvents - 1) / kKeyframeEvents);
        for (; summary.part < summary.parts; ++summary.part) {
            const size_t at = summary.part * kKeyframeEvents;
            const auto part = std::span(events).subspan(at, std::min(kKeyframeEvents, events.size() - at));
            summary.count = static_cast<uint32_t>(part.size());
            TRY_VOID(file_->append(ChunkKind::Keyframe, encoder_.encode(part), encode_summary(summary), {}));
        }
        pace_.wrote_keyframe(file_->bytes() - before);
        return {};
    }

    // After an error too: cutting back the file may have made room for index and end mark.
    [[nodiscard]] Result<> write_end() {
        const auto ended = file_->append_end(written_, lost_);
        const auto closed = file_->close();
        return ended ? closed : ended;
    }

    std::unique_ptr<ChunkFile> file_;  // the thread's, once it runs
    ColumnEncoder encoder_;            // the thread's
    // The thread's, too.
    std::vector<std::unique_ptr<StateKeeper>> keepers_;
    KeyframePace pace_;
    uint64_t written_ = 0;  // events, the thread's
    uint64_t lost_ = 0;     // events, the thread's
    bool failed_ = false;   // the thread's

    Buffer filling_;  // the caller's
    uint64_t events_ = 0;
    bool finished_ = false;

    mutable std::mutex mutex_;  // over all that follows
    std::condition_variable work_;
    std::condition_variable freed_;
    std::condition_variable idle_;
    std::deque<Job> jobs_;
    std::vector<Buffer> free_;
    bool busy_ = false;
    uint64_t bytes_ = 0;
    std::optional<Error> error_;

    std::thread thread_;
};

Writer::Writer(std::unique_ptr<Impl> impl) : impl_(std::move(impl)) {}
Writer::~Writer() = default;

Result<std::unique_ptr<Writer>> Writer::open(const std::filesystem::path& path, const Meta& meta,
                                             KeyframeOptions keyframes) {
    std::vector<std::unique_ptr<StateKeeper>> keepers;
    // The tasks come first, for those who want nothing else.
    if (keyframes.keeper) keepers.push_back(std::move(keyframes.keeper));
    if (can_replay(meta)) keepers.push_back(std::make_unique<TableKeeper>());
    auto file = TRY(ChunkFile::create(path));
    const std::string text = meta_to_json(meta);
    const ByteView payload(reinterpret_cast<const uint8_t*>(text.data()), text.size());
    if (auto written = file->append(ChunkKind::Meta, payload, {}, {}); !written) {
        file->discard();
        return tl::make_unexpected(written.error());
    }
    return std::unique_ptr<Writer>(
        new Writer(std::make_unique<Impl>(std::move(file), std::move(keepers), keyframes.least_events)));
}

Result<> Writer::add_symbols(SymbolModule module) { return impl_->add_symbols(std::move(module)); }
void Writer::consume(std::span<const Event> events) { impl_->consume(events); }
void Writer::write_out() { impl_->write_out(); }
void Writer::sync() { impl_->sync(); }
Result<> Writer::status() const { return impl_->status(); }
Result<> Writer::finish() { return impl_->finish(); }
uint64_t Writer::events() const { return impl_->events(); }
uint64_t Writer::bytes_written() const { return impl_->bytes(); }

}  // namespace forkscope::log
