// `log forks`: one line a fork.
#include "tools/log/analysis/fork_tracker.hpp"
#include "tools/log/text/fork_json.hpp"
#include "tools/log/text/fork_text.hpp"
#include "tools/log/text/numbers.hpp"
#include "tools/log/verbs/fork_filter.hpp"
#include "tools/log/verbs/verbs.hpp"

namespace forkscope::tools {

using analysis::Fork;

Result<> log_forks(log::Reader& reader, const Query& query, Output& out) {
    const log::EventFilter filter = TRY(filter_of(query, reader));
    TRY_VOID(require_kinds(reader, query, analysis::ForkTracker::kKinds));
    analysis::ForkTracker tracker;
    auto cursor = reader.events({.kinds = analysis::ForkTracker::kKinds});
    while (cursor.next()) tracker.apply(cursor.event(), cursor.number());
    tracker.finish();

    uint64_t shown = 0;
    uint64_t left_out = 0;
    uint64_t filtered = 0;
    if (query.json) {
        out.print("{{\"forks\":[");
    } else {
        out.print("{}\n", out.paint(Style::Bold, fork_line_head()));
    }
    for (const Fork& fork : tracker.forks()) {
        if (!fork_fits(fork, filter)) {
            ++filtered;
            continue;
        }
        if (query.limit != 0 && shown == query.limit) {
            ++left_out;
            continue;
        }
        if (query.json) {
            out.print("{}\n{}", shown == 0 ? "" : ",", json_text(fork_json(fork)));
        } else {
            out.print("{}\n", fork_line(fork));
        }
        ++shown;
    }
    if (query.json) {
        out.print("\n],\"shown\":{},\"left_out\":{},\"filtered_out\":{},\"damage\":{},\"unknown\":{}}}\n",
                  shown, left_out, filtered, Json(reader.damage().describe()).dump(),
                  Json(reader.unknown().describe()).dump());
        return {};
    }
    if (tracker.forks().empty()) out.print("No fork, vfork or clone in this log.\n");
    if (filtered != 0) out.print("{} did not fit the filter.\n", counted(filtered, "fork"));
    if (left_out != 0)
        out.print("{} more left out by --limit {} (--limit 0 shows all).\n", counted(left_out, "fork"),
                  query.limit);
    if (shown != 0)
        out.print("{}\n", out.paint(Style::Dim,
                                    "prot: parent's entries made read-only; faults: copies+reuses of "
                                    "write faults afterwards. `forkscope log story F.mmu N` tells one."));
    print_reservations(reader, out);
    return {};
}

}  // namespace forkscope::tools
