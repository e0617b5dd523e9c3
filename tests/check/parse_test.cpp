// Names of checks, and findings in words.
#include <gtest/gtest.h>

#include "emu/check/finding.hpp"

namespace forkscope::check {
namespace {

class PlainNames final : public Namer {
public:
    [[nodiscard]] std::string code(uint64_t rip, unsigned, uint32_t) const override {
        return fmt::format("code_{}", rip);
    }
    [[nodiscard]] std::string task(uint32_t tid, uint64_t) const override {
        return fmt::format("task {}", tid);
    }
};

TEST(ParseChecks, NamesAndGroups) {
    EXPECT_EQ(parse_checks("stale-tlb").value(), set_of(log::Finding::StaleTlbUser));
    EXPECT_EQ(parse_checks("lost-dirty,refcount").value(),
              set_of(log::Finding::LostDirty) | set_of(log::Finding::Refcount));
    EXPECT_EQ(parse_checks("all").value(), kMistakes);
    EXPECT_EQ(parse_checks("all,stale-kernel,redundant-flush").value(), kEveryCheck);
    EXPECT_EQ(parse_checks("every").value(), kEveryCheck);
}

TEST(ParseChecks, SaysWhatThereIs) {
    for (const char* wrong : {"", "stale", "none", "all,", ",all", "stale-tlb refcount"}) {
        const auto parsed = parse_checks(wrong);
        ASSERT_FALSE(parsed.has_value()) << wrong;
        EXPECT_NE(parsed.error().message.find("stale-tlb, stale-kernel, redundant-flush"), std::string::npos);
        EXPECT_EQ(parsed.error().status, ExitStatus::BadInput);
    }
}

TEST(Describe, NamesCulpritTaskAndPlace) {
    Finding finding;
    finding.what = log::Finding::WritableTwice;
    finding.event.icount = 200;
    finding.event.rip = 9;
    finding.number = 20;
    finding.expected = "what is and what should be";
    finding.culprit = CodePoint{.number = 10, .icount = 100, .rip = 5, .task = 3};
    EXPECT_EQ(describe(finding, PlainNames(), EventNumbers::Yes),
              "writable-twice at code_5 by task 3 (event 10, instruction 100): what is and what should be; "
              "noticed at "
              "code_9 (event 20, instruction 200)");
    EXPECT_EQ(
        describe(finding, PlainNames(), EventNumbers::No),
        "writable-twice at code_5 by task 3 (instruction 100): what is and what should be; noticed at code_9 "
        "(instruction 200)");
    finding.culprit->number = 20;
    EXPECT_EQ(describe(finding, PlainNames(), EventNumbers::No),
              "writable-twice at code_5 by task 3 (instruction 100): what is and what should be");
    finding.culprit.reset();
    EXPECT_EQ(describe(finding, PlainNames(), EventNumbers::No),
              "writable-twice (who did it is not known): what is and what should be; noticed at code_9 "
              "(instruction 200)");
}

}  // namespace
}  // namespace forkscope::check
