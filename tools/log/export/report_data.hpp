// What the HTML report shows, gathered from the log into one bounded piece of JSON.
#pragma once

#include "tools/log/export/job.hpp"
#include "tools/log/text/json.hpp"

namespace forkscope::tools {

struct ReportData {
    Json json;
    ExportCounts counts;
};

[[nodiscard]] Result<ReportData> gather_report(const ExportJob& job);

}  // namespace forkscope::tools
