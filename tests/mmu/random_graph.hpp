// Table graphs to be edited at random: a tree, one whose roots map themselves, or one where any table
// may point to any.
#pragma once

#include <random>

#include "mmu_machine.hpp"

namespace forkscope::mmu {

enum class Graph { Tree, Recursive, Mesh };
struct Profile {
    Graph graph;
    bool globals;
    unsigned seed;
    unsigned steps;
    unsigned audit_every;
};

inline constexpr std::array<unsigned, 3> kIndices = {0, 3, 256};
inline constexpr unsigned kRoots = 3;

class RandomGraph {
protected:
    explicit RandomGraph(const Profile& profile) : profile_(profile), random_(profile.seed) {}

    unsigned below(unsigned n) { return static_cast<unsigned>(random_() % n); }

    // Tables stand in RAM level by level. The roots share the upper half: one table of level 3.
    static unsigned tables_at(unsigned level) {
        constexpr unsigned counts[] = {0, 7 * 9, 7 * 3, 7, kRoots};
        return counts[level];
    }
    static PhysAddr table(unsigned level, unsigned n) {
        unsigned at = 16;
        for (unsigned l = 4; l > level; --l) at += tables_at(l);
        return PhysAddr((at + n) * kPageSize);
    }
    static PhysAddr root(unsigned n) { return table(4, n); }
    static unsigned all_tables() { return tables_at(1) + tables_at(2) + tables_at(3) + tables_at(4); }
    static PhysAddr any_table(unsigned n) { return PhysAddr((16 + n) * kPageSize); }
    PhysAddr data_frame() { return PhysAddr((200 + below(8)) * kPageSize); }
    uint64_t rights() {
        uint64_t r = kP | kW | kU;
        if (below(4) == 0) r &= ~kW;
        if (below(6) == 0) r &= ~kU;
        if (below(8) == 0) r |= kNx;
        if (below(4) == 0) r |= kA;
        if (below(4) == 0) r |= kD;
        return r;
    }

    // What entry k of a table holds in an orderly world.
    uint64_t natural(unsigned level, unsigned n, unsigned k) {
        if (level == 1 || (level < 4 && below(8) == 0)) return leaf(level, n, k);
        if (profile_.graph == Graph::Mesh) return any_table(below(all_tables())).raw() | rights();
        const unsigned child = level == 4 ? (k == 2 ? 6 : 2 * n + k) : 3 * n + k;
        return table(level - 1, child).raw() | rights();
    }
    uint64_t leaf(unsigned level, unsigned n, unsigned k) {
        uint64_t value = rights();
        if (level == 1) value |= below(10) == 0 ? any_table(below(all_tables())).raw() : data_frame().raw();
        if (level == 2) value |= kPs | uint64_t{0x20'0000} * below(3);
        if (level == 3) value |= kPs | uint64_t{0x4000'0000} * below(2);
        // Global pages stand in the shared half.
        const bool upper = level == 3 ? n == 6 : level == 2 ? n / 3 == 6 : n / 9 == 6;
        if (profile_.globals && (upper || k == 2) && below(4) != 0) value |= kG;
        return value;
    }

    // For any table used at any level: what natural() says, if it is its natural one.
    uint64_t fitting(unsigned level, unsigned number, unsigned index) {
        unsigned natural_level = 4;
        while (number >= tables_at(natural_level)) number -= tables_at(natural_level--);
        const unsigned k = index == 0 ? 0 : index == 3 ? 1 : 2;
        if (level == natural_level) return natural(level, number, k);
        return level == 1 ? data_frame().raw() | rights() : any_table(below(all_tables())).raw() | rights();
    }

    VirtAddr random_va() {
        constexpr unsigned kTop[] = {0, 3, 256, 511};
        const unsigned tops = profile_.graph == Graph::Recursive ? 4 : 3;
        uint64_t raw = 0;
        for (unsigned level = 4; level > 0; --level)
            raw |= uint64_t{kTop[below(level == 4 || profile_.graph == Graph::Recursive ? tops : 3)]}
                   << (3 + 9 * level);
        return VirtAddr(static_cast<uint64_t>(static_cast<int64_t>(raw << 16) >> 16));
    }

    Profile profile_;
    std::mt19937_64 random_;
};

}  // namespace forkscope::mmu
