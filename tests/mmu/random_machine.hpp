// A guest that edits its page tables at random, with an engine that caches and forgets: what
// random_test.cpp runs, and what it checks after every step.
#pragma once

#include <algorithm>
#include <map>
#include <set>
#include <vector>

#include "mmu_machine.hpp"
#include "naive_tlb.hpp"
#include "random_graph.hpp"
#include "table_replay.hpp"

namespace forkscope::mmu {

class RandomMachine : public MmuMachine, private RandomGraph {
public:
    explicit RandomMachine(const Profile& profile)
        : MmuMachine(4 * kMiB, {.physical_bits = 40, .has_1gib_pages = true}),
          RandomGraph(profile),
          regs_(long_mode(root(0))) {
        engine.on_flush = [this] { engine_.clear(); };
        origin.root = regs_.cr3;
        if (!profile.globals) regs_.cr4 &= ~kCr4GlobalPages;
        for (unsigned r = 0; r < kRoots; ++r) {
            for (unsigned level = 4; level > 0; --level)
                for (unsigned n = 0; n < tables_at(level); ++n)
                    for (unsigned k = 0; k < 3; ++k)
                        if (below(3) != 0) poke(table(level, n) + 8 * kIndices[k], natural(level, n, k));
            if (profile.graph == Graph::Recursive) poke(root(r) + 8 * 511, root(r).raw() | kP | kW);
        }
    }

    void run() {
        for (step_ = 0; step_ < profile_.steps; ++step_) {
            ++origin.icount;
            const unsigned action = below(100);
            if (action < 34) {
                random_fill();
            } else if (action < 50) {
                map_somewhere();
            } else if (action < 60) {
                random_store();
            } else if (action < 78) {
                disturb_the_tlb();
            } else if (action < 90) {
                random_check();
            } else if (action < 93) {
                random_invlpg();
            } else if (action < 96) {
                random_cr3();
            } else if (action < 97) {
                if (profile_.globals && below(4) == 0) toggle_global_pages();
            } else if (!engine_.empty()) {
                engine_.erase(std::next(engine_.begin(), below(static_cast<unsigned>(engine_.size()))));
            }
            after_step();
            if (::testing::Test::HasFailure()) {
                ADD_FAILURE() << "at step " << step_ << ", action " << action;
                return;
            }
        }
    }

    unsigned findings = 0;
    unsigned shared_fills = 0;
    size_t most_tables = 0;

private:
    struct EngineEntry {
        PhysAddr frame;
        Permissions permissions;
        bool user;
        bool table;
    };

    // Completes the path of an address in the current root, as a page-fault handler does.
    void map_somewhere() {
        const VirtAddr va = random_va();
        PhysAddr at(regs_.cr3);
        for (unsigned level = 4; level > 0; --level) {
            const PhysAddr pa = at + 8 * ((va.raw() >> (3 + 9 * level)) & 511);
            uint64_t value = peek(pa);
            const unsigned number = static_cast<unsigned>(at.page_number()) - 16;
            if (number >= all_tables()) return;
            if ((value & kP) == 0 || (value & kPteFrameMask) >= ram.size()) {
                value = fitting(level, number, static_cast<unsigned>((pa.raw() & 0xfff) / 8));
                write(pa, value, 8);
            }
            if (level < 4 && (value & kPs) != 0) return;
            at = PhysAddr(value & kPteFrameMask);
        }
    }
    // Changes an entry that some translation went through: mostly its leaf, and often back again later.
    void disturb_the_tlb() {
        const auto picked = naive_.pick_entry(random_());
        if (!picked) return;
        const PhysAddr pa(picked->first);
        const uint64_t now = peek(pa);
        const unsigned kind = below(12);
        if (kind < 3) {
            write(pa, now & ~(kP | kA | kD), 8);
        } else if (kind < 6) {
            constexpr std::array<uint64_t, 5> kFlips = {kW, kW, kU, kNx, kG};
            write(pa, now ^ kFlips[below(profile_.globals ? 5 : 4)], 8);
        } else if (kind < 9) {
            write(pa, picked->second, 8);
        } else if (kind < 10) {
            write(pa, now ^ kPteFrameMask % (2 * kPageSize), 8);
        } else if (kind < 11) {
            write(pa + 6, picked->second >> 48, 2);
        } else {
            write(pa, now & ~(kA | kD), 1u << below(4));
        }
    }

