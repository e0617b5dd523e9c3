// Findings in words.
#include "emu/check/finding.hpp"

#include <fmt/format.h>

namespace forkscope::check {

CodePoint code_point(const log::Event& event, uint64_t number) {
    const bool earlier = event.kind == log::EventKind::PteFound && (event.flags & log::kWriterKnown) != 0;
    return {.number = number,
            .icount = earlier ? event.a : event.icount,
            .rip = event.rip,
            .va = event.va,
            .pa = event.pa,
            .root = event.root,
            .task = event.task,
            .cpl = event.cpl,
            .level = event.level};
}

namespace {

std::string when(uint64_t icount, uint64_t number, EventNumbers numbers) {
    return numbers == EventNumbers::Yes ? fmt::format("event {}, instruction {}", number, icount)
                                        : fmt::format("instruction {}", icount);
}

}  // namespace

std::string describe(const Finding& finding, const Namer& names, EventNumbers numbers) {
    const log::Event& noticed = finding.event;
    const std::string there = names.code(noticed.rip, noticed.cpl, noticed.task);
    if (!finding.culprit)
        return fmt::format("{} (who did it is not known): {}; noticed at {} ({})", log::name_of(finding.what),
                           finding.expected, there, when(noticed.icount, finding.number, numbers));
    const CodePoint& by = *finding.culprit;
    const std::string code = by.rip != 0 ? names.code(by.rip, by.cpl, by.task) : "code that is not told";
    std::string line =
        fmt::format("{} at {} by {} ({}): {}", log::name_of(finding.what), code, names.task(by.task, by.root),
                    when(by.icount, by.number, numbers), finding.expected);
    if (by.number != finding.number)
        line += fmt::format("; noticed at {} ({})", there, when(noticed.icount, finding.number, numbers));
    return line;
}

Result<CheckSet> parse_checks(std::string_view list) {
    CheckSet set = 0;
    for (size_t from = 0; from <= list.size();) {
        const size_t to = std::min(list.find(',', from), list.size());
        const std::string_view word = list.substr(from, to - from);
        CheckSet one = word == "all" ? kMistakes : word == "every" ? kEveryCheck : 0;
        std::string known = "all, every";
        for (unsigned n = 1; n < log::kFindingCount; ++n) {
            const auto what = static_cast<log::Finding>(n);
            if (word == log::name_of(what)) one |= set_of(what);
            known += fmt::format(", {}", log::name_of(what));
        }
        if (one == 0) return fail("'{}' is no check; expected one or more of: {}", word, known);
        set |= one;
        from = to + 1;
    }
    return set;
}

}  // namespace forkscope::check
