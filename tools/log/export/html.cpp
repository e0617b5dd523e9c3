// The HTML report: one file with its style, its program and its data in it.
#include "tools/log/export/report_data.hpp"
#include "tools/log/export/report_parts.hpp"
#include "tools/log/export/utf8.hpp"

namespace forkscope::tools {

namespace {

[[nodiscard]] std::string html_text(std::string_view text) {
    std::string safe;
    for (const char c : as_utf8(text)) {
        if (c == '&') {
            safe += "&amp;";
        } else if (c == '<') {
            safe += "&lt;";
        } else if (c == '>') {
            safe += "&gt;";
        } else if (c == '"') {
            safe += "&quot;";
        } else {
            safe += c;
        }
    }
    return safe;
}

// In a script element the only thing that ends the text is "</script"; '<' stands inside strings only.
[[nodiscard]] std::string data_text(const Json& json) {
    std::string safe;
    for (const char c : json_text(json)) {
        if (c == '<') {
            safe += "\\u003c";
        } else {
            safe += c;
        }
    }
    return safe;
}

}  // namespace

Result<ExportCounts> export_html(const ExportJob& job) {
    ReportData data = TRY(gather_report(job));
    // Only what stands in this very file may be loaded or run.
    job.file.write(
        "<!DOCTYPE html>\n<html lang=\"en\">\n<head>\n<meta charset=\"utf-8\">\n"
        "<meta http-equiv=\"Content-Security-Policy\" content=\"default-src 'none'; "
        "style-src 'unsafe-inline'; script-src 'unsafe-inline'\">\n"
        "<meta name=\"viewport\" content=\"width=device-width, initial-scale=1\">\n"
        "<meta name=\"color-scheme\" content=\"light dark\">\n<title>");
    job.file.write(html_text(data.json["meta"]["file"].get<std::string>()));
    job.file.write(" - Forkscope</title>\n<style>\n");
    job.file.write(kReportCss);
    job.file.write("</style>\n</head>\n");
    job.file.write(kReportBody);
    job.file.write("<script type=\"application/json\" id=\"data\">");
    job.file.write(data_text(data.json));
    job.file.write("</script>\n<script>\n\"use strict\";\n");
    for (const std::string_view part : kReportScripts) job.file.write(part);
    job.file.write("</script>\n</body>\n</html>\n");
    return std::move(data.counts);
}

}  // namespace forkscope::tools