    void random_store() {
        unsigned level = 1 + below(4);
        if (level == 4 && below(3) != 0) level = 1;
        const unsigned n = below(tables_at(level));
        const unsigned k = below(3);
        PhysAddr pa = table(level, n) + 8 * kIndices[k];
        const uint64_t now = peek(pa);
        const unsigned kind = below(20);
        if (kind < 8) {
            write(pa, natural(level, n, k), 8);
        } else if (kind < 12) {
            write(pa, below(6) == 0 ? uint64_t{below(64)} << 9 : 0, 8);
        } else if (kind < 17) {
            constexpr uint64_t kFlips[] = {kW, kU, kNx, kA, kD, kP, kW, kW, kG};
            write(pa, now ^ kFlips[below(profile_.globals ? 9 : 8)], 8);
        } else if (kind < 18) {
            const unsigned size = 1u << below(3);
            const unsigned offset = below(8 / size) * size;
            write(pa + offset, below(2) == 0 ? (now >> (8 * offset)) ^ 2 : random_(), size);
        } else if (kind < 19) {
            write(pa, any_table(below(all_tables())).raw() | rights(), 8);  // a table at a second place
        } else {
            write(pa, random_() | kP, 8);  // mostly out of RAM
        }
    }

    void write(PhysAddr pa, uint64_t value, unsigned size) {
        const PhysAddr whole = pa.align_down(8);
        const bool watched = mmu->is_table(pa);
        const uint64_t old = peek(whole);
        store(pa, value, size);
        if (watched) naive_.entry_changed(ram, whole.raw(), old, peek(whole));
    }

    void random_fill() {
        const VirtAddr va = random_va();
        const auto access = static_cast<Access>(below(3));
        const auto privilege = static_cast<Privilege>(below(3));
        const bool by_user = privilege == Privilege::User;
        const auto found = engine_.find({va.raw(), by_user});
        if (found != engine_.end() && below(4) != 0) {
            const Permissions needed = access == Access::Read    ? kMayRead
                                       : access == Access::Write ? kMayWrite
                                                                 : kMayExecute;
            if ((found->second.permissions & needed) != 0) return;  // the engine would not ask
        }
        const Controls controls = Controls::decode(regs_, {.physical_bits = 40, .has_1gib_pages = true});
        const Path before = walk(ram, controls, va);
        const bool known = naive_.holds(va.raw());
        take_and_replay();
        const FillResult result = mmu->fill(va, access, privilege, regs_, origin);
        const Path after = walk(ram, controls, va);
        if (!result) {
            expect_bits_of_fault(before, after);
            if (below(2) == 0) {
                mmu->page_fault_delivered(va, regs_);
                naive_.drop(va.raw());
                engine_.erase({va.raw(), false});
                engine_.erase({va.raw(), true});
            }
            return;
        }
        expect_bits(after, access, known);
        if (mirror.frame(mirror.slot_of(after.leaf().where)).plain_level != after.last) ++shared_fills;
        naive_.fill(after, va.raw(), result->global);
        EXPECT_EQ(result->table, mmu->is_table(result->frame));
        engine_[{va.raw(), by_user}] = {result->frame, result->permissions, by_user, result->table};
    }

