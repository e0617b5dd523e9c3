// Tasks as they are announced.
#include "tools/log/analysis/task_table.hpp"

#include <gtest/gtest.h>

#include "guest/abi/event_port.hpp"

namespace forkscope::analysis {
namespace {

log::Event announce(abi::Announcement what, uint64_t w0, uint64_t w1 = 0, uint64_t w2 = 0, uint64_t w3 = 0) {
    log::Event e;
    e.kind = log::EventKind::Announce;
    e.aux = static_cast<uint16_t>(what);
    e.a = w0;
    e.b = w1;
    e.va = w2;
    e.pa = w3;
    return e;
}

constexpr uint64_t kSh = 0x6873;  // "sh"

TEST(TaskTable, NamesFamilyAndEnds) {
    TaskTable tasks;
    tasks.apply(announce(abi::Announcement::TaskCreate, 5, 1, 5, 17), 10);
    tasks.apply(announce(abi::Announcement::TaskName, 5, kSh), 11);
    tasks.apply(announce(abi::Announcement::TaskExec, 5, 0x736c, 0, 0x3000), 12);
    tasks.apply(announce(abi::Announcement::TaskExit, 5, 0x100), 13);
    tasks.apply(announce(abi::Announcement::TaskName, 1, 0x74696e69), 14);
    tasks.apply(announce(abi::Announcement::TaskReap, 5, 1), 15);
    tasks.apply(announce(abi::Announcement::TaskExec, 1, kSh, 0, 0x4000), 16);
    ASSERT_EQ(tasks.all().size(), 2u);
    const Task& task = tasks.all()[0];
    EXPECT_EQ(task.parent, 1u);
    EXPECT_EQ(task.name, "ls");
    EXPECT_EQ(task.created->event, 10u);
    ASSERT_NE(task.exec_after(11), nullptr);
    EXPECT_EQ(task.exec_after(11)->root, 0x3000u);
    EXPECT_EQ(task.exec_after(13), nullptr);
    EXPECT_EQ(task.exit->status, 0x100u);
    EXPECT_EQ(task.reap->by, 1u);
    EXPECT_EQ(task.reap->name, "init");  // not what it executes later
    EXPECT_EQ(tasks.label(5), "ls[5]");
    EXPECT_EQ(tasks.label(6), "task 6");
}

TEST(TaskTable, ATidThatIsUsedAgainIsAnotherTask) {
    TaskTable tasks;
    tasks.apply(announce(abi::Announcement::TaskCreate, 5), 1);
    tasks.apply(announce(abi::Announcement::TaskName, 5, kSh), 2);
    tasks.apply(announce(abi::Announcement::TaskCreate, 5), 3);
    ASSERT_EQ(tasks.all().size(), 2u);
    EXPECT_EQ(tasks.all()[0].name, "sh");
    EXPECT_EQ(tasks.find(5), 1u);
    EXPECT_EQ(tasks.label(5), "task 5");
}

// A task's name does not say what it runs: the address space does.
TEST(TaskTable, ProgramsGoWithAddressSpaces) {
    TaskTable tasks;
    log::Event e = announce(abi::Announcement::TaskExec, 5, kSh, 0, 0x3000);
    tasks.apply(e, 1);
    tasks.apply(announce(abi::Announcement::TaskName, 5, 0x78), 2);
    e = announce(abi::Announcement::ForkEnd, 5, 6, 0x4000);
    e.root = 0x3000;
    tasks.apply(e, 3);
    log::Event by_child;
    by_child.task = 6;
    by_child.root = 0x4000;
    EXPECT_EQ(tasks.program_of(by_child), "sh");
    EXPECT_EQ(tasks.all()[*tasks.find(6)].root, 0x4000u);
    EXPECT_EQ(tasks.all()[*tasks.find(5)].name, "x");
    tasks.apply(announce(abi::Announcement::MmDestroy, 0x4000), 4);
    EXPECT_EQ(tasks.program_in(0x4000), "");
    by_child.task = 5;
    EXPECT_EQ(tasks.program_of(by_child), "x");
}

TEST(TaskTable, WithoutATaskTheRootNamesTheSpace) {
    log::Event e;
    e.root = 0x1234000;
    EXPECT_EQ(TaskTable().label(e), "root 0x1234000");
}

TEST(TaskTable, NamesFromTheGuestCannotControlATerminal) { EXPECT_EQ(comm_of(0x1b5b324a, 0), "J2[?"); }

}  // namespace
}  // namespace forkscope::analysis
