// `log show`: the events themselves, one a line.
#include "emu/log/event_names.hpp"
#include "tools/log/text/event_text.hpp"
#include "tools/log/text/numbers.hpp"
#include "tools/log/verbs/task_follower.hpp"
#include "tools/log/verbs/verbs.hpp"

namespace forkscope::tools {

namespace {

[[nodiscard]] Style style_of(log::EventKind kind) {
    switch (kind) {
        case log::EventKind::PteWrite:
            return Style::Green;
        case log::EventKind::PageFault:
        case log::EventKind::Finding:
            return Style::Red;
        case log::EventKind::Flush:
            return Style::Magenta;
        case log::EventKind::Announce:
            return Style::Cyan;
        case log::EventKind::TlbFill:
        case log::EventKind::PteFound:
            return Style::Dim;
        default:
            return Style::Plain;
    }
}

class Lines {
public:
    Lines(Output& out, const Names& names, bool several_cpus)
        : out_(out), names_(names), several_cpus_(several_cpus) {}

    void head() {
        out_.print("{}\n",
                   out_.paint(Style::Bold, fmt::format("{:>10} {:>15} {}{:<18} {:<12} {}", "event",
                                                       "instructions", several_cpus_ ? "cpu " : "", "who",
                                                       "kind", "what, and the code that did it")));
    }

    void event(const log::Event& e, uint64_t number) {
        const std::string kind = fmt::format("{:<12}", log::name_of(e.kind));
        out_.print(
            "{:>10} {:>15} {}{:<18} {} {}  {}\n", number, grouped(e.icount),
            several_cpus_ ? fmt::format("{:>3} ", e.cpu) : "", names_.tasks.label(e),
            out_.paint(style_of(e.kind), kind), event_text(e, names_),
            out_.paint(Style::Dim, fmt::format("@ {}{}", names_.code(e), e.cpl == 3 ? " (user)" : "")));
    }

private:
    Output& out_;
    const Names& names_;
    bool several_cpus_;
};

}  // namespace

Result<> log_show(log::Reader& reader, const Query& query, Output& out) {
    const log::EventFilter filter = TRY(filter_of(query, reader));
    const analysis::Symbolizer symbols(reader.symbols());
    TaskFollower follower(reader, first_event_of(filter, reader));
    const Names names{symbols, follower.tasks()};
    Lines lines(out, names, reader.meta().cpus > 1);

    uint64_t shown = 0;
    uint64_t left_out = 0;
    if (query.json) {
        out.print("{{\"events\":[");
    } else {
        lines.head();
    }
    auto cursor = reader.events(filter);
    while (cursor.next()) {
        if (query.limit != 0 && shown == query.limit) {
            left_out = 1 + cursor.count_rest();
            break;
        }
        follower.catch_up(cursor.number());
        if (query.json) {
            out.print("{}\n{}", shown == 0 ? "" : ",",
                      json_text(event_json(cursor.event(), cursor.number(), names)));
        } else {
            lines.event(cursor.event(), cursor.number());
        }
        ++shown;
    }
    const uint64_t filtered_out = events_filtered_out(reader, shown + left_out);
    if (query.json) {
        out.print("\n],\"shown\":{},\"left_out\":{},\"filtered_out\":{},\"damage\":{},\"unknown\":{}}}\n",
                  shown, left_out, filtered_out, Json(reader.damage().describe()).dump(),
                  Json(reader.unknown().describe()).dump());
        return {};
    }
    if (shown == 0) out.print("No event fits.\n");
    if (left_out != 0)
        out.print("{} shown, {} more left out by --limit {} (--limit 0 shows all).\n",
                  counted(shown, "event"), grouped(left_out), query.limit);
    if (filtered_out != 0) out.print("{} did not fit the filter.\n", counted(filtered_out, "event"));
    print_reservations(reader, out);
    return {};
}

}  // namespace forkscope::tools
