// The events up to a moment, the last ones, as lines.
#pragma once

#include <string>
#include <vector>

#include "emu/log/reader.hpp"
#include "tools/log/analysis/symbolizer.hpp"
#include "tools/panels/model/moment.hpp"

namespace forkscope::panels {

struct TailFilter {
    log::KindMask kinds = log::kKnownKinds;
    uint32_t task = 0;  // 0: of any
    uint64_t root = 0;  // that the event happened in or is about; 0: any
    bool operator==(const TailFilter&) const = default;

    [[nodiscard]] bool passes(const log::Event& e) const {
        return (log::mask_of(e.kind) & kinds) != 0 && (task == 0 || e.task == task) &&
               (root == 0 || e.root == root || e.space == root);
    }
};

struct TailLine {
    uint64_t number = 0;
    uint64_t icount = 0;
    log::EventKind kind = log::EventKind::None;
    std::string kind_name;  // of an announcement its own: "TaskCreate"
    std::string who;
    std::string text;
    std::string code;
};

struct Tail {
    std::vector<TailLine> lines;  // the oldest first
    uint64_t hidden = 0;          // events in between that do not pass
    uint64_t looked_back_to = 0;  // number of the first event that was looked at
};

inline constexpr size_t kMostTailLines = 400;

// Of the events that the moment remembers, and before them of the log's, if there is one.
[[nodiscard]] Tail tail_of(const Moment& moment, const TailFilter& filter,
                           const analysis::Symbolizer& symbols, log::Reader* reader);

[[nodiscard]] TailLine line_of(const log::Event& event, uint64_t number, const Moment& moment,
                               const analysis::Symbolizer& symbols);

}  // namespace forkscope::panels
