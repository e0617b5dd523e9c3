// A log in a temporary file, and helpers to write and read one whole.
#pragma once

#include <cstdint>
#include <filesystem>
#include <span>
#include <string>
#include <vector>

#include "emu/log/event.hpp"
#include "emu/log/event_filter.hpp"
#include "emu/log/meta.hpp"
#include "emu/log/reader.hpp"

namespace forkscope::test {

// A directory that is removed with everything in it.
class TempDir {
public:
    TempDir();
    ~TempDir();
    TempDir(const TempDir&) = delete;
    TempDir& operator=(const TempDir&) = delete;
    [[nodiscard]] std::filesystem::path operator/(const std::string& name) const { return path_ / name; }

private:
    std::filesystem::path path_;
};

[[nodiscard]] log::Meta some_meta();
[[nodiscard]] log::SymbolModule some_symbols();

// Writes meta, symbols and the events; a chunk ends after every `chunk` events if it is not 0.
void write_log(const std::filesystem::path& path, std::span<const log::Event> events, size_t chunk = 0);

struct ReadBack {
    std::vector<log::Event> events;
    std::vector<uint64_t> numbers;
};
[[nodiscard]] ReadBack read_all(log::Reader& reader, const log::EventFilter& filter = {});

[[nodiscard]] std::vector<uint8_t> read_bytes(const std::filesystem::path& path);
void write_bytes(const std::filesystem::path& path, std::span<const uint8_t> bytes);

// Equal bit for bit.
[[nodiscard]] bool same(std::span<const log::Event> a, std::span<const log::Event> b);

// Events of kinds that every reader knows, with any values in all fields; counts up from icount.
[[nodiscard]] std::vector<log::Event> random_events(size_t count, uint64_t seed);

}  // namespace forkscope::test
