// The formats, what can be asked of each, and what is said at the end.
#include "tools/log/export/export.hpp"

#include <array>

#include "emu/base/say.hpp"
#include "tools/log/export/job.hpp"
#include "tools/log/text/json.hpp"
#include "tools/log/text/numbers.hpp"

namespace forkscope::tools {

namespace {

// Options that not every format has a use for.
enum Use : unsigned {
    kTime = 1,    // --from, --until
    kWho = 2,     // --task, --root
    kEvents = 4,  // --kind, --level
    kForks = 8,   // --fork, --with
    kVa = 16,
    kMoment = 32,  // --at
};

struct Format {
    std::string_view name;
    const char* ending;  // of the file that is made when none is named; null: standard output
    unsigned uses;
    Result<ExportCounts> (*write)(const ExportJob&);
};

constexpr std::array kFormats = {
    Format{"csv", nullptr, kTime | kWho | kVa | kEvents, export_csv},
    Format{"jsonl", nullptr, kTime | kWho | kVa | kEvents, export_jsonl},
    Format{"sqlite", ".sqlite", kTime | kWho | kVa | kEvents, export_sqlite},
    Format{"html", ".html", kTime | kForks, export_html},
    Format{"perfetto", ".perfetto-trace", kTime | kWho, export_perfetto},
    Format{"dot", nullptr, kWho | kVa | kMoment, export_dot},
};

[[nodiscard]] Result<const Format*> format_named(const std::string& name) {
    for (const Format& format : kFormats)
        if (format.name == name) return &format;
    return fail("'{}' is no format to export to; there are {}", name, export_formats());
}

[[nodiscard]] Result<> refuse_useless(const Query& query, const Format& format) {
    const std::string with = query.with.empty() ? "" : query.with.front();
    const struct {
        const char* option;
        const std::string& value;
        unsigned use;
    } options[] = {
        {"--from", query.from, kTime},     {"--until", query.to, kTime},   {"--task", query.task, kWho},
        {"--root", query.root, kWho},      {"--va", query.va, kVa},        {"--kind", query.kind, kEvents},
        {"--level", query.level, kEvents}, {"--fork", query.fork, kForks}, {"--with", with, kForks},
        {"--at", query.at, kMoment},
    };
    for (const auto& option : options)
        if (!option.value.empty() && (format.uses & option.use) == 0)
            return fail("{} has no meaning with --to {}", option.option, format.name);
    return {};
}

[[nodiscard]] std::filesystem::path output_path(const Query& query, const Format& format) {
    if (!query.output.empty()) return query.output;
    if (format.ending == nullptr) return "-";
    return std::filesystem::path(query.file).replace_extension(format.ending);
}

[[nodiscard]] bool same_file(const std::filesystem::path& a, const std::filesystem::path& b) {
    std::error_code error;
    return std::filesystem::equivalent(a, b, error) && !error;
}

[[nodiscard]] Json summary_json(const Format& format, const std::filesystem::path& path, uint64_t bytes,
                                const ExportCounts& counts, log::Reader& reader) {
    Json json;
    json["format"] = format.name;
    json["file"] = path == "-" ? Json(nullptr) : Json(path.string());
    json["bytes"] = bytes;
    for (const ExportCount& count : counts.written) json[count.many] = count.count;
    json["filtered_out"] = counts.filtered_out;
    json["left_out"] = counts.left_out;
    json["damage"] = reader.damage().describe();
    json["unknown"] = reader.unknown().describe();
    return json;
}

[[nodiscard]] std::string summary_text(const std::filesystem::path& path, uint64_t bytes,
                                       const ExportCounts& counts) {
    std::string text = path == "-" ? std::string("written") : fmt::format("{} written", path.string());
    const char* separator = ": ";
    for (const ExportCount& count : counts.written) {
        text += separator + counted(count.count, count.one, count.many);
        separator = ", ";
    }
    text += fmt::format(", {}", bytes_text(bytes));
    if (counts.filtered_out != 0)
        text += fmt::format("; {} did not fit the filter", counted(counts.filtered_out, "event"));
    for (const std::string& what : counts.left_out) text += "; " + what;
    return text;
}

// One line each, to where the export itself does not go.
void print_summary(const Query& query, const Format& format, const std::filesystem::path& path,
                   uint64_t bytes, const ExportCounts& counts, log::Reader& reader, Output& out) {
    std::string text;
    if (query.json) {
        text = json_text(summary_json(format, path, bytes, counts, reader)) + "\n";
    } else {
        text = summary_text(path, bytes, counts) + "\n";
        const std::string damage = reader.damage().describe();
        if (!damage.empty()) text += fmt::format("This log is not whole: {}\n", damage);
        const std::string unknown = reader.unknown().describe();
        if (!unknown.empty()) text += fmt::format("Not all of it is known here: {}\n", unknown);
    }
    if (path == "-") {
        (void)std::fwrite(text.data(), 1, text.size(), stderr);
    } else {
        out.write(text);
    }
}

}  // namespace

std::string export_formats() {
    std::string names;
    for (const Format& format : kFormats)
        names += fmt::format("{}{}", names.empty() ? "" : ", ", format.name);
    return names;
}

Result<> log_export(log::Reader& reader, const Query& query, Output& out) {
    const Format& format = *TRY(format_named(query.format));
    TRY_VOID(refuse_useless(query, format));
    const log::EventFilter filter = TRY(filter_of(query, reader));
    const std::filesystem::path path = output_path(query, format);
    if (same_file(path, query.file))
        return fail("'{}' is the log itself; -o wants the name of another file", path.string());
    const auto file = TRY(OutputFile::create(path));
    const ExportCounts counts = TRY(format.write({reader, query, filter, *file}));
    TRY_VOID(file->commit());
    print_summary(query, format, path, file->bytes(), counts, reader, out);
    return {};
}

}  // namespace forkscope::tools
