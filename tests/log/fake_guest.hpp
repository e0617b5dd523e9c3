// A pretend machine for tests of the log and its tools: page tables in a pretend RAM, tasks, forks and
// copy-on-write, and the events that the real machine would record for them, in its order.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <map>
#include <optional>
#include <random>
#include <set>
#include <string>
#include <vector>

#include "emu/log/audit_hash.hpp"
#include "emu/log/entry_bits.hpp"
#include "emu/log/event.hpp"
#include "guest/abi/event_port.hpp"

namespace forkscope::test {

inline constexpr uint64_t kPresent = 1;
inline constexpr uint64_t kWritable = 2;
inline constexpr uint64_t kUser = 4;
inline constexpr uint64_t kAccessed = 0x20;
inline constexpr uint64_t kDirty = 0x40;
inline constexpr uint64_t kNoExec = uint64_t{1} << 63;
inline constexpr uint64_t kFrameMask = 0x000f'ffff'ffff'f000;
inline constexpr uint64_t kKernelText = 0xffff'ffff'8000'0000;
inline constexpr uint64_t kUserText = 0x40'0000;
inline constexpr uint64_t kUserHeap = 0x7f12'3400'0000;

struct FakeTask {
    uint32_t tid = 0;
    uint64_t root = 0;
    std::string name;
};

// What a test may make go wrong, to see that the tools notice.
struct FakeOptions {
    bool announce = true;          // the guest uses the event port
    bool flush_after_fork = true;  // false: the bug that a stale-TLB check looks for
    bool announce_cow = true;
    bool wrong_cow_frame = false;  // CowBreak names another frame than the one that was mapped
    bool syscalls = true;
    bool flush_after_reuse = false;    // not needed: the entry only became stronger
    bool clear_before_copy = false;    // entry cleared, flushed and then set, as Linux does
    bool shared_tables = false;        // fork shares the last-level tables, write-protected one level up
    bool child_left_writable = false;  // a bug: the child's entries stay writable
};

class FakeGuest {
public:
    explicit FakeGuest(FakeOptions options = {});

    // Everything recorded so far. A sink, if set, is given each event instead.
    [[nodiscard]] const std::vector<log::Event>& events() const { return events_; }
    std::function<void(const log::Event&)> sink;

    [[nodiscard]] FakeTask& current() { return *current_; }
    [[nodiscard]] FakeTask& task(uint32_t tid) { return tasks_.at(tid); }
    [[nodiscard]] uint64_t icount() const { return origin_.icount; }
    void advance(uint64_t instructions) { origin_.icount += instructions; }
    void at(uint64_t rip, unsigned cpl) {
        origin_.rip = rip;
        origin_.cpl = static_cast<uint8_t>(cpl);
    }

    // Maps fresh writable user pages in the current task, one page fault each (error code 6).
    void touch_new_pages(uint64_t va, unsigned pages);
    // A user write: a copy-on-write fault if the entry is read-only, dirty and accessed bits else.
    void write(uint64_t va);
    // Only the fault, the kernel never mends it.
    void write_and_hang(uint64_t va);
    // The TLB fill of an access with its accessed and dirty bits, if the pretend TLB does not hold the page.
    void access(uint64_t va, uint8_t kind);
    void unmap(uint64_t va);
    // As mremap: the frame at `from` is mapped at `to` instead, with the same rights.
    void remap(uint64_t from, uint64_t to);

    // The whole call up to the parent's return to user mode; the child has not run yet.
    uint32_t fork(uint64_t flags = 17);
    void begin_fork(uint64_t flags);
    uint32_t finish_fork();
    void fail_fork(uint64_t flags, int64_t error);
    void exec(const std::string& name, uint64_t va, unsigned pages);
    void exit(uint64_t status);
    void reap(uint32_t tid);
    void switch_to(uint32_t tid);
    void interrupt(uint8_t vector);
    void syscall(uint64_t number, uint64_t arg0 = 0);
    void syscall_return(uint64_t number, uint64_t result);
    void marker(uint64_t word);
    void audit();
    void set_announce_cow(bool announce) { options_.announce_cow = announce; }
    void stop(log::Stop how, uint64_t status);

