// A kernel that writes its events straight to the checks: two address spaces with one table of level 1 each.
#pragma once

#include <gtest/gtest.h>

#include <vector>

#include "emu/check/engine.hpp"
#include "emu/log/entry_bits.hpp"

namespace forkscope::check {

using log::Event;
using log::EventKind;

inline constexpr uint64_t kUserRights = log::kEntryPresent | log::kEntryUser;
inline constexpr uint64_t kReadOnly = kUserRights;
inline constexpr uint64_t kWritable = kUserRights | log::kEntryWritable;

// Address space n has its tables at 0x10000 * n: root, then levels 3, 2, 1, one page each.
[[nodiscard]] constexpr uint64_t root_of(unsigned space) { return 0x10000u * space; }
[[nodiscard]] constexpr uint64_t table_of(unsigned space, unsigned level) {
    return root_of(space) + 0x1000 * (log::kTopLevel - level);
}

class PretendKernel : public ::testing::Test, private FindingListener {
protected:
    explicit PretendKernel(CheckSet checks = kEveryCheck) : engine_(checks, *this) {}

    void SetUp() override {
        for (unsigned space : {1u, 2u}) {
            link(root_of(space), log::kTopLevel, 0, 1);
            for (unsigned level = log::kTopLevel; level > 1; --level) {
                write_at(space, level, 0, 0, table_of(space, level - 1) | kWritable);
                link(table_of(space, level - 1), level - 1, table_of(space, level), 1);
            }
        }
        run(1);
    }

    // What the next events say of who did it: the instant counts up by itself.
    void at(uint64_t rip) { rip_ = rip; }

    void link(uint64_t frame, unsigned level, uint64_t from, uint64_t references) {
        Event e = make(EventKind::TableLink);
        e.pa = frame;
        e.level = static_cast<uint8_t>(level);
        e.a = from;
        e.b = references;
        if (references == 1) e.flags = log::kFirstLink;
        give(e);
    }
    void unlink(uint64_t frame, unsigned level, uint64_t from, uint64_t left) {
        Event e = make(EventKind::TableUnlink);
        e.pa = frame;
        e.level = static_cast<uint8_t>(level);
        e.a = from;
        e.b = left;
        if (left == 0) e.flags = log::kLastLink;
        give(e);
    }
    // The entry for page `page` of the space's table of that level.
    void write_at(unsigned space, unsigned level, unsigned page, uint64_t old, uint64_t now) {
        Event e = make(EventKind::PteWrite);
        e.pa = table_of(space, level) + page * log::kEntryBytes;
        e.va = page * log::span_bytes(level);
        e.level = static_cast<uint8_t>(level);
        e.a = old;
        e.b = now;
        e.space = root_of(space);
        e.cause = log::Cause::Software;
        give(e);
    }
    void map(unsigned space, unsigned page, uint64_t entry) { write_at(space, 1, page, 0, entry); }
    void unmap(unsigned space, unsigned page, uint64_t entry) { write_at(space, 1, page, entry, 0); }

    void announce(abi::Announcement what, uint64_t a, uint64_t b = 0) {
        Event e = make(EventKind::Announce);
        e.aux = static_cast<uint16_t>(what);
        e.a = a;
        e.b = b;
        give(e);
    }
    void alloc(uint64_t frame, abi::FrameUse use = abi::FrameUse::Anonymous) {
        announce(abi::Announcement::FrameAlloc, frame, static_cast<uint64_t>(use));
    }
    void refs(uint64_t frame, uint32_t count, uint64_t by = 0) {
        announce(abi::Announcement::FrameRefs, frame, abi::refs_word(count, by));
    }
    void free(uint64_t frame) { announce(abi::Announcement::FrameFree, frame); }

    void fill(uint64_t va) {
        Event e = make(EventKind::TlbFill);
        e.va = va;
        e.level = 1;
        give(e);
    }
    void flush(log::FlushKind kind, uint64_t va = 0, uint64_t old_value = 0, uint64_t new_value = 0) {
        Event e = make(EventKind::Flush);
        e.aux = static_cast<uint16_t>(kind);
        e.va = va;
        e.a = old_value;
        e.b = new_value;
        give(e);
    }
    // The program of that space runs, and comes back by a system call.
    void run(unsigned space) {
        root_ = root_of(space);
        Event e = make(EventKind::Syscall);
        e.cpl = 3;
        give(e);
    }
    void stop(uint64_t after) {
        icount_ += after;
        give(make(EventKind::Stop));
    }
    void stale(log::Finding what, uint64_t va, uint64_t entry_pa, uint64_t filled, uint64_t now,
               unsigned entry_level = 1) {
        Event e = make(EventKind::Finding);
        e.aux = static_cast<uint16_t>(what);
        e.va = va;
        e.pa = entry_pa;
        e.level = 1;
        e.flags = static_cast<uint8_t>(entry_level);
        e.a = filled;
        e.b = now;
        give(e);
    }

    [[nodiscard]] std::vector<Finding> take() { return std::exchange(findings_, {}); }
    void expect_silence(const char* where) {
        for (const Finding& finding : take()) ADD_FAILURE() << where << ": " << finding.expected;
    }
    // Exactly one finding of that kind, whose culprit is the code at rip.
    void expect_one(log::Finding what, uint64_t rip) {
        const auto found = take();
        ASSERT_EQ(found.size(), 1u);
        EXPECT_EQ(found[0].what, what) << found[0].expected;
        ASSERT_TRUE(found[0].culprit.has_value());
        EXPECT_EQ(found[0].culprit->rip, rip);
        EXPECT_EQ(found[0].event.kind, EventKind::Finding);
        EXPECT_EQ(found[0].event.aux, static_cast<uint16_t>(what));
    }

private:
    void found(Finding&& finding) override { findings_.push_back(std::move(finding)); }

    [[nodiscard]] Event make(EventKind kind) {
        return log::make_event(kind, {.icount = ++icount_, .rip = rip_, .root = root_, .task = 7});
    }
    void give(const Event& event) { engine_.apply(event, number_++); }

    std::vector<Finding> findings_;
    Engine engine_;
    uint64_t number_ = 0;
    uint64_t icount_ = 0;
    uint64_t rip_ = 1;
    uint64_t root_ = 0;
};

}  // namespace forkscope::check
