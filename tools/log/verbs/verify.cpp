// `log verify`: the page tables as the log alone gives them against the guest's RAM at the end of the run.
#include <sys/stat.h>

#include <cstring>
#include <fstream>

#include "emu/log/replay.hpp"
#include "tools/log/text/json.hpp"
#include "tools/log/text/numbers.hpp"
#include "tools/log/verbs/verbs.hpp"

namespace forkscope::tools {

namespace {

struct Verdict {
    uint64_t tables = 0;
    uint64_t entries = 0;  // that are not 0
    uint64_t differences = 0;
    uint64_t roots = 0;
    uint64_t contradictions = 0;
    std::vector<std::string> described;

    void differs(std::string what) {
        constexpr size_t kDescribed = 8;
        if (++differences; described.size() < kDescribed) described.push_back(std::move(what));
    }
};

Result<std::ifstream> open_ram(const std::string& path, const log::Meta& meta) {
    uint64_t expected = 0;
    for (const auto& region : meta.ram) expected = std::max(expected, region.base + region.size);
    struct stat info {};
    if (::stat(path.c_str(), &info) != 0) return fail("--ram {}: {}", path, std::strerror(errno));
    if (static_cast<uint64_t>(info.st_size) != expected)
        return fail("--ram {}: {} bytes; expected {}, as `run --save-ram` wrote for the run of this log",
                    path, info.st_size, expected);
    std::ifstream file(path, std::ios::binary);
    if (!file) return fail("--ram {}: {}", path, std::strerror(errno));
    return file;
}

void compare_table(uint64_t frame, const log::ReplayTable& table, std::ifstream& ram, Verdict& verdict) {
    std::array<uint64_t, log::kTableEntries> in_ram{};
    ram.clear();
    ram.seekg(static_cast<std::streamoff>(frame));
    ram.read(reinterpret_cast<char*>(in_ram.data()), sizeof(in_ram));
    if (!ram) return verdict.differs(fmt::format("table {:#x} is not in RAM", frame));
    ++verdict.tables;
    for (size_t index = 0; index < log::kTableEntries; ++index) {
        verdict.entries += table.entries[index] != 0;
        if (table.entries[index] == in_ram[index]) continue;
        verdict.differs(fmt::format("the entry at {:#x} holds {:#x}, the log gives {:#x}",
                                    frame + index * log::kEntryBytes, in_ram[index], table.entries[index]));
    }
}

Verdict compare(const log::Replay& replay, std::ifstream& ram) {
    Verdict verdict;
    std::set<uint64_t> frames;
    for (unsigned level = 1; level <= log::kTopLevel; ++level)
        for (const uint64_t frame : replay.tables_at(level)) frames.insert(frame);
    for (const uint64_t frame : frames) compare_table(frame, *replay.table(frame), ram, verdict);
    verdict.roots = replay.roots().size();
    verdict.contradictions = replay.report().contradictions;
    for (const std::string& line : replay.report().described) verdict.described.push_back(line);
    return verdict;
}

void print_text(const Verdict& v, log::Reader& reader, Output& out) {
    out.print("{} in {} under {}, rebuilt from the log alone: {} from guest RAM\n",
              counted(v.entries, "entry", "entries"), counted(v.tables, "page table"),
              counted(v.roots, "root"), counted(v.differences, "difference"));
    if (v.contradictions != 0)
        out.print("{} in the log itself\n", counted(v.contradictions, "contradiction"));
    for (const std::string& line : v.described) out.print("  {}\n", line);
    print_reservations(reader, out);
}

}  // namespace

Result<> log_verify(log::Reader& reader, const Query& query, Output& out) {
    TRY_VOID(require_kinds(reader, query, log::Replay::kKinds));
    if (query.ram.empty()) return fail("expected --ram FILE, which `run --save-ram FILE` makes");
    auto ram = TRY(open_ram(query.ram, reader.meta()));
    const Verdict v = compare(log::replay_all(reader), ram);
    if (query.json) {
        const Json json = {{"entries", v.entries},
                           {"tables", v.tables},
                           {"roots", v.roots},
                           {"differences", v.differences},
                           {"contradictions", v.contradictions},
                           {"described", v.described},
                           {"damage", reader.damage().describe()}};
        out.print("{}\n", json_text(json, 1));
    } else {
        print_text(v, reader, out);
    }
    if (v.differences == 0 && v.contradictions == 0) return {};
    return tl::make_unexpected(
        Error{fmt::format("'{}' and '{}' differ", query.file, query.ram), ExitStatus::CheckFailed});
}

}  // namespace forkscope::tools