    // Direct access to the pretend RAM.
    void write_entry(uint64_t table, unsigned index, uint64_t value, uint64_t va, uint64_t space,
                     log::Cause cause = log::Cause::Software);
    [[nodiscard]] uint64_t leaf(uint64_t root, uint64_t va) const;
    [[nodiscard]] uint64_t alloc_frame();
    // A recursive mapping: entry `index` of the current root points to the root.
    void map_root_into_itself(unsigned index);
    // Frees the tables of a task that has exited or that left them for others.
    void destroy_space(uint64_t root);

    // An event of this kind by who runs now; record() hands it on.
    [[nodiscard]] log::Event event(log::EventKind kind) const { return log::make_event(kind, origin_); }
    void record(const log::Event& event);

private:
    using Table = std::array<uint64_t, log::kTableEntries>;
    struct OpenFork {
        uint32_t child = 0;
        uint64_t flags = 0;
    };

    void announce(abi::Announcement what, uint64_t w0, uint64_t w1 = 0, uint64_t w2 = 0, uint64_t w3 = 0);
    void announce_name(abi::Announcement what, uint32_t tid, const std::string& name, uint64_t root);
    uint64_t make_space();
    // The table of level 1 that holds the entry of va; makes missing tables if told to, else 0.
    uint64_t leaf_table(uint64_t root, uint64_t va, bool create, unsigned last_level = 1);
    void set_leaf(uint64_t root, uint64_t va, uint64_t value, log::Cause cause = log::Cause::Software);
    void zap(uint64_t table, unsigned level, uint64_t va, uint64_t root);
    void enter_root();
    void put_frame(uint64_t frame);
    [[nodiscard]] unsigned users_of(uint64_t root) const;
    void link(uint64_t frame, unsigned level, uint64_t va, uint64_t from, uint64_t space);
    void unlink(uint64_t frame, unsigned level, uint64_t va, uint64_t from, uint64_t space);
    void copy_space(uint64_t parent, uint64_t child);
    void share_tables(uint64_t parent, uint64_t child);
    // Gives the current task a writable table of its own for va: a copy, or the old one if nobody else uses
    // it.
    void unshare_table(uint64_t va);
    [[nodiscard]] uint64_t entry_value(uint64_t root, uint64_t va, unsigned level, uint64_t* address) const;
    void flush(log::FlushKind how, uint64_t va, uint64_t old_value, uint64_t new_value);
    uint64_t fault(uint64_t va, uint64_t error,
                   unsigned level = 1);  // the instruction count at which it happened
    void resolved(uint64_t va, uint64_t fault_icount);
    [[nodiscard]] bool tracked(uint64_t frame, unsigned level) const;

    FakeOptions options_;
    std::vector<log::Event> events_;
    log::Origin origin_;
    std::map<uint64_t, Table> ram_;                                 // frames that are or will be tables
    std::map<std::pair<unsigned, uint64_t>, uint64_t> references_;  // by level and frame
    std::set<uint64_t> roots_;
    std::map<uint64_t, unsigned> owners_;        // data frames and how many entries map them
    std::map<uint64_t, unsigned> table_owners_;  // last-level tables with several users, and how many
    std::map<uint32_t, FakeTask> tasks_;
    FakeTask* current_ = nullptr;
    std::map<uint32_t, OpenFork> open_forks_;
    std::set<uint64_t> tlb_;
    std::vector<uint64_t> free_frames_;
    uint64_t next_frame_ = 0x10'0000;
    uint32_t next_tid_ = 2;
    uint64_t kernel_table_ = 0;
};

}  // namespace forkscope::test
