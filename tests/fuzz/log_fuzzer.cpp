// Reads arbitrary files as logs and runs everything over them that reads logs. Half of the inputs are a good
// file with bytes changed; the other half change one chunk inside and put right checksums around it, for else
// a checksum would stop all damage at the door.
#include <sys/mman.h>
#include <unistd.h>

#include <cstdlib>
#include <string>

#include "emu/check/engine.hpp"
#include "emu/log/format.hpp"
#include "emu/log/reader.hpp"
#include "emu/log/replay.hpp"
#include "tests/fuzz/good_events.hpp"
#include "tests/fuzz/patched.hpp"
#include "tests/log/log_file.hpp"
#include "tools/log/analysis/event_names.hpp"
#include "tools/log/analysis/event_stats.hpp"
#include "tools/log/analysis/fault_book.hpp"
#include "tools/log/analysis/fork_tracker.hpp"
#include "tools/log/analysis/frame_history.hpp"
#include "tools/log/analysis/last_writes.hpp"
#include "tools/log/analysis/symbolizer.hpp"
#include "tools/log/analysis/syscall_book.hpp"
#include "tools/log/analysis/table_diff.hpp"
#include "tools/log/analysis/table_rows.hpp"
#include "tools/log/analysis/tlb_view.hpp"
#include "tools/log/analysis/translation_watch.hpp"
#include "tools/log/text/event_text.hpp"
#include "tools/log/text/fault_text.hpp"
#include "tools/log/text/fork_json.hpp"
#include "tools/log/text/syscall_text.hpp"

using namespace forkscope;