    // The entries on the way are used, the one at the end is not, unless it is one of them: a table may map
    // itself.
    static void expect_bits_of_fault(const Path& before, const Path& after) {
        for (unsigned level = 4; level >= before.last; --level) {
            bool used = level > before.last;
            for (unsigned above = 4; above > before.last; --above)
                used |= before.where(above) == before.where(level);
            const uint64_t expected = before.value(level).raw() | (used ? kA : 0);
            EXPECT_EQ(after.value(level).raw(), expected) << "level " << level;
        }
    }

    // A translation that the TLB cannot have: its bits are set, all of them.
    void expect_bits(const Path& path, Access access, bool known) {
        if (known) return;
        for (unsigned level = 4; level >= path.last; --level)
            EXPECT_TRUE(path.at(level).value.accessed()) << "level " << level;
        if (access == Access::Write) {
            EXPECT_TRUE(path.leaf().value.dirty());
        }
    }

    void random_check() {
        take_and_replay();
        const Controls controls = Controls::decode(regs_, {.physical_bits = 40, .has_1gib_pages = true});
        const NaiveTlb::Verdict verdict = naive_.check(ram, controls);
        const bool pending = mmu->user_check_pending();
        mmu->check_on_return_to_user(regs_, origin);
        std::set<NaiveTlb::Page> found;
        for (const log::Event& e : take_and_replay()) {
            if (e.kind != log::EventKind::Finding) continue;
            EXPECT_TRUE(found.insert(NaiveTlb::page_of(e.va, e.level)).second) << "reported twice";
            ++findings;
        }
        EXPECT_TRUE(pending || verdict.must.empty());
        for (const auto& page : verdict.must)
            EXPECT_TRUE(found.contains(page))
                << "missed " << std::hex << page.first << " level " << page.second;
        for (const auto& page : found)
            EXPECT_TRUE(verdict.all.contains(page))
                << "wrong " << std::hex << page.first << " level " << page.second;
        if (!profile_.globals) {
            EXPECT_EQ(found, verdict.may);
        }
        naive_.reported(found);
    }

    void random_invlpg() {
        const VirtAddr va = random_va() + below(4096);
        engine_.erase({va.page_base().raw(), false});
        engine_.erase({va.page_base().raw(), true});
        invlpg(regs_, va);
        naive_.drop(va.raw());
    }

    void random_cr3() {
        engine_.clear();
        load_cr3(regs_, root(below(kRoots)));
        naive_.flush_others();
    }

    void toggle_global_pages() {
        const uint64_t old_value = regs_.cr4;
        regs_.cr4 ^= kCr4GlobalPages;
        engine_.clear();
        mmu->on_flush(log::FlushKind::Cr4Write, VirtAddr(0), old_value, regs_.cr4, regs_, origin);
        mmu->engine_flushed();
        naive_.flush_all();
    }

    std::vector<log::Event> take_and_replay() {
        std::vector<log::Event> events = take_events();
        for (const log::Event& e : events) {
            replay_.apply(e);
            if (::testing::Test::HasFailure()) break;
        }
        return events;
    }

    void after_step() {
        if (step_ % profile_.audit_every == 0) {
            expect_clean_audit();
            take_and_replay();
            replay_.expect_equals(ram);
        }
        most_tables = std::max(most_tables, replay_.frames());
        for (const auto& [key, entry] : engine_) {
            const auto wrong = mmu->audit_engine_entry(VirtAddr(key.first), entry.frame, entry.permissions,
                                                       entry.user, regs_);
            if (wrong) ADD_FAILURE() << *wrong;
            if ((entry.permissions & kMayWrite) != 0 && !entry.table) {
                EXPECT_FALSE(mmu->is_table(entry.frame)) << "stores to a live table would not be seen";
            }
        }
    }

    PagingRegisters regs_;
    NaiveTlb naive_;
    TableReplay replay_;
    std::map<std::pair<uint64_t, bool>, EngineEntry> engine_;  // key: page, user
    unsigned step_ = 0;
};

}  // namespace forkscope::mmu
