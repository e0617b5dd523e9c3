// A TLB that never forgets, as a list: every fill since a flush that covered it, with the entries that
// it went through. Says which stale uses exist; the ledger must find the same.
#pragma once

#include <cstdint>
#include <map>
#include <optional>
#include <set>
#include <utility>
#include <vector>

#include "emu/mem/guest_ram.hpp"
#include "emu/mmu/walker.hpp"

namespace forkscope::mmu {

class NaiveTlb {
public:
    using Page = std::pair<uint64_t, unsigned>;  // start, level

    [[nodiscard]] static Page page_of(uint64_t va, unsigned level) {
        return {va & ~((uint64_t{1} << (3 + 9 * level)) - 1), level};
    }

    // A walk that maps, as the tables are after it.
    void fill(const Path& path, uint64_t va, bool global) {
        Item item;
        item.page = page_of(va, path.last);
        item.global = global;
        for (unsigned level = 4; level >= path.last; --level) {
            const uint64_t raw = path.at(level).value.raw();
            item.entries.push_back({path.at(level).where.raw(), level, raw});
            item.writable &= (raw & 2) != 0;
            item.user &= (raw & 4) != 0;
            item.executable &= (raw >> 63) == 0;
        }
        item.frame = path.frame.raw() & ~((uint64_t{1} << (3 + 9 * path.last)) - 1);
        for (Item& known : items_) {
            if (!(known == item)) continue;
            known.entries = item.entries;  // other bits may have changed
            return;
        }
        items_.push_back(item);
    }

    // A store that changed a tracked entry, in RAM already: which translations lost their path by it?
    void entry_changed(const mem::GuestRam& ram, uint64_t pa, uint64_t old, uint64_t now) {
        for (Item& item : items_) {
            bool before = true;
            bool after = true;
            for (const Entry& entry : item.entries) {
                const bool changed = entry.pa == pa;
                const uint64_t current = ram.read<uint64_t>(PhysAddr(entry.pa));
                before &= !weakens(item, entry, changed ? old : current);
                after &= !weakens(item, entry, changed ? now : current);
            }
            if (before && !after) item.touched = true;
        }
    }

    void flush_others() {
        std::erase_if(items_, [](const Item& item) { return !item.global; });
        for (auto it = reported_.begin(); it != reported_.end();)
            it = it->second ? std::next(it) : reported_.erase(it);
    }
    void flush_all() {
        items_.clear();
        reported_.clear();
    }
    void drop(uint64_t va) {
        std::erase_if(items_, [&](const Item& item) { return page_of(va, item.page.second) == item.page; });
        for (unsigned level = 1; level <= 3; ++level) reported_.erase(page_of(va, level));
    }

    [[nodiscard]] bool holds(uint64_t va) const {
        for (const Item& item : items_)
            if (page_of(va, item.page.second) == item.page) return true;
        return false;
    }
    // An entry that some fill went through, more often a leaf, and what it held: chosen by a number.
    [[nodiscard]] std::optional<std::pair<uint64_t, uint64_t>> pick_entry(uint64_t choice) const {
        if (items_.empty()) return std::nullopt;
        const Item& item = items_[choice % items_.size()];
        choice /= items_.size();
        const Entry& entry =
            choice % 4 != 0 ? item.entries.back() : item.entries[choice / 4 % item.entries.size()];
        return std::pair(entry.pa, entry.raw);
    }

    struct Verdict {
        std::set<Page> must;  // filled in this address space, and a seen write made them stale
        std::set<Page> may;   // the TLB and the tables disagree, whatever the reason
        std::set<Page> all;   // the same, with those that were reported since their last flush
    };
    // What a check under these controls has to report, and may.
    [[nodiscard]] Verdict check(const mem::GuestRam& ram, const Controls& controls) {
        Verdict verdict;
        std::vector<const Item*> stale;
        for (Item& item : items_) {
            if (!disagrees(ram, controls, item)) {
                item.touched = false;
                continue;
            }
            if (!reported_.contains(item.page)) {
                verdict.may.insert(item.page);
                const bool here = (item.entries.front().pa & ~uint64_t{0xfff}) == controls.root().raw();
                if (item.touched && here) verdict.must.insert(item.page);
            }
            verdict.all.insert(item.page);
            stale.push_back(&item);
        }
        stale_.clear();
        for (const Item* item : stale) stale_.emplace_back(item->page, item->global);
        return verdict;
    }
    // After check(): these were reported.
    void reported(const std::set<Page>& pages) {
        for (const Page& page : pages) reported_[page];
        for (const auto& [page, global] : stale_)
            if (global && reported_.contains(page)) reported_[page] = true;
    }

private:
    struct Entry {
        uint64_t pa;
        unsigned level;
        uint64_t raw;
    };
    struct Item {
        Page page;
        uint64_t frame = 0;
        bool writable = true;
        bool user = true;
        bool executable = true;
        bool global = false;
        bool touched = false;
        std::vector<Entry> entries;

        bool operator==(const Item& o) const {
            if (page != o.page || frame != o.frame || writable != o.writable || user != o.user ||
                executable != o.executable || global != o.global || touched != o.touched)
                return false;
            for (size_t i = 0; i < entries.size(); ++i)
                if (entries[i].pa != o.entries[i].pa) return false;
            return true;
        }
    };

    static bool maps_page(unsigned level, uint64_t raw) {
        return level == 1 || (level < 4 && (raw & 0x80) != 0);
    }

    // For the item: a right that it has, and the entry no longer gives.
    static bool weakens(const Item& item, const Entry& entry, uint64_t now) {
        if ((now & 1) == 0 || maps_page(entry.level, now) != maps_page(entry.level, entry.raw)) return true;
        if (entry.level == 4 && (now & 0x80) != 0) return true;
        uint64_t address = 0x000f'ffff'ffff'f000;
        if (entry.level > 1 && maps_page(entry.level, now)) address -= 0x1000;  // PAT; the rest is 0
        if (((now ^ entry.raw) & address) != 0) return true;
        return (item.writable && (now & 2) == 0) || (item.user && (now & 4) == 0) ||
               (item.executable && (now >> 63) != 0);
    }

    static bool disagrees(const mem::GuestRam& ram, const Controls& controls, const Item& item) {
        const uint64_t size = uint64_t{1} << (3 + 9 * item.page.second);
        for (uint64_t offset = 0; offset < size;) {
            const Path path = walk(ram, controls, VirtAddr(item.page.first + offset));
            if (!path.mapped() || path.frame.raw() != item.frame + offset) return true;
            if (item.writable > path.writable || item.user > path.user || item.executable > !path.no_execute)
                return true;
            offset += uint64_t{1} << (3 + 9 * path.last);
        }
        return false;
    }

    std::vector<Item> items_;
    std::map<Page, bool> reported_;  // true: also as a global page
    std::vector<std::pair<Page, bool>> stale_;
};

}  // namespace forkscope::mmu
