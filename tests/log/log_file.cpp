// Helpers of the tests that work on log files.
#include "tests/log/log_file.hpp"

#include <gtest/gtest.h>
#include <unistd.h>

#include <cstring>
#include <fstream>
#include <random>

#include "emu/log/writer.hpp"

namespace forkscope::test {

TempDir::TempDir() {
    std::string name = (std::filesystem::temp_directory_path() / "forkscope-XXXXXX").string();
    if (mkdtemp(name.data()) == nullptr) throw std::runtime_error("no temporary directory");
    path_ = name;
}

TempDir::~TempDir() { std::filesystem::remove_all(path_); }

log::Meta some_meta() {
    log::Meta meta;
    meta.program_version = "0.1";
    meta.cpu_model = "test";
    meta.ram_bytes = 256 << 20;
    meta.ram = {{0, 0xa0000}, {0x100000, 0xff00000}};
    meta.kernel = "kernel.elf";
    meta.command_line = "console=ttyS0 \"quoted\"";
    meta.instructions_per_second = 1'000'000'000;
    meta.options = {{"audit", "on"}};
    return meta;
}

log::SymbolModule some_symbols() {
    log::SymbolModule module;
    module.name = "kernel";
    module.path = "kernel.elf";
    module.symbols = {{0xffffffff80000000, 16, "_start"}, {0xffffffff80001000, 0x200, "copy_pte_range"}};
    return module;
}

void write_log(const std::filesystem::path& path, std::span<const log::Event> events, size_t chunk) {
    auto writer = log::Writer::open(path, some_meta());
    ASSERT_TRUE(writer) << writer.error().message;
    ASSERT_TRUE((*writer)->add_symbols(some_symbols()));
    while (!events.empty()) {
        const size_t n = chunk == 0 ? events.size() : std::min(chunk, events.size());
        (*writer)->consume(events.first(n));
        if (chunk != 0) (*writer)->sync();
        events = events.subspan(n);
    }
    const auto finished = (*writer)->finish();
    ASSERT_TRUE(finished) << finished.error().message;
}

ReadBack read_all(log::Reader& reader, const log::EventFilter& filter) {
    ReadBack result;
    auto cursor = reader.events(filter);
    while (cursor.next()) {
        result.events.push_back(cursor.event());
        result.numbers.push_back(cursor.number());
    }
    return result;
}

std::vector<uint8_t> read_bytes(const std::filesystem::path& path) {
    std::ifstream in(path, std::ios::binary);
    return {std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
}

void write_bytes(const std::filesystem::path& path, std::span<const uint8_t> bytes) {
    std::ofstream out(path, std::ios::binary | std::ios::trunc);
    out.write(reinterpret_cast<const char*>(bytes.data()), static_cast<std::streamsize>(bytes.size()));
}

bool same(std::span<const log::Event> a, std::span<const log::Event> b) {
    return a.size() == b.size() && (a.empty() || std::memcmp(a.data(), b.data(), a.size_bytes()) == 0);
}

std::vector<log::Event> random_events(size_t count, uint64_t seed) {
    std::mt19937_64 random(seed);
    std::vector<log::Event> events(count);
    uint64_t icount = random() % 1000;
    for (log::Event& e : events) {
        uint64_t words[sizeof(log::Event) / 8];
        for (uint64_t& word : words) {
            word = random();
            // Small, huge and repeated values all turn up.
            if (random() % 3 == 0) word >>= random() % 64;
            if (random() % 4 == 0) word = 0;
        }
        std::memcpy(static_cast<void*>(&e), words, sizeof(e));
        e.kind = static_cast<log::EventKind>(1 + random() % (log::kEventKindCount - 1));
        icount += random() % 100;
        e.icount = icount;
    }
    return events;
}

}  // namespace forkscope::test
