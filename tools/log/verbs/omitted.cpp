// The ends of lists.
#include "tools/log/verbs/omitted.hpp"

#include "tools/log/text/numbers.hpp"

namespace forkscope::tools {

void add_omitted(Json& json, const Omitted& omitted, log::Reader& reader) {
    json["shown"] = omitted.shown;
    json["left_out"] = omitted.by_limit;
    json["filtered_out"] = omitted.by_filter;
    json["damage"] = reader.damage().describe();
    json["unknown"] = reader.unknown().describe();
}

void print_omitted(const Omitted& omitted, std::string_view one, std::string_view many, const Query& query,
                   log::Reader& reader, Output& out) {
    if (omitted.shown == 0) out.print("No {} fits.\n", one);
    if (omitted.by_limit != 0)
        out.print("{} shown, {} more left out by --limit {} (--limit 0 shows all).\n",
                  counted(omitted.shown, one, many), grouped(omitted.by_limit), query.limit);
    if (omitted.by_filter != 0)
        out.print("{} did not fit the filter.\n", counted(omitted.by_filter, one, many));
    print_reservations(reader, out);
}

}  // namespace forkscope::tools
