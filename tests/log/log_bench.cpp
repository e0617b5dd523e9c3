// What a log costs: events written and read in a second, bytes an event, on a realistic stream.
#include <benchmark/benchmark.h>

#include <filesystem>

#include "emu/log/columns.hpp"
#include "emu/log/reader.hpp"
#include "emu/log/replay.hpp"
#include "emu/log/writer.hpp"
#include "tests/log/busy_guest.hpp"
#include "tools/log/analysis/event_stats.hpp"
#include "tools/log/analysis/fork_tracker.hpp"

namespace forkscope {
namespace {

constexpr uint64_t kEvents = 1'000'000;

const std::vector<log::Event>& stream() {
    static const std::vector<log::Event> kStream = [] {
        std::vector<log::Event> events;
        events.reserve(kEvents + 100'000);
        test::make_busy_stream(kEvents, 1, [&](const log::Event& e) { events.push_back(e); });
        return events;
    }();
    return kStream;
}

std::string path() { return (std::filesystem::temp_directory_path() / "forkscope-log-bench.mmu").string(); }

void write_stream() {
    auto writer = log::Writer::open(path(), {});
    for (size_t at = 0; at < stream().size(); at += 16384)
        (*writer)->consume(std::span(stream()).subspan(at, std::min<size_t>(16384, stream().size() - at)));
    if (!(*writer)->finish()) std::abort();
}

void count_events(benchmark::State& state) {
    state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(stream().size()));
    state.counters["bytes/event"] =
        static_cast<double>(std::filesystem::file_size(path())) / static_cast<double>(stream().size());
}

// Both threads: how fast a recording can go on.
void Write(benchmark::State& state) {
    (void)stream();  // making it is not measured
    for (auto _ : state) write_stream();
    count_events(state);
}
BENCHMARK(Write)->UseRealTime()->Unit(benchmark::kMillisecond);

// What the machine's own thread pays while the other one keeps up.
void Encode(benchmark::State& state) {
    log::ColumnEncoder encoder;
    size_t bytes = 0;
    for (auto _ : state) {
        bytes = 0;
        for (size_t at = 0; at < stream().size(); at += 32768)
            bytes +=
                encoder.encode(std::span(stream()).subspan(at, std::min<size_t>(32768, stream().size() - at)))
                    .size();
    }
    state.SetItemsProcessed(state.iterations() * static_cast<int64_t>(stream().size()));
    state.counters["raw bytes/event"] = static_cast<double>(bytes) / static_cast<double>(stream().size());
}
BENCHMARK(Encode)->Unit(benchmark::kMillisecond);

void read_with(benchmark::State& state, const log::EventFilter& filter) {
    write_stream();
    for (auto _ : state) {
        auto reader = log::Reader::open(path());
        uint64_t sum = 0;
        auto cursor = (*reader)->events(filter);
        while (cursor.next()) sum += cursor.event().va;
        benchmark::DoNotOptimize(sum);
    }
    count_events(state);
}

void ReadAll(benchmark::State& state) { read_with(state, {}); }
BENCHMARK(ReadAll)->Unit(benchmark::kMillisecond);

void ReadTableEvents(benchmark::State& state) { read_with(state, {.kinds = log::Replay::kKinds}); }
BENCHMARK(ReadTableEvents)->Unit(benchmark::kMillisecond);

void ReplayTables(benchmark::State& state) {
    write_stream();
    for (auto _ : state) {
        auto reader = log::Reader::open(path());
        const log::Replay replay = log::replay_until(**reader);
        benchmark::DoNotOptimize(replay.roots().size());
    }
    count_events(state);
}
BENCHMARK(ReplayTables)->Unit(benchmark::kMillisecond);

// What `log stats` does with every event, and `log forks` with those that it looks at.
void Stats(benchmark::State& state) {
    write_stream();
    for (auto _ : state) {
        auto reader = log::Reader::open(path());
        analysis::EventStats stats;
        log::Replay replay;
        auto cursor = (*reader)->events();
        while (cursor.next()) {
            stats.add(cursor.event());
            replay.apply(cursor.event(), cursor.number());
        }
        benchmark::DoNotOptimize(stats.events);
    }
    count_events(state);
}
BENCHMARK(Stats)->Unit(benchmark::kMillisecond);

void Forks(benchmark::State& state) {
    write_stream();
    for (auto _ : state) {
        auto reader = log::Reader::open(path());
        analysis::ForkTracker tracker;
        auto cursor = (*reader)->events({.kinds = analysis::ForkTracker::kKinds});
        while (cursor.next()) tracker.apply(cursor.event(), cursor.number());
        tracker.finish();
        benchmark::DoNotOptimize(tracker.forks().size());
    }
    count_events(state);
}
BENCHMARK(Forks)->Unit(benchmark::kMillisecond);

}  // namespace
}  // namespace forkscope

BENCHMARK_MAIN();