namespace {

struct Chunk {
    log::ChunkKind kind;
    uint16_t version;
    log::Bytes summary;
    log::Bytes payload;
};

log::SymbolModule with_lines() {
    log::SymbolModule module = test::some_symbols();
    module.files = {"mm/copy.cpp", "mm/fault.cpp"};
    module.lines = {{0xffffffff80001000, 0, 88}, {0xffffffff80001010, 1, 7}, {0xffffffff80001200, 0, 0}};
    return module;
}

std::vector<Chunk> good_chunks() {
    const std::vector<log::Event> events = test::good_events();
    log::TableKeeper tables;
    for (const log::Event& e : events) tables.apply(e, 0);
    std::vector<log::Event> state;
    tables.append_state(state);
    log::ColumnEncoder state_encoder;
    const log::ByteView state_columns = state_encoder.encode(state);
    const std::string meta = log::meta_to_json(test::some_meta());
    log::ColumnEncoder encoder;
    const log::ByteView columns = encoder.encode(events);
    return {{log::ChunkKind::Meta, 1, {}, {meta.begin(), meta.end()}},
            {log::ChunkKind::Symbols, 1, {}, log::encode_symbols(test::some_symbols())},
            {log::ChunkKind::Lines, 1, {}, log::encode_lines(with_lines())},
            {log::ChunkKind::Events,
             1,
             log::encode_summary(log::summarize(events, 0)),
             {columns.begin(), columns.end()}},
            {log::ChunkKind::Keyframe,
             1,
             log::encode_summary(log::KeyframeSummary{150, static_cast<uint32_t>(state.size()), 0, 1}),
             {state_columns.begin(), state_columns.end()}},
            {log::ChunkKind::Index, 1, {}, log::encode_index({{32, log::ChunkKind::Meta, 1, 0, 0, 0}})},
            {log::ChunkKind::End, 1, log::encode_summary(log::EndSummary{900, 6, 150, 0}), {}}};
}

std::vector<uint8_t> framed(const std::vector<Chunk>& chunks) {
    log::Bytes file = log::encode_file_header(log::kFormatVersion);
    uint64_t number = 0;
    for (const Chunk& chunk : chunks) {
        log::ChunkHead head;
        head.kind = chunk.kind;
        head.version = chunk.version;
        head.stored_bytes = head.raw_bytes = static_cast<uint32_t>(chunk.payload.size());
        head.number = number++;
        head.payload_hash = log::hash_bytes(chunk.payload);
        head.summary = chunk.summary;
        head.summary.resize(std::min<size_t>(head.summary.size(), log::kMaxSummaryBytes));
        const log::Bytes bytes = log::encode_head(head);
        file.insert(file.end(), bytes.begin(), bytes.end());
        file.insert(file.end(), chunk.payload.begin(), chunk.payload.end());
    }
    return file;
}

std::vector<uint8_t> make_file(std::span<const uint8_t> input) {
    static const std::vector<Chunk> kChunks = good_chunks();
    static const std::vector<std::vector<uint8_t>> kFiles = {framed(kChunks)};
    if (input.size() < 3) return {};
    if (input[0] % 2 == 0) return fuzz::patched(input.subspan(1), kFiles);
    std::vector<Chunk> chunks = kChunks;
    Chunk& chunk = chunks[input[1] % chunks.size()];
    log::Bytes& part = input[0] % 4 == 1 ? chunk.payload : chunk.summary;
    part = fuzz::patched(input.subspan(2), {part});
    return framed(chunks);
}

class CheckedWords final : public check::FindingListener {
public:
    explicit CheckedWords(const check::Namer& names) : names_(names) {}
    void found(check::Finding&& finding) override {
        if (told_++ < kTold && check::describe(finding, names_, check::EventNumbers::Yes).empty())
            std::abort();
    }

private:
    static constexpr unsigned kTold = 16;
    const check::Namer& names_;
    unsigned told_ = 0;
};

void read_everything(log::Reader& reader) {
    (void)reader.symbols();
    (void)reader.census();
    reader.verify();
    const analysis::Symbolizer symbols(reader.symbols());
    log::Replay replay;
    analysis::EventStats stats;
    analysis::TaskTable tasks;
    analysis::ForkTracker forks(1);
    const tools::Names names{symbols, tasks};
    const analysis::EventNames event_names(reader.symbols());
    CheckedWords findings(event_names);
    check::Engine checks(check::kEveryCheck, findings);
    // Words are slow, and a small file can hold many events.
    constexpr unsigned kTold = 16;
    unsigned told = 0;
    auto cursor = reader.events();
    while (cursor.next()) {
        const log::Event& e = cursor.event();
        tasks.apply(e, cursor.number());
        if (told++ < kTold) {
            (void)tools::event_text(e, names);
            (void)tools::json_text(tools::event_json(e, cursor.number(), names));
        }
        replay.apply(e, cursor.number());
        checks.apply(e, cursor.number());
        stats.add(e);
        forks.apply(e, cursor.number());
    }
    forks.finish();
    for (const analysis::Fork& fork : forks.forks())
        (void)tools::json_text(tools::story_json({fork, symbols, reader.meta(), 0, 0}));
    if (reader.damage().describe().find('\n') != std::string::npos) std::abort();
    log::EventFilter filter;
    filter.from_icount = 100;
    filter.from_event = 20;
    filter.va = log::VaRange{test::kUserHeap, test::kUserHeap + 0xfff};
    auto some = reader.events(filter);
    while (some.next())
        if (some.number() < 20) std::abort();
}

// What the queries are made of.
void ask_everything(log::Reader& reader) {
    analysis::FaultBook faults({}, {});
    analysis::SyscallBook calls({}, {});
    analysis::TlbView tlb;
    analysis::LastWrites writes;
    analysis::FrameHistory frame(0x105000);
    log::Replay replay;
    log::Replay before;
    analysis::TranslationWatch watch(replay, test::kUserHeap);
    constexpr uint64_t kHalf = 75;
    auto cursor = reader.events();
    while (cursor.next()) {
        const log::Event& e = cursor.event();
        const uint64_t number = cursor.number();
        faults.apply(e, number);
        calls.apply(e, number);
        tlb.apply(e, number);
        (void)frame.apply(e);
        if (e.kind == log::EventKind::PageFault) (void)writes.ask(e.pa, number);
        if (number < kHalf) before.apply(e, number);
        const bool touches = watch.touches(e);
        replay.apply(e, number);
        if (e.kind == log::EventKind::Cr3Switch) watch.set_root(e.b & ~kPageOffsetMask);
        if (touches) watch.update();
    }
    for (const uint64_t at : {uint64_t{100}, ~uint64_t{0}}) {
        const log::Replay middle = log::replay_until(reader, at);
        (void)middle.audit_hash();
    }
    while (const auto fault = faults.take(true)) (void)tools::fault_end_text(*fault);
    while (const auto call = calls.take(true)) (void)(tools::call_text(*call) + tools::result_text(*call));
    if (faults.waits() || calls.waits()) std::abort();
    writes.find(reader);
    (void)tlb.entries();
    const analysis::FrameUsers users(replay);
    // A page of tables that link each other unfolds to more rows than anybody wants to wait for.
    constexpr log::VaRange kSome{test::kUserHeap, test::kUserHeap + 0x1f'ffff};
    for (const uint64_t root : replay.roots()) (void)analysis::table_rows(replay, root, kSome, users);
    for (const auto& [root, change] : analysis::spaces_between(before, replay, {}))
        (void)analysis::diff_space(before, replay, root, change, kSome);
}

}  // namespace

extern "C" int LLVMFuzzerTestOneInput(const uint8_t* data, size_t size) {
    static const int kFile = memfd_create("log", MFD_CLOEXEC);
    static const std::string kPath = "/proc/self/fd/" + std::to_string(kFile);
    const std::vector<uint8_t> file = make_file({data, size});
    if (ftruncate(kFile, 0) != 0 ||
        pwrite(kFile, file.data(), file.size(), 0) != static_cast<ssize_t>(file.size()))
        std::abort();
    const auto reader = log::Reader::open(kPath);
    if (reader) {
        read_everything(**reader);
        ask_everything(**reader);
    } else if (reader.error().message.find('\n') != std::string::npos) {
        std::abort();
    }
    return 0;
}
