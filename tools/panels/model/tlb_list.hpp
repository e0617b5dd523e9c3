// What the TLB could hold at a moment, as rows; stale ones first.
#pragma once

#include <array>
#include <string>
#include <vector>

#include "tools/log/analysis/tlb_rows.hpp"
#include "tools/panels/model/moment.hpp"

namespace forkscope::panels {

struct TlbLine {
    analysis::TlbRow row;
    std::string pages;   // "7ffff7ebf000 – 7ffff7efefff"
    std::string target;  // "64 pages → 1c4000"
    std::string bits;
    std::string space;   // "forkscope-demo[1]", "global"
    std::string tables;  // what the tables say now, if that is something else
};

struct TlbList {
    std::vector<TlbLine> lines;
    std::array<uint64_t, 3> by_agreement{};  // translations, by analysis::Agreement
    analysis::TlbView::Counts counts;        // since the first event
};

[[nodiscard]] TlbList tlb_at(const Moment& moment);

}  // namespace forkscope::panels
