// Who waited for whom.
#include "tools/panels/model/waits.hpp"

#include <gtest/gtest.h>

#include "guest/abi/event_port.hpp"

namespace forkscope::panels {
namespace {

using abi::Announcement;
using log::Event;
using log::EventKind;

class Waits : public ::testing::Test {
protected:
    void give(const Event& event) {
        if (event.kind == EventKind::Announce) tasks_.apply(event, number_);
        book_.apply(event, number_++, tasks_);
    }
    void announce(Announcement what, uint64_t a, uint64_t b) {
        Event e;
        e.kind = EventKind::Announce;
        e.icount = icount_ += 100;
        e.aux = static_cast<uint16_t>(what);
        e.a = a;
        e.b = b;
        give(e);
    }
    void call(EventKind kind, uint32_t task, uint64_t number, uint64_t result = 0) {
        Event e;
        e.kind = kind;
        e.icount = icount_ += 100;
        e.task = task;
        e.a = number;
        e.b = result;
        give(e);
    }
    void SetUp() override {
        announce(Announcement::TaskCreate, 1, 0);
        announce(Announcement::TaskCreate, 2, 1);
        announce(Announcement::TaskSwitch, 1, 0);
    }

    analysis::TaskTable tasks_;
    WaitBook book_;
    uint64_t number_ = 0;
    uint64_t icount_ = 0;
};

constexpr uint64_t kWait4 = 61;
constexpr uint64_t kGetpid = 39;

TEST_F(Waits, AParentWaitsForItsChild) {
    call(EventKind::Syscall, 1, kWait4);
    const uint64_t begin = icount_;
    announce(Announcement::TaskSwitch, 2, 1);
    announce(Announcement::TaskExit, 2, 0);
    announce(Announcement::TaskSwitch, 1, 2);
    call(EventKind::SyscallReturn, 1, kWait4, 2);
    ASSERT_EQ(book_.waits().size(), 1u);
    const Wait& wait = book_.waits().front();
    EXPECT_EQ(tasks_.all()[wait.task].tid, 1u);
    EXPECT_EQ(wait.on, 2u);
    EXPECT_EQ(wait.begin, begin);
    EXPECT_EQ(wait.end, icount_);
}

TEST_F(Waits, ACallThatKeepsTheCpuIsNoWait) {
    call(EventKind::Syscall, 1, kWait4);
    call(EventKind::SyscallReturn, 1, kWait4, 2);
    call(EventKind::Syscall, 1, kGetpid);
    announce(Announcement::TaskSwitch, 2, 1);
    announce(Announcement::TaskSwitch, 1, 2);
    call(EventKind::SyscallReturn, 1, kGetpid, 1);
    EXPECT_TRUE(book_.waits().empty());
}

TEST_F(Waits, RunsFollowEachOther) {
    announce(Announcement::TaskSwitch, 2, 1);
    announce(Announcement::TaskSwitch, 1, 2);
    ASSERT_EQ(book_.runs().size(), 2u);
    EXPECT_EQ(tasks_.all()[book_.runs()[0].task].tid, 1u);
    EXPECT_EQ(tasks_.all()[book_.runs()[1].task].tid, 2u);
    EXPECT_EQ(book_.runs()[0].end, book_.runs()[1].begin);
}

}  // namespace
}  // namespace forkscope::panels
