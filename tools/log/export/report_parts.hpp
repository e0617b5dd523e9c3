// The parts of the HTML report that are the same for every log: the files of report/, put in by the build.
#pragma once

#include <span>
#include <string_view>

namespace forkscope::tools {

extern const std::string_view kReportCss;
extern const std::string_view kReportBody;
extern const std::span<const std::string_view> kReportScripts;

}  // namespace forkscope::tools
