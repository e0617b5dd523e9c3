// The live page tables as a log alone tells them: what a reader of the log can know. Every event is
// checked against what came before it.
#pragma once

#include <gtest/gtest.h>

#include <array>
#include <map>

#include "emu/log/audit_hash.hpp"
#include "emu/log/event.hpp"
#include "emu/mem/guest_ram.hpp"

namespace forkscope::mmu {

class TableReplay {
public:
    void apply(const log::Event& e) {
        const PhysAddr frame = PhysAddr(e.pa).page_base();
        switch (e.kind) {
            case log::EventKind::TableLink:
                link(e);
                break;
            case log::EventKind::TableUnlink:
                unlink(e);
                break;
            case log::EventKind::PteFound: {
                ASSERT_TRUE(is_table_at(frame, e.level));
                uint64_t& entry = tables_[frame].entries[index_of(e)];
                ASSERT_TRUE(entry == 0 || entry == e.b);
                entry = e.b;
                break;
            }
            case log::EventKind::PteWrite: {
                ASSERT_TRUE(is_table_at(frame, e.level));
                uint64_t& entry = tables_[frame].entries[index_of(e)];
                ASSERT_EQ(entry, e.a) << "a change of the entry at " << std::hex << e.pa << " is missing";
                ASSERT_NE(e.a, e.b);
                expect_reached(e);
                entry = e.b;
                break;
            }
            case log::EventKind::RootDeath:
                ASSERT_TRUE(is_table_at(frame, 4));
                break;
            case log::EventKind::Audit:
                ASSERT_EQ(e.pa, 0u);
                ASSERT_EQ(e.b, hash()) << "the tables of the log are not those of RAM";
                break;
            default:
                break;
        }
    }

    [[nodiscard]] size_t frames() const { return tables_.size(); }

    void expect_equals(const mem::GuestRam& ram) const {
        for (const auto& [frame, table] : tables_)
            for (unsigned i = 0; i < 512; ++i)
                ASSERT_EQ(table.entries[i], ram.read<uint64_t>(frame + 8 * i))
                    << "table " << std::hex << frame.raw() << " entry " << i;
    }

private:
    struct Table {
        std::array<uint64_t, 5> references{};
        std::array<uint64_t, 512> entries{};
    };

    static size_t index_of(const log::Event& e) { return (e.pa & 0xfff) / 8; }

    [[nodiscard]] bool is_table_at(PhysAddr frame, unsigned level) const {
        const auto found = tables_.find(frame);
        return found != tables_.end() && found->second.references[level] != 0;
    }

    void link(const log::Event& e) {
        Table& table = tables_[PhysAddr(e.pa)];
        const bool first = table.references[e.level] == 0;
        ASSERT_EQ(first, (e.flags & log::kFirstLink) != 0);
        ASSERT_EQ(++table.references[e.level], e.b);
        if (e.a == 0) {
            ASSERT_EQ(e.level, 4);
        } else {
            ASSERT_TRUE(is_table_at(PhysAddr(e.a).page_base(), e.level + 1u));
        }
    }

    void unlink(const log::Event& e) {
        ASSERT_TRUE(is_table_at(PhysAddr(e.pa), e.level));
        Table& table = tables_[PhysAddr(e.pa)];
        ASSERT_EQ(--table.references[e.level], e.b);
        ASSERT_EQ(e.b == 0, (e.flags & log::kLastLink) != 0);
        if (table.references == std::array<uint64_t, 5>{}) tables_.erase(PhysAddr(e.pa));
    }

    // Walking from e.space along e.va leads to the entry.
    void expect_reached(const log::Event& e) const {
        PhysAddr at(e.space);
        for (unsigned level = 4; level > e.level; --level) {
            ASSERT_TRUE(is_table_at(at, level));
            const uint64_t entry = tables_.at(at).entries[(e.va >> (3 + 9 * level)) & 511];
            ASSERT_TRUE((entry & 1) != 0 && (level == 4 || (entry & 0x80) == 0));
            at = PhysAddr(entry & 0x000f'ffff'ffff'f000);
        }
        ASSERT_EQ(at + 8 * ((e.va >> (3 + 9 * e.level)) & 511), PhysAddr(e.pa));
        ASSERT_EQ(e.va & ((uint64_t{1} << (3 + 9 * e.level)) - 1), 0u);
        ASSERT_TRUE(is_canonical(VirtAddr(e.va)));
    }

    [[nodiscard]] uint64_t hash() const {
        log::AuditHash hash;
        for (unsigned level = 1; level <= 4; ++level)
            for (const auto& [frame, table] : tables_)
                if (table.references[level] != 0) hash.add_table(level, frame, table.entries);
        return hash.digest();
    }

    std::map<PhysAddr, Table> tables_;
};

}  // namespace forkscope::mmu
