// `log export`: the log in a form that other programs read.
#pragma once

#include "emu/base/result.hpp"
#include "emu/log/reader.hpp"
#include "tools/log/text/output.hpp"
#include "tools/log/verbs/query.hpp"

namespace forkscope::tools {

// Prints to `out` what was written, or to standard error if the export itself goes to standard output.
[[nodiscard]] Result<> log_export(log::Reader& reader, const Query& query, Output& out);

// The formats, for help and errors: "csv, jsonl, ...".
[[nodiscard]] std::string export_formats();

}  // namespace forkscope::tools
