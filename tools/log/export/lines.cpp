// CSV and JSON Lines: an event a line, with the same columns.
#include <array>
#include <charconv>

#include "tools/log/export/event_row.hpp"
#include "tools/log/export/job.hpp"
#include "tools/log/export/progress.hpp"
#include "tools/log/export/utf8.hpp"
#include "tools/log/text/decode.hpp"
#include "tools/log/text/event_text.hpp"
#include "tools/log/verbs/task_follower.hpp"

namespace forkscope::tools {

namespace {

void append_digits(std::string& to, uint64_t value, int base) {
    std::array<char, 20> digits;
    const auto end = std::to_chars(digits.data(), digits.data() + digits.size(), value, base).ptr;
    to.append(digits.data(), end);
}

// RFC 4180, with the line ends of Unix.
class CsvLine {
public:
    explicit CsvLine(std::string& to) : to_(to) {}

    static void head(std::string& to) {
        for (const Column& column : kEventColumns) {
            if (&column != kEventColumns.data()) to += ',';
            to += column.name;
        }
        to += '\n';
    }
    void number(uint64_t value) {
        comma();
        append_digits(to_, value, 10);
    }
    void address(uint64_t value) {
        comma();
        to_ += "0x";
        append_digits(to_, value, 16);
    }
    void text(std::string_view value) {
        comma();
        append_csv_field(to_, value);
    }
    void end() { to_ += '\n'; }

private:
    void comma() {
        if (!first_) to_ += ',';
        first_ = false;
    }
    std::string& to_;
    bool first_ = true;
};

// https://jsonlines.org: an object a line.
class JsonLine {
public:
    explicit JsonLine(std::string& to) : to_(to) {}

    static void head(std::string& /*to*/) {}
    void number(uint64_t value) {
        name();
        append_digits(to_, value, 10);
    }
    // As everywhere in our JSON: numbers are not exact beyond 2^53.
    void address(uint64_t value) {
        name();
        to_ += "\"0x";
        append_digits(to_, value, 16);
        to_ += '"';
    }
    void text(std::string_view value) {
        name();
        append_json_string(to_, value);
    }
    void end() { to_ += "}\n"; }

private:
    void name() {
        to_ += column_ == 0 ? "{\"" : ",\"";
        to_ += kEventColumns[column_].name;
        to_ += "\":";
        ++column_;
    }
    std::string& to_;
    size_t column_ = 0;
};

template <typename Line>
Result<ExportCounts> export_lines(const ExportJob& job) {
    log::Reader& reader = job.reader;
    const analysis::Symbolizer symbols(reader.symbols());
    TaskFollower follower(reader, first_event_of(job.filter, reader));
    const Names names{symbols, follower.tasks()};
    CodeNames codes(symbols);
    Progress progress("exporting", reader.event_count());

    uint64_t written = 0;
    Line::head(job.file.buffer());
    auto cursor = reader.events(job.filter);
    EventRow row;
    while (cursor.next() && !job.file.failed()) {
        progress.at(cursor.number());
        follower.catch_up(cursor.number());
        const log::Event& e = cursor.event();
        const auto task = follower.tasks().find(e.task);
        row.event = &e;
        row.number = cursor.number();
        row.task_name = task ? std::string_view(follower.tasks().all()[*task].name) : std::string_view();
        row.what = what_of(e);
        row.code = &codes.of(e.rip, e.cpl, e.cpl == 3 ? follower.tasks().program_of(e) : "");
        row.text = event_text(e, names);
        Line line(job.file.buffer());
        visit_columns(row, time_ns_of(e.icount, reader.meta()), cause_text(e.cause), line);
        line.end();
        job.file.drain_if_full();
        ++written;
    }
    return ExportCounts{{{"event", "events", written}}, events_filtered_out(reader, written), {}};
}

}  // namespace

Result<ExportCounts> export_csv(const ExportJob& job) { return export_lines<CsvLine>(job); }
Result<ExportCounts> export_jsonl(const ExportJob& job) { return export_lines<JsonLine>(job); }

}  // namespace forkscope::tools
