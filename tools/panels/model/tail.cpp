// Going backwards until enough events are found.
#include "tools/panels/model/tail.hpp"

#include <algorithm>
#include <deque>

#include "tools/log/text/decode.hpp"
#include "tools/log/text/event_text.hpp"

namespace forkscope::panels {

TailLine line_of(const log::Event& e, uint64_t number, const Moment& moment,
                 const analysis::Symbolizer& symbols) {
    const tools::Names names{symbols, moment.tasks()};
    TailLine line;
    line.number = number;
    line.icount = e.icount;
    line.kind = e.kind;
    line.kind_name = log::name_of(e.kind);
    line.text = tools::event_text(e, names);
    if (e.kind == log::EventKind::Announce) {
        line.kind_name = tools::announcement_name(e.aux);
        const size_t colon = line.text.find(": ");
        if (colon != std::string::npos && line.text.starts_with(line.kind_name))
            line.text.erase(0, colon + 2);
    }
    line.who = moment.tasks().label(e);
    // What the guest announces, it announces from one place.
    line.code = e.rip == 0 || e.kind == log::EventKind::Announce ? "" : names.code(e);
    return line;
}

namespace {

// Events of the log before number `end`, the latest that pass, the last one first. Looks back so far as it
// is quick.
void look_back(log::Reader& reader, uint64_t end, const TailFilter& filter, size_t wanted,
               std::vector<NumberedEvent>& found, Tail& tail) {
    constexpr uint64_t kFurthest = 2'000'000;  // events
    const uint64_t limit = end - std::min(end, kFurthest);
    for (uint64_t span = 65'536; end > limit && found.size() < wanted; span *= 4) {
        const uint64_t begin = std::max(limit, end - std::min(end, span));
        std::deque<NumberedEvent> last;
        log::EventFilter query{.from_event = begin, .to_event = end - 1, .kinds = filter.kinds};
        if (filter.task != 0) query.tasks = {filter.task};
        if (filter.root != 0) query.root = filter.root;
        auto cursor = reader.events(query);
        while (cursor.next()) {
            last.push_back({cursor.number(), cursor.event()});
            if (last.size() > wanted - found.size()) last.pop_front();
        }
        found.insert(found.end(), last.rbegin(), last.rend());
        end = begin;
    }
    tail.looked_back_to = end;
}

}  // namespace

Tail tail_of(const Moment& moment, const TailFilter& filter, const analysis::Symbolizer& symbols,
             log::Reader* reader) {
    Tail tail;
    const RecentEvents& recent = moment.recent();
    std::vector<NumberedEvent> found;
    uint64_t first = moment.next_event();
    for (size_t i = recent.size(); i > 0 && found.size() < kMostTailLines; --i) {
        const NumberedEvent& one = recent.at(i - 1);
        first = one.number;
        if (filter.passes(one.event)) found.push_back(one);
    }
    tail.looked_back_to = first;
    if (reader != nullptr && found.size() < kMostTailLines && first != 0)
        look_back(*reader, first, filter, kMostTailLines, found, tail);
    if (found.size() == kMostTailLines) tail.looked_back_to = found.back().number;
    for (auto one = found.rbegin(); one != found.rend(); ++one)
        tail.lines.push_back(line_of(one->event, one->number, moment, symbols));
    tail.hidden = moment.next_event() - tail.looked_back_to -
                  std::min<uint64_t>(tail.lines.size(), moment.next_event() - tail.looked_back_to);
    return tail;
}

}  // namespace forkscope::panels
