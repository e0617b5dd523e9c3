// The verbs that ask a log about tasks, faults, system calls, tables, frames and the TLB.
#include <gmock/gmock.h>

#include "tests/tools/log/verbs_fixture.hpp"
#include "tools/log/verbs/past.hpp"

namespace forkscope::tools {
namespace {

using Json = nlohmann::json;
using ::testing::ContainsRegex;
using ::testing::HasSubstr;
using ::testing::Not;

class Queries : public Verbs {
protected:
    [[nodiscard]] const log::Event& event(log::EventKind kind, unsigned skip = 0) const {
        for (const log::Event& e : guest_.events())
            if (e.kind == kind && skip-- == 0) return e;
        throw std::out_of_range("no such event");
    }
    [[nodiscard]] uint64_t number_of(log::EventKind kind, unsigned skip = 0) const {
        return static_cast<uint64_t>(&event(kind, skip) - guest_.events().data());
    }
    [[nodiscard]] uint64_t announcement(abi::Announcement what) const {
        const auto& events = guest_.events();
        return static_cast<uint64_t>(std::ranges::find_if(events,
                                                          [what](const log::Event& e) {
                                                              return e.kind == log::EventKind::Announce &&
                                                                     e.aux == static_cast<uint16_t>(what);
                                                          }) -
                                     events.begin());
    }
    // As a user names the moment after an event.
    [[nodiscard]] static std::string moment(uint64_t number) { return fmt::format("e{}", number); }
};

TEST_F(Queries, TasksTellFamilyAndEnd) {
    const std::string text = run(log_tasks);
    EXPECT_THAT(text, ContainsRegex(" 1 +[0-9,]+ init .*exit 0"));
    EXPECT_THAT(text, ContainsRegex(" 2 +[0-9,]+   init .*exit 7"));
    const Json json = run_json(log_tasks);
    ASSERT_EQ(json["tasks"].size(), 2u);
    EXPECT_EQ(json["tasks"][1]["parent"], 1);
    EXPECT_EQ(json["tasks"][1]["exit"]["text"], "exit 7");
    EXPECT_EQ(json["tasks"][1]["reap"]["by"], 1);
    EXPECT_EQ(json["tasks"][0]["faults"], 10);  // eight pages made, two written after the fork
    EXPECT_EQ(json["tasks"][1]["faults"], 2);
}

TEST_F(Queries, TasksOfARangeAndOfAName) {
    query_.to = moment(announcement(abi::Announcement::ForkBegin) - 1);
    Json json = run_json(log_tasks);
    EXPECT_EQ(json["shown"], 1);
    EXPECT_EQ(json["filtered_out"], 1);
    EXPECT_EQ(json["tasks"][0]["faults"], 8);
    query_ = Query();
    query_.task = "init";
    EXPECT_EQ(run_json(log_tasks)["shown"], 2);
    query_.task = "2";
    EXPECT_EQ(run_json(log_tasks)["filtered_out"], 1);
}

TEST_F(Queries, TasksOfAGuestThatAnnouncesNothingAreItsRoots) {
    test::FakeOptions options;
    options.announce = false;
    guest_ = demonstration(options);
    write_demonstration(path_, guest_.events());
    EXPECT_THAT(run(log_tasks), HasSubstr("The guest announces no tasks"));
    EXPECT_EQ(run_json(log_tasks)["roots"].size(), 2u);
}

TEST_F(Queries, FaultsSayWhatRefusedAndWhoWroteIt) {
    query_.task = "2";
    const std::string text = run(log_faults);
    EXPECT_THAT(text, HasSubstr("init[2] write 0x7f1234000008 from user code, main+0x10, error P W U"));
    EXPECT_THAT(text, HasSubstr("W is clear, and this is a write"));
    EXPECT_THAT(text, HasSubstr("another frame: "));
    EXPECT_THAT(text, HasSubstr("10 faults did not fit the filter."));
    const Json json = run_json(log_faults);
    ASSERT_EQ(json["faults"].size(), 2u);
    const Json& fault = json["faults"][0];
    EXPECT_EQ(fault["refusal"], "read-only");
    EXPECT_EQ(fault["bit"], "W");
    EXPECT_EQ(fault["refused_level"], 1);
    EXPECT_EQ(fault["last_write"]["found"], true);  // the child's table was filled before it was in use
    EXPECT_EQ(fault["end"], "copied");
    EXPECT_EQ(json["filtered_out"], 10);
}

TEST_F(Queries, FaultsOfTheParentAreTheForksWork) {
    query_.task = "1";
    query_.from = moment(announcement(abi::Announcement::ForkEnd));
    const Json json = run_json(log_faults);
    ASSERT_EQ(json["faults"].size(), 2u);
    EXPECT_EQ(json["faults"][0]["last_write"]["code"], "copy_pte_range+0x3c");
    EXPECT_EQ(json["faults"][0]["end"], "copied");
    EXPECT_EQ(json["faults"][1]["end"], "made-usable");
    EXPECT_EQ(json["filtered_out"], 10);
}

TEST_F(Queries, FaultsNameTheWriterOfAnEntryThatWasFound) {
    auto events = guest_.events();
    for (log::Event& e : events) {
        if (e.kind != log::EventKind::PteFound || e.task != 2 || e.va != page(0) || e.level != 1) continue;
        e.flags = log::kWriterKnown;
        e.rip = test::kKernelText + 0x1004;
        e.cpl = 0;
        e.task = 1;
        e.a = e.icount - 9;
    }
    write_demonstration(path_, events);
    query_.task = "2";
    query_.limit = 1;
    EXPECT_THAT(run(log_faults), HasSubstr("by copy_pte_range+0x4 for task 1, "));
    const Json json = run_json(log_faults);
    EXPECT_EQ(json["faults"][0]["last_write"]["code"], "copy_pte_range+0x4");
    EXPECT_EQ(json["faults"][0]["last_write"]["writer_known"], true);
}

TEST_F(Queries, FaultsAreLimitedAndSummedUp) {
    query_.limit = 3;
    EXPECT_THAT(run(log_faults), HasSubstr("3 faults shown, 9 more left out by --limit 3"));
    query_.summary = true;
    EXPECT_THAT(run(log_faults), ContainsRegex(" 3 +user +write +read-only +copied"));
    // For the first page there is no table yet, and the pretend machine then names no entry.
    EXPECT_EQ(run_json(log_faults)["sums"].size(), 4u);
}

TEST_F(Queries, AFaultThatKillsSaysSo) {
    guest_.write_and_hang(page(6));
    FakeGuest guest;
    guest.at(test::kUserText, 3);
    guest.touch_new_pages(kUserHeap, 1);
    const uint32_t child = guest.fork();
    guest.switch_to(child);
    guest.write_and_hang(page(0));
    guest.exit(11);
    write_demonstration(path_, guest.events());
    query_.task = fmt::format("{}", child);
    const Json json = run_json(log_faults);
    ASSERT_EQ(json["faults"].size(), 1u);
    EXPECT_EQ(json["faults"][0]["end"], "killed");
    EXPECT_EQ(json["faults"][0]["end_text"], "the task ends: killed by SIGSEGV");
}

TEST_F(Queries, SyscallsArePairedWithTheirResults) {
    const std::string text = run(log_syscalls);
    EXPECT_THAT(text, HasSubstr("fork()"));
    EXPECT_THAT(text, ContainsRegex("fork\\(\\) += 2 <"));
    EXPECT_THAT(text, HasSubstr("+++ exit 7 +++"));
    const Json json = run_json(log_syscalls);
    uint64_t calls = 0;
    for (const log::Event& e : guest_.events()) calls += e.kind == log::EventKind::Syscall ? 1u : 0u;
    EXPECT_EQ(json["shown"], calls);
    EXPECT_EQ(json["filtered_out"], 0);
    query_ = Query();
    query_.task = "2";
    EXPECT_EQ(run_json(log_syscalls)["filtered_out"],
              calls - run_json(log_syscalls)["shown"].get<uint64_t>());
    query_.summary = true;
    EXPECT_FALSE(run_json(log_syscalls)["sums"].empty());
}

TEST_F(Queries, TreeOfAMoment) {
    query_.at = moment(announcement(abi::Announcement::ForkBegin) - 1);
    const std::string text = run(log_tree);
    EXPECT_THAT(text, HasSubstr("0x7f1234000000-0x7f1234007fff  8 pages"));
    EXPECT_THAT(text, HasSubstr("P W U A D NX"));
    EXPECT_THAT(text, HasSubstr("The kernel's half is left out: 1,024 entries in 4 tables"));
    query_.at = moment(number_of(log::EventKind::PageFault, 8) - 1);  // the child runs, nobody has written
    EXPECT_THAT(run(log_tree), HasSubstr("shared with init[2]"));
    query_.task = "2";
    const Json json = run_json(log_tree);
    ASSERT_EQ(json["spaces"].size(), 1u);
    EXPECT_EQ(json["spaces"][0]["leaves"], 8);
    EXPECT_EQ(json["spaces"][0]["tables"], 4);
    EXPECT_EQ(json["spaces"][0]["rows"].back()["bits"], "P U NX");
}

TEST_F(Queries, TreeShowsTheKernelIfAsked) {
    query_.va = "0xffffffff80000000-0xffffffffffffffff";
    query_.at = moment(announcement(abi::Announcement::ForkBegin));
    const Json json = run_json(log_tree);
    EXPECT_EQ(json["spaces"][0]["leaves"], 1024);
    EXPECT_THAT(json.dump(), HasSubstr("code from do_fork to exit_mmap"));
}

TEST_F(Queries, TreeOfWhatIsNotThere) {
    query_.task = "2";
    query_.at = "start";
    EXPECT_EQ(run(log_tree), "");
    EXPECT_THAT(error_, HasSubstr("task 2 has no address space before the first event"));
    query_ = Query();
    query_.root = "0x123000";
    run(log_tree);
    EXPECT_THAT(error_, HasSubstr("there is no root 0x123000"));
}

TEST_F(Queries, DiffOfAForkIsItsWriteProtection) {
    query_.before_fork = query_.after_fork = "1";
    query_.task = "1";
    const std::string text = run(log_diff);
    EXPECT_THAT(text, HasSubstr("~ 0x7f1234000000-0x7f1234007fff  8 pages  P W U A D NX -> P U A D NX [-W]"));
    EXPECT_THAT(text, HasSubstr("The child's tables come into the log when they are first loaded"));
    const Json json = run_json(log_diff);
    ASSERT_EQ(json["spaces"].size(), 1u);
    EXPECT_EQ(json["spaces"][0]["changed_entries"], 8);
    EXPECT_EQ(json["spaces"][0]["rows"][0]["change"], "-W");
    EXPECT_EQ(json["shown"], 1);
}

TEST_F(Queries, DiffTellsSpacesThatComeAndGo) {
    query_.before_fork = "1";
    query_.to = moment(number_of(log::EventKind::PageFault, 8));
    Json json = run_json(log_diff);
    ASSERT_EQ(json["spaces"].size(), 2u);
    EXPECT_EQ(json["spaces"][1]["space"], "new");
    EXPECT_EQ(json["spaces"][1]["tables_before"], 0);
    query_ = Query();
    query_.json = true;
    query_.from = moment(number_of(log::EventKind::PageFault, 8));
    json = run_json(log_diff);
    EXPECT_EQ(json["spaces"][1]["space"], "gone");
    query_.to = query_.from;
    EXPECT_EQ(run_json(log_diff)["shown"], 0);
}

TEST_F(Queries, WhoFollowsOneAddress) {
    query_.address = "0x7f1234000000";
    query_.task = "1";
    query_.kind = "pte-write";
    query_.level = "1";
    const Json json = run_json(log_who);
    std::vector<std::string> changes;
    for (const Json& e : json["history"])
        if (e["cause"] == "software") changes.push_back(e["change"]);
    EXPECT_EQ(changes, (std::vector<std::string>{"mapped", "-W", "+W"}));
    query_ = Query();
    query_.address = "0x7f1234000000";
    query_.task = "1";
    const std::string text = run(log_who);
    EXPECT_THAT(text, HasSubstr("nothing is mapped there"));
    EXPECT_THAT(text, HasSubstr("[-W]"));
    EXPECT_THAT(text, HasSubstr("at the end it leads to "));
    query_.task = "";
    run(log_who);
    EXPECT_THAT(error_, HasSubstr("whose 0x7f1234000000?"));
}

TEST_F(Queries, FrameHasABiography) {
    const uint64_t frame = log::frame_of(event(log::EventKind::FaultResolved).b, 1);
    query_.address = fmt::format("{:#x}", frame);
    const std::string text = run(log_frame);
    EXPECT_THAT(text, HasSubstr(fmt::format("The life of frame {:#x}", frame)));
    EXPECT_THAT(text, HasSubstr("at 0x7f1234000000 in init[1]"));
    EXPECT_THAT(text, HasSubstr("at 0x7f1234000000 in init[2]"));
    EXPECT_THAT(text, HasSubstr("Mapped at most 2 times at once"));
    query_.kind = "pte-write";
    const Json json = run_json(log_frame);
    EXPECT_EQ(json["most_mappings"], 2);
    EXPECT_EQ(json["was_table"], false);
    EXPECT_EQ(json["history"][0]["change"], "mapped");
    EXPECT_NE(json["filtered_out"], 0);
    query_ = Query();
    query_.address = fmt::format("{:#x}", guest_.task(1).root);
    EXPECT_THAT(run(log_frame), HasSubstr("it also was a page table"));
    query_.address = "0xdead000";
    EXPECT_THAT(run(log_frame), HasSubstr("Nothing in this log ever pointed to it."));
}

TEST_F(Queries, TlbHoldsWhatNoFlushCovered) {
    test::FakeOptions options;
    options.flush_after_fork = false;
    guest_ = demonstration(options);
    write_demonstration(path_, guest_.events());
    query_.at = moment(announcement(abi::Announcement::ForkEnd));
    query_.va = "0x7f1234000000-0x7f1234007fff";
    EXPECT_EQ(run_json(log_tlb)["stale"], 8);
    EXPECT_THAT(run(log_tlb), HasSubstr("STALE"));
    guest_ = demonstration();
    write_demonstration(path_, guest_.events());
    query_.json = false;
    query_.at = moment(announcement(abi::Announcement::ForkEnd));
    EXPECT_EQ(run_json(log_tlb)["stale"], 0);
}

TEST_F(Queries, MomentsInAllTheirForms) {
    log::Meta meta;
    meta.instructions_per_second = 1'000'000'000;
    EXPECT_EQ(*parse_moment("1,000", meta)->icount, 1000u);
    EXPECT_EQ(*parse_moment("1.5ms", meta)->icount, 1'500'000u);
    EXPECT_EQ(*parse_moment("2s", meta)->icount, 2'000'000'000u);
    EXPECT_EQ(*parse_moment("7ns", meta)->icount, 7u);
    EXPECT_EQ(*parse_moment("0xe", meta)->icount, 14u);
    EXPECT_EQ(*parse_moment("e12", meta)->event, 12u);
    EXPECT_EQ(*parse_moment("end", meta)->event, ~uint64_t{0});
    for (const char* bad : {"", "e", "ex", "-1ms", "ms", "1.5", "1h", "e1.5"})
        EXPECT_FALSE(parse_moment(bad, meta)) << bad;
    meta.instructions_per_second = 0;
    EXPECT_THAT(parse_moment("1ms", meta).error().message, HasSubstr("does not say how long"));
}

TEST_F(Queries, AMomentIsAfterEverythingWithItsCount) {
    auto reader = log::Reader::open(path_);
    ASSERT_TRUE(reader);
    const uint64_t number = number_of(log::EventKind::PageFault, 3);
    const uint64_t icount = guest_.events()[number].icount;
    const uint64_t until = events_until({icount, {}}, **reader);
    EXPECT_GT(until, number);
    EXPECT_LE(guest_.events()[until - 1].icount, icount);
    EXPECT_GT(guest_.events()[until].icount, icount);
    EXPECT_EQ(events_until({{}, number}, **reader), number + 1);
    EXPECT_EQ(first_event_of({.from_icount = icount + 1}, **reader), until);
}

// With keyframes between all chunks, what is known in the middle is what was announced before it.
TEST_F(Queries, TasksInTheMiddleOfALogAreThoseOfItsBeginning) {
    {
        auto writer =
            log::Writer::open(path_, test::some_meta(),
                              {.keeper = std::make_unique<analysis::TaskKeeper>(), .least_events = 1});
        ASSERT_TRUE(writer);
        for (std::span<const log::Event> rest = guest_.events(); !rest.empty();) {
            const size_t n = std::min<size_t>(rest.size(), 20);
            (*writer)->consume(rest.first(n));
            (*writer)->sync();
            rest = rest.subspan(n);
        }
        ASSERT_TRUE((*writer)->finish());
    }
    auto reader = log::Reader::open(path_);
    ASSERT_TRUE(reader);
    analysis::TaskTable tasks;
    uint64_t keyframes = 0;
    for (uint64_t number = 0; number < guest_.events().size(); ++number) {
        const analysis::TaskTable middle = tasks_before(**reader, number);
        keyframes += (*reader)->keyframe_before(number).next_event != 0 ? 1 : 0;
        for (const uint32_t tid : {1u, 2u}) {
            const auto place = tasks.find(tid);
            if (!place || tasks.all()[*place].reap) continue;
            ASSERT_TRUE(middle.find(tid)) << number;
            EXPECT_EQ(middle.label(tid), tasks.label(tid));
            const analysis::Task& a = middle.all()[*middle.find(tid)];
            const analysis::Task& b = tasks.all()[*place];
            EXPECT_EQ(a.root, b.root) << number;
            EXPECT_EQ(a.parent, b.parent);
            EXPECT_EQ(a.exit.has_value(), b.exit.has_value());
            EXPECT_EQ(middle.program_in(a.root), tasks.program_in(b.root));
        }
        tasks.apply(guest_.events()[number], number);
    }
    EXPECT_GT(keyframes, 0u);
    for (const Verb verb : {log_show, log_syscalls, log_faults}) {
        query_ = Query();
        query_.json = true;
        const Json all = Json::parse(run(verb));
        query_.from = moment(announcement(abi::Announcement::ForkEnd));
        const Json some = Json::parse(run(verb));
        const std::string list = all.begin().key();
        ASSERT_FALSE(some[list].empty());
        EXPECT_EQ(some[list].back(), all[list].back());
    }
}

// Whatever a log has lost, every verb says it in one line and shows the rest.
TEST_F(Queries, ADamagedLogIsToldAsFarAsItGoes) {
    auto bytes = test::read_bytes(path_);
    bytes[bytes.size() / 2] ^= 0x40;
    test::write_bytes(path_, bytes);
    query_.address = "0x7f1234000000";
    query_.task = "1";
    for (const Verb verb :
         {log_tasks, log_faults, log_syscalls, log_tree, log_diff, log_who, log_frame, log_tlb}) {
        const std::string text = run(verb);
        EXPECT_TRUE(text.find("This log is not whole:") != std::string::npos || !error_.empty()) << text;
        EXPECT_THAT(error_, Not(HasSubstr("\n")));
    }
}

}  // namespace
}  // namespace forkscope::tools
