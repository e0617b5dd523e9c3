// What every exporter is given, and what it says afterwards.
#pragma once

#include <utility>
#include <vector>

#include "tools/log/export/output_file.hpp"
#include "tools/log/verbs/query.hpp"

namespace forkscope::tools {

struct ExportJob {
    log::Reader& reader;
    const Query& query;
    const log::EventFilter& filter;  // that the query makes
    OutputFile& file;
};

// What was written, in the order in which it is told: {"events", 1234}, {"forks", 7}.
struct ExportCount {
    const char* one;
    const char* many;
    uint64_t count = 0;
};
struct ExportCounts {
    std::vector<ExportCount> written;
    uint64_t filtered_out = 0;          // events
    std::vector<std::string> left_out;  // anything else, in words
};

[[nodiscard]] Result<ExportCounts> export_csv(const ExportJob& job);
[[nodiscard]] Result<ExportCounts> export_jsonl(const ExportJob& job);
[[nodiscard]] Result<ExportCounts> export_sqlite(const ExportJob& job);
[[nodiscard]] Result<ExportCounts> export_html(const ExportJob& job);
[[nodiscard]] Result<ExportCounts> export_perfetto(const ExportJob& job);
[[nodiscard]] Result<ExportCounts> export_dot(const ExportJob& job);

}  // namespace forkscope::tools
