// CSV and JSON Lines, and what all exports have in common: files that are whole or not there, and plain
// words.
#include <gmock/gmock.h>
#include <sys/resource.h>

#include <csignal>
#include <sstream>

#include "tests/tools/log/export/export_fixture.hpp"
#include "tools/log/export/utf8.hpp"
#include "tools/log/text/numbers.hpp"

namespace forkscope::tools {
namespace {

using ::testing::ElementsAre;
using ::testing::HasSubstr;
using ::testing::IsEmpty;

[[nodiscard]] std::vector<nlohmann::json> lines_of(const std::string& text) {
    std::vector<nlohmann::json> lines;
    std::istringstream in(text);
    for (std::string line; std::getline(in, line);) lines.push_back(nlohmann::json::parse(line));
    return lines;
}

[[nodiscard]] uint64_t address(const nlohmann::json& value) {
    return std::stoull(value.get<std::string>(), nullptr, 16);
}

TEST_F(Exports, JsonLinesHoldEveryFieldOfEveryEvent) {
    const auto lines = lines_of(exported("jsonl"));
    ASSERT_EQ(error_, "");
    ASSERT_EQ(lines.size(), guest_.events().size());
    for (size_t i = 0; i < lines.size(); ++i) {
        const log::Event& e = guest_.events()[i];
        const nlohmann::json& line = lines[i];
        EXPECT_EQ(line["event"], i);
        EXPECT_EQ(line["icount"], e.icount);
        EXPECT_EQ(line["task"], e.task);
        EXPECT_EQ(line["cpl"], e.cpl);
        EXPECT_EQ(line["level"], e.level);
        EXPECT_EQ(line["aux"], e.aux);
        EXPECT_EQ(line["flags"], e.flags);
        EXPECT_EQ(line["kind"], log::name_of(e.kind));
        EXPECT_EQ(address(line["root"]), e.root);
        EXPECT_EQ(address(line["space"]), e.space);
        EXPECT_EQ(address(line["va"]), e.va);
        EXPECT_EQ(address(line["pa"]), e.pa);
        EXPECT_EQ(address(line["a"]), e.a);
        EXPECT_EQ(address(line["b"]), e.b);
        EXPECT_EQ(address(line["rip"]), e.rip);
    }
    EXPECT_THAT(summary_, HasSubstr(fmt::format("out written: {} events, ", grouped(lines.size()))));
}

TEST_F(Exports, NamesStandBesideTheNumbers) {
    query_.kind = "pte-write";
    query_.task = "init";
    bool names_code = false;
    const auto lines = lines_of(exported("jsonl"));
    ASSERT_FALSE(lines.empty());
    for (const auto& line : lines) {
        EXPECT_EQ(line["kind"], "pte-write");
        EXPECT_EQ(line["name"], "init");
        names_code |= line["code"] == "copy_pte_range+0x3c";
    }
    EXPECT_TRUE(names_code);
    EXPECT_THAT(summary_, HasSubstr(fmt::format("{} events did not fit the filter",
                                                grouped(guest_.events().size() - lines.size()))));
}

TEST_F(Exports, TheSummaryAsJsonCounts) {
    query_.kind = "flush";
    query_.json = true;
    const size_t lines = lines_of(exported("jsonl")).size();
    const auto json = nlohmann::json::parse(summary_);
    EXPECT_EQ(json["format"], "jsonl");
    EXPECT_EQ(json["file"], (dir_ / "out").string());
    EXPECT_EQ(json["bytes"], std::filesystem::file_size(dir_ / "out"));
    EXPECT_EQ(json["events"], lines);
    EXPECT_EQ(json["filtered_out"], guest_.events().size() - lines);
    EXPECT_EQ(json["damage"], "");
}

TEST_F(Exports, CsvHasAHeadAndTheSameColumns) {
    const std::string text = exported("csv");
    EXPECT_TRUE(
        text.starts_with("event,icount,time_ns,cpu,cpl,task,name,root,kind,what,cause,level,space,va,pa,"
                         "a,b,aux,flags,rip,code,source,text\n0,"));
    EXPECT_EQ(static_cast<size_t>(std::ranges::count(text, '\n')), guest_.events().size() + 1);
}

TEST_F(Exports, AnExistingFileIsReplacedAndNothingElseIsLeft) {
    std::ofstream(dir_ / "out") << "before";
    (void)exported("csv");
    EXPECT_EQ(error_, "");
    EXPECT_THAT(other_files(), ElementsAre("out"));
    EXPECT_TRUE(content(dir_ / "out").starts_with("event,"));
}

TEST_F(Exports, BadQuestionsGetOneLine) {
    (void)exported("xml");
    EXPECT_THAT(error_, HasSubstr("'xml' is no format to export to; there are csv, jsonl"));
    query_.output = path_;
    query_.file = path_;
    query_.format = "csv";
    (void)run(log_export);
    EXPECT_THAT(error_, HasSubstr("is the log itself"));
    query_.output = path_.parent_path();
    (void)run(log_export);
    EXPECT_THAT(error_, HasSubstr("is a directory"));
    query_.output = dir_ / "no/such/out";
    (void)run(log_export);
    EXPECT_THAT(error_, HasSubstr("cannot be written: No such file or directory"));
    query_.from = "e9";
    query_.to = "e3";
    (void)run(log_export);
    EXPECT_EQ(error_, "--from e9 is after --until e3");
    EXPECT_THAT(other_files(), IsEmpty());
}

TEST_F(Exports, AFullDeviceIsSaid) {
    query_.format = "csv";
    query_.output = "/dev/full";
    (void)run(log_export);
    EXPECT_EQ(error_, "'/dev/full' could not be written: No space left on device");
}

// The size of files is limited in the place of a full disk.
class SizeLimit {
public:
    explicit SizeLimit(rlim_t bytes) : old_action_(std::signal(SIGXFSZ, SIG_IGN)) {
        getrlimit(RLIMIT_FSIZE, &old_);
        const rlimit limit{bytes, old_.rlim_max};
        setrlimit(RLIMIT_FSIZE, &limit);
    }
    ~SizeLimit() {
        setrlimit(RLIMIT_FSIZE, &old_);
        (void)std::signal(SIGXFSZ, old_action_);
    }

private:
    rlimit old_{};
    void (*old_action_)(int);
};

TEST_F(Exports, NoHalfFileIsLeftWhenThereIsNoRoom) {
    for (const char* format : {"csv", "jsonl", "sqlite", "html", "perfetto", "dot"}) {
        const SizeLimit limit(1024);
        (void)exported(format);
        EXPECT_THAT(error_,
                    ::testing::ContainsRegex(
                        "could not be written: (File too large|disk I/O error); nothing was left there$"))
            << format;
        EXPECT_THAT(other_files(), IsEmpty()) << format;
    }
}

TEST_F(Exports, ACutLogSaysSoInOneLine) {
    const std::vector<uint8_t> whole = test::read_bytes(path_);
    size_t readable = 0;
    for (size_t bytes = 40; bytes < whole.size(); bytes += 313) {
        test::write_bytes(path_, std::span(whole).first(bytes));
        if (!log::Reader::open(path_)) continue;
        ++readable;
        for (const char* format : {"csv", "jsonl", "sqlite", "html", "perfetto", "dot"}) {
            (void)exported(format);
            EXPECT_EQ(error_, "") << bytes;
            EXPECT_THAT(summary_, HasSubstr("This log is not whole: ")) << bytes;
            EXPECT_EQ(std::ranges::count(summary_, '\n'), 2) << bytes;
        }
    }
    EXPECT_GT(readable, 5u);
}

TEST(ExportText, BytesThatAreNoUtf8AreReplaced) {
    EXPECT_EQ(as_utf8("a\xc3\xa9z"), "a\xc3\xa9z");
    EXPECT_EQ(as_utf8("\xff\xfe"), "\xef\xbf\xbd\xef\xbf\xbd");
    EXPECT_EQ(as_utf8("\xc0\xaf"), "\xef\xbf\xbd\xef\xbf\xbd");  // overlong
    EXPECT_EQ(as_utf8("\xed\xa0\x80").size(), 9u);               // half of a surrogate pair
    EXPECT_EQ(as_utf8("\xf0\x9f\x90\xa7"), "\xf0\x9f\x90\xa7");
    EXPECT_EQ(as_utf8("\xf4\x90\x80\x80").size(), 12u);          // beyond U+10FFFF
    EXPECT_EQ(as_utf8("\xe2\x82"), "\xef\xbf\xbd\xef\xbf\xbd");  // cut
}

TEST(ExportText, JsonStringsSurviveAndStayInsideAScript) {
    std::string text;
    const std::string hostile = "</script><b>\"\\\n\x01\x7f\xc3\xa9";
    append_json_string(text, hostile);
    EXPECT_EQ(text.find('<'), std::string::npos);
    EXPECT_EQ(nlohmann::json::parse(text), hostile);
}

TEST(ExportText, CsvFieldsAreQuotedWhereTheyMustBe) {
    std::string text;
    append_csv_field(text, "plain");
    append_csv_field(text, "a,b");
    append_csv_field(text, "say \"x\"");
    append_csv_field(text, "two\nlines");
    EXPECT_EQ(text, "plain\"a,b\"\"say \"\"x\"\"\"\"two\nlines\"");
}

}  // namespace
}  // namespace forkscope::tools
