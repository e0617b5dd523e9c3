// What all checks have in common: each is given the events that it asks for, before the books learn of them,
// and is asked to judge whenever a program runs, when all that the kernel does in between has to be right.
#pragma once

#include "emu/check/finding.hpp"
#include "emu/check/frame_book.hpp"
#include "emu/check/recent_writes.hpp"
#include "emu/check/table_book.hpp"
#include "emu/log/recorder.hpp"

namespace forkscope::check {

struct Books {
    FrameBook frames;
    TableBook tables{frames};
    RecentWrites writes;
};

class FindingListener {
public:
    virtual ~FindingListener() = default;
    virtual void found(Finding&& finding) = 0;
};

class Check {
public:
    Check(Books& books, FindingListener& listener) : books_(books), listener_(listener) {}
    virtual ~Check() = default;
    Check(const Check&) = delete;
    Check& operator=(const Check&) = delete;

    virtual void event(const log::Event& event, uint64_t number) = 0;
    // A program is at work: `event` is the first sign of it since the kernel was.
    virtual void user_mode(const log::Event&, uint64_t) {}

protected:
    // The frame that a finding is about, so that there is one only.
    [[nodiscard]] static bool first_about(Frame& frame) {
        const bool first = !frame.reported;
        frame.reported = true;
        return first;
    }
    void report(Finding&& finding) { listener_.found(std::move(finding)); }

    Books& books_;

private:
    FindingListener& listener_;
};

// A finding noticed at `at`; the caller fills in what it is about.
[[nodiscard]] inline Finding finding_at(log::Finding what, const log::Event& at, uint64_t number) {
    Finding finding;
    finding.what = what;
    finding.number = number;
    log::Event& e = finding.event;
    e.kind = log::EventKind::Finding;
    e.aux = static_cast<uint16_t>(what);
    e.icount = at.icount;
    e.rip = at.rip;
    e.root = at.root;
    e.task = at.task;
    e.cpu = at.cpu;
    e.cpl = at.cpl;
    return finding;
}

}  // namespace forkscope::check
