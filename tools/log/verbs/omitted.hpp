// What a list leaves out, counted exactly and said the same way by every verb.
#pragma once

#include <algorithm>

#include "tools/log/text/json.hpp"
#include "tools/log/verbs/query.hpp"

namespace forkscope::tools {

struct Omitted {
    uint64_t shown = 0;
    uint64_t by_limit = 0;
    uint64_t by_filter = 0;

    // What is left of all `events` of the log that could have been listed.
    void filtered_from(uint64_t events) { by_filter = events - std::min(events, shown + by_limit); }
    // Whether one more, that fits the filter, is to be shown; counts it either way.
    [[nodiscard]] bool take(uint64_t limit) {
        const bool takes = limit == 0 || shown < limit;
        ++(takes ? shown : by_limit);
        return takes;
    }
};

// The last members of a verb's JSON: shown, left_out, filtered_out, damage, unknown.
void add_omitted(Json& json, const Omitted& omitted, log::Reader& reader);

// The last lines of a verb's text. `one` and `many` name what is listed: "fault", "faults".
void print_omitted(const Omitted& omitted, std::string_view one, std::string_view many, const Query& query,
                   log::Reader& reader, Output& out);

}  // namespace forkscope::tools
