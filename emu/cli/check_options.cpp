#include "emu/cli/check_options.hpp"

#include <algorithm>
#include <filesystem>
#include <string_view>

#include "emu/log/event_names.hpp"

namespace forkscope::cli {

Result<log::KindMask> parse_events(const std::string& list) {
    if (list.empty()) return log::kKnownKinds;
    log::KindMask kinds = 0;
    for (size_t from = 0; from <= list.size();) {
        const size_t to = std::min(list.find(',', from), list.size());
        const std::string word = list.substr(from, to - from);
        const auto kind = log::kind_named(word);
        if (!kind) {
            std::string known;
            for (size_t n = 1; n < log::kKindNames.size(); ++n)
                known += fmt::format("{}{}", known.empty() ? "" : ", ", log::kKindNames[n]);
            return fail("--events {}: '{}' is unknown; there are: {}", list, word, known);
        }
        kinds |= log::mask_of(*kind);
        from = to + 1;
    }
    return kinds;
}

Result<check::CheckSet> parse_check_option(const std::string& list) {
    if (list.empty()) return check::CheckSet{0};
    const auto set = check::parse_checks(list);
    if (!set) return fail("--check {}: {}", list, set.error().message);
    return *set;
}

namespace {

// One file for two purposes would be spoilt.
Result<void> check_files_differ(const RunOptions& options) {
    const auto file_of = [](const std::string& where) {
        constexpr std::string_view kFile = "file:";
        return where.starts_with(kFile) ? where.substr(kFile.size()) : "";
    };
    const struct {
        const char* option;
        std::string path;
        bool written;
    } files[] = {
        {"-bios", options.bios, false},
        {"-kernel", options.kernel, false},
        {"-initrd", options.initrd, false},
        {"--record", options.record, true},
        {"--save-ram", options.save_ram, true},
        {"--screenshot", options.screenshot, true},
        {"-D", options.trace_file, true},
        {"-serial", file_of(options.serial), true},
        {"-debugcon", file_of(options.debug_console), true},
    };
    const auto same = [](const std::string& a, const std::string& b) {
        std::error_code error;
        // Devices, such as /dev/null, take any number of users.
        if (std::filesystem::exists(a, error) && !std::filesystem::is_regular_file(a, error)) return false;
        return std::filesystem::weakly_canonical(a, error) == std::filesystem::weakly_canonical(b, error) ||
               std::filesystem::equivalent(a, b, error);
    };
    for (const auto& a : files) {
        for (const auto& b : files) {
            if (&a >= &b || a.path.empty() || b.path.empty() || !(a.written || b.written)) continue;
            if (same(a.path, b.path))
                return fail("{} {}: the same file as {}; expected another", b.option, b.path, a.option);
        }
    }
    return {};
}

}  // namespace

Result<void> check_options(const RunOptions& options) {
    constexpr uint64_t kMostRam = 32 * kGiB;
    constexpr double kLongestRun = 1e9;  // virtual seconds
    if (options.ram_bytes > kMostRam)
        return fail("-m {}M: expected at most {}G", options.ram_bytes / kMiB, kMostRam / kGiB);
    if (options.record.empty() && !options.events.empty())
        return fail("--events: expected --record FILE too");
    if (options.fast && !options.check.empty())
        return fail("--check {}: with --fast nobody sees the returns to user mode; expected no --fast",
                    options.check);
    if (options.trace.empty() && !options.trace_file.empty()) return fail("-D: expected -d ITEMS too");
    if (!(options.exit_after_seconds >= 0 && options.exit_after_seconds <= kLongestRun))
        return fail("--exit-after: expected a number of seconds from 0 (never) to {:.0f}", kLongestRun);
    return check_files_differ(options);
}

}  // namespace forkscope::cli
