// `log story`: one fork, from the call to the last write.
#include "tools/log/analysis/fork_tracker.hpp"
#include "tools/log/text/fork_json.hpp"
#include "tools/log/text/fork_text.hpp"
#include "tools/log/text/numbers.hpp"
#include "tools/log/verbs/verbs.hpp"

namespace forkscope::tools {

namespace {

using analysis::Fork;
using analysis::ForkTracker;

void track(log::Reader& reader, ForkTracker& tracker) {
    auto cursor = reader.events({.kinds = ForkTracker::kKinds});
    while (cursor.next()) tracker.apply(cursor.event(), cursor.number());
    tracker.finish();
}

// The fork with the most write faults: the one that shows most.
[[nodiscard]] uint64_t most_telling(const std::vector<Fork>& forks) {
    uint64_t best = 1;
    uint64_t most = 0;
    for (const Fork& fork : forks) {
        const uint64_t faults = fork.parent.faults + fork.child.faults;
        if (faults <= most) continue;
        best = fork.number;
        most = faults;
    }
    return best;
}

}  // namespace

Result<> log_story(log::Reader& reader, const Query& query, Output& out) {
    TRY_VOID(require_kinds(reader, query, ForkTracker::kKinds));
    uint64_t number = 0;
    if (!query.fork.empty()) {
        number = TRY(parse_number(query.fork));
        if (number == 0) return fail("forks are numbered from 1, as `forkscope log forks` shows them");
    } else {
        ForkTracker all;
        track(reader, all);
        if (all.forks().empty()) return fail("no fork, vfork or clone in '{}'", query.file);
        number = most_telling(all.forks());
        if (!query.json && all.forks().size() > 1)
            out.print("{}\n\n",
                      out.paint(Style::Dim, fmt::format("Fork {} of {}, the one with the most write faults. "
                                                        "`forkscope log story {} N` tells another.",
                                                        number, all.forks().size(), query.file)));
    }
    ForkTracker tracker(number);
    track(reader, tracker);
    if (number > tracker.forks().size())
        return fail("there is no fork {} in '{}', which has {}", number, query.file,
                    counted(tracker.forks().size(), "fork"));

    const analysis::Symbolizer symbols(reader.symbols());
    const StoryView view{tracker.forks()[number - 1], symbols, reader.meta(), reader.census().last_icount,
                         query.limit};
    if (query.json) {
        Json json = story_json(view);
        json["damage"] = reader.damage().describe();
        json["unknown"] = reader.unknown().describe();
        out.print("{}\n", json_text(json, 1));
        return {};
    }
    print_story(view, out);
    print_reservations(reader, out);
    return {};
}

}  // namespace forkscope::tools
