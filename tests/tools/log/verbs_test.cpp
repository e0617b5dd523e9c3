// The verbs over whole log files: what they print, what they leave out and say so, and how they fail.
#include "tools/log/verbs/verbs.hpp"

#include <gmock/gmock.h>

#include <fstream>

#include "tests/tools/log/verbs_fixture.hpp"
#include "tools/log/log_command.hpp"

namespace forkscope::tools {
namespace {

using Json = nlohmann::json;
using ::testing::HasSubstr;
using ::testing::Not;

TEST_F(Verbs, StoryIsAsKept) {
    std::ifstream in(GOLDEN_DIR "/story.txt");
    const std::string kept{std::istreambuf_iterator<char>(in), std::istreambuf_iterator<char>()};
    query_.fork = "1";
    EXPECT_EQ(run(log_story), kept);
}

TEST_F(Verbs, StoryAsJsonHasTheSameNumbers) {
    const Json json = run_json(log_story);
    EXPECT_EQ(json["fork"], 1);
    EXPECT_EQ(json["flags_text"], "SIGCHLD");
    EXPECT_EQ(json["write_protected"], 8);
    EXPECT_EQ(json["entries_copied"], 8);
    EXPECT_EQ(json["tables_by_level"], Json({1, 1, 1, 1}));
    EXPECT_EQ(json["protected_ranges"].size(), 1u);
    EXPECT_EQ(json["protected_ranges"][0]["from"], "0x7f1234000000");
    EXPECT_EQ(json["protected_by"], "copy_pte_range+0x3c");
    EXPECT_EQ(json["parent"]["copies"], 1);
    EXPECT_EQ(json["parent"]["reuses"], 1);
    EXPECT_EQ(json["child"]["copies"], 2);
    EXPECT_EQ(json["child"]["exit"]["text"], "exit 7");
    EXPECT_EQ(json["child"]["reap"]["name"], "init[1]");
    ASSERT_EQ(json["breaks"].size(), 4u);
    EXPECT_EQ(json["breaks"][0]["outcome"], "copy");
    EXPECT_EQ(json["breaks"][0]["va"], "0x7f1234000008");
    EXPECT_EQ(json["breaks"][0]["code"], "main+0x10");
    EXPECT_EQ(json["breaks"][0]["invalidation"]["how"], "INVLPG");
    EXPECT_EQ(json["breaks"][3]["outcome"], "reuse");
    EXPECT_EQ(json["breaks"][3]["old_frame"], json["breaks"][3]["new_frame"]);
    EXPECT_TRUE(json["breaks"][3]["invalidation"].is_null());
    EXPECT_EQ(json["breaks_left_out"], 0);
    EXPECT_TRUE(json["notes"].empty());
}

TEST_F(Verbs, StoryCountsWhatItLeavesOut) {
    query_.limit = 1;
    EXPECT_THAT(run(log_story), HasSubstr("and 3 write faults left out by --limit 1"));
    EXPECT_EQ(run_json(log_story)["breaks_left_out"], 3);
}

TEST_F(Verbs, StoryOfAForkThatIsNotThere) {
    query_.fork = "2";
    EXPECT_EQ(run(log_story), "");
    EXPECT_EQ(error_, "there is no fork 2 in 'a.mmu', which has 1 fork");
}

TEST_F(Verbs, ForksIsOneLineEach) {
    const std::string text = run(log_forks);
    EXPECT_THAT(text, ::testing::ContainsRegex(
                          "1 +[0-9,]+ +init\\[1\\] +init\\[2\\] +fork +4 +8 +8 +1 +2=1\\+1 +2=2\\+0 "
                          "+12 KiB +SIGCHLD; exit 7\n"));
    const Json json = run_json(log_forks);
    EXPECT_EQ(json["shown"], 1);
    EXPECT_EQ(json["left_out"], 0);
    EXPECT_EQ(json["forks"][0]["child"]["name"], "init");
}

TEST_F(Verbs, ForksCanBeFiltered) {
    query_.task = "99";
    EXPECT_THAT(run(log_forks), HasSubstr("1 fork did not fit the filter"));
    query_.task = "init";
    EXPECT_EQ(run_json(log_forks)["shown"], 1);
    query_.task = "2";
    EXPECT_EQ(run_json(log_forks)["shown"], 1);
}

TEST_F(Verbs, ShowDecodesAndCountsWhatItLeavesOut) {
    query_.kind = "pte-write";
    query_.task = "1";
    query_.limit = 3;
    query_.va = "0x7f1234000000-0x7f1234007fff";
    query_.level = "1";
    const std::string text = run(log_show);
    EXPECT_THAT(text, HasSubstr("[mapped]"));
    EXPECT_THAT(text, HasSubstr("handle_mm_fault+0x10"));
    uint64_t expected = 0;
    for (const log::Event& e : guest_.events())
        expected += e.kind == log::EventKind::PteWrite && e.task == 1 && e.level == 1 && e.va >= page(0) &&
                            e.va < page(8)
                        ? 1u
                        : 0u;
    EXPECT_THAT(text, HasSubstr(fmt::format("3 events shown, {} more left out by --limit 3", expected - 3)));
    const Json json = run_json(log_show);
    EXPECT_EQ(json["events"].size(), 3u);
    EXPECT_EQ(json["left_out"], expected - 3);
    EXPECT_EQ(json["filtered_out"], guest_.events().size() - expected);
    EXPECT_EQ(json["events"][0]["change"], "mapped");
}

TEST_F(Verbs, ShowKnowsEveryKindAndGivesValidJson) {
    query_.limit = 0;
    const Json json = run_json(log_show);
    EXPECT_EQ(json["events"].size(), guest_.events().size());
    query_.json = false;
    const std::string text = run(log_show);
    for (const char* word :
         {"fork-begin: init[1] calls, SIGCHLD", "P W U A D NX -> P U A D NX", "INVLPG 0x7f1234000000",
          "error P W U (a write by user code: the page is present but read-only)", "went through after",
          "as a root, 1 reference, new", "CR3 load", "exit_group", "fork = 0x2", "0 differences",
          "exit by the guest, status 0", "root-death"})
        EXPECT_THAT(text, HasSubstr(word));
    EXPECT_THAT(text, Not(HasSubstr("\x1b[")));
    EXPECT_THAT(run(log_show, Output::Colour::Always), HasSubstr("\x1b["));
}

TEST_F(Verbs, ShowOfNothing) {
    query_.from = "1,000,000,000";
    EXPECT_THAT(run(log_show), HasSubstr("No event fits."));
    EXPECT_EQ(run_json(log_show)["shown"], 0);
}

TEST_F(Verbs, StatsProveThatTheLogIsComplete) {
    const std::string text = run(log_stats);
    EXPECT_THAT(text, HasSubstr("proved: in 2 audits"));
    EXPECT_THAT(text, HasSubstr("P W U (a write by user code"));
    const Json json = run_json(log_stats);
    EXPECT_EQ(json["completeness"]["complete"], true);
    EXPECT_EQ(json["kinds"]["fault"], 12);
    EXPECT_EQ(json["write_classes"]["made read-only"], 8);
    EXPECT_EQ(json["events"], guest_.events().size());
}

TEST_F(Verbs, StatsSayWhenAnEventIsMissing) {
    auto events = guest_.events();
    const auto lost = std::ranges::find_if(events, [](const log::Event& e) {
        return e.kind == log::EventKind::PteWrite && e.cause == log::Cause::Software && e.level == 1;
    });
    events.erase(lost);
    write_demonstration(path_, events);
    EXPECT_THAT(run(log_stats), HasSubstr("NOT complete"));
    EXPECT_EQ(run_json(log_stats)["completeness"]["complete"], false);
}

TEST_F(Verbs, StatsOfAFilterProveNothing) {
    query_.kind = "fault";
    EXPECT_THAT(run(log_stats), Not(HasSubstr("complete")));
    EXPECT_TRUE(run_json(log_stats)["completeness"].is_null());
}

TEST_F(Verbs, InfoOfAWholeAndOfACutLog) {
    EXPECT_THAT(run(log_info), HasSubstr("a.mmu: Forkscope log, "));
    const Json json = run_json(log_info);
    EXPECT_EQ(json["whole"], true);
    EXPECT_EQ(json["events"], guest_.events().size());
    EXPECT_EQ(json["meta"]["cpu_model"], "test");
    EXPECT_EQ(json["symbols"].size(), 2u);

    auto bytes = test::read_bytes(path_);
    bytes.resize(bytes.size() - 10);
    test::write_bytes(path_, bytes);
    query_.json = false;
    EXPECT_THAT(run(log_info), HasSubstr("This log is not whole: cut after chunk "));
    EXPECT_EQ(run_json(log_info)["whole"], false);
}

TEST_F(Verbs, ADamagedLogIsToldAsFarAsItGoes) {
    auto bytes = test::read_bytes(path_);
    bytes[bytes.size() / 2] ^= 0x40;
    test::write_bytes(path_, bytes);
    EXPECT_THAT(run(log_forks), HasSubstr("This log is not whole:"));
    EXPECT_EQ(error_, "");
}

TEST_F(Verbs, BadFiltersAreOneLine) {
    const auto message = [this](std::string Query::*option, const char* value) {
        query_ = Query();
        query_.*option = value;
        run(log_show);
        return error_;
    };
    EXPECT_EQ(message(&Query::from, "soon"),
              "'soon' is no moment; write instructions (1,000,000), their time without waits (1.5ms), an "
              "event (e1234), start "
              "or end");
    EXPECT_EQ(message(&Query::level, "5"), "--level 5: levels are 1 (pages) to 4 (top)");
    EXPECT_EQ(message(&Query::va, "9-3"), "the range '9-3' ends before it begins");
    EXPECT_EQ(message(&Query::task, "nobody"), "no task of this log is called 'nobody'");
    EXPECT_THAT(message(&Query::kind, "flush,foo"),
                HasSubstr("'foo' is no kind of event; there are pte-write,"));
}

TEST(Parsing, NumbersAndRanges) {
    EXPECT_EQ(*parse_number("1,000_000"), 1'000'000u);
    EXPECT_EQ(*parse_number("0xFf"), 255u);
    for (const char* bad : {"", "0x", "12x", "-1", "99999999999999999999", "0x1 "})
        EXPECT_FALSE(parse_number(bad)) << bad;
    EXPECT_EQ(parse_range("0x1234")->first, 0x1000u);
    EXPECT_EQ(parse_range("0x1234")->last, 0x1fffu);
    EXPECT_EQ(parse_range("0x10-0x20")->last, 0x20u);
}

class CommandLine : public ::testing::Test {
protected:
    // The exit status, or -1 for bad usage.
    int parse(std::vector<std::string> words) {
        CLI::App app{"", "forkscope"};
        register_log_command(app);
        std::ranges::reverse(words);
        try {
            app.parse(words);
        } catch (const CLI::RuntimeError& error) {
            return error.get_exit_code();
        } catch (const CLI::ParseError&) {
            return -1;
        }
        return 0;
    }
};

TEST_F(CommandLine, RunsVerbsAndReportsStatus) {
    test::TempDir dir;
    const std::string path = dir / "a.mmu";
    write_demonstration(path, demonstration().events());
    ::testing::internal::CaptureStdout();
    EXPECT_EQ(parse({"log", "story", path, "1", "--limit", "2"}), 0);
    EXPECT_THAT(::testing::internal::GetCapturedStdout(), HasSubstr("Fork 1: init[1] makes init[2]"));
    ::testing::internal::CaptureStdout();
    EXPECT_EQ(parse({"log", "story", "1", path}), 0);  // the other way round
    EXPECT_THAT(::testing::internal::GetCapturedStdout(), HasSubstr("Fork 1: init[1] makes init[2]"));
    ::testing::internal::CaptureStderr();
    EXPECT_EQ(parse({"log", "info", dir / "none.mmu"}), 2);
    EXPECT_THAT(::testing::internal::GetCapturedStderr(),
                ::testing::MatchesRegex("forkscope: cannot read the log '[^\n]*\n"));
    EXPECT_EQ(parse({"log", "info"}), -1);
    EXPECT_EQ(parse({"log", "tell", path}), -1);
    EXPECT_EQ(parse({"log", "story", path, "0"}), 2);
    EXPECT_EQ(parse({"log"}), -1);
}

}  // namespace
}  // namespace forkscope::tools
