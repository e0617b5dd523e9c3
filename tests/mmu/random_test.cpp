// Random table edits, fills, flushes and switches, on three kinds of table graphs. After every step the
// mirror equals RAM, the log alone gives the same tables, the engine holds nothing that the ledger does
// not know; and every check reports exactly the stale translations that a naive TLB has.
#include <gtest/gtest.h>

#include <cstdlib>

#include "random_machine.hpp"

namespace forkscope::mmu {
namespace {

class RandomTest : public ::testing::TestWithParam<Profile> {};

TEST_P(RandomTest, EverythingAgrees) {
    RandomMachine machine(GetParam());
    machine.run();
    EXPECT_GT(machine.findings, 0u) << "the walk never came across a stale translation";
    EXPECT_GT(machine.most_tables, 5u);
    if (GetParam().graph != Graph::Tree) {
        EXPECT_GT(machine.shared_fills, 0u);
    }
}

std::vector<Profile> profiles() {
    std::vector<Profile> list;
    // FORKSCOPE_SOAK=N: N longer runs instead.
    if (const char* soak = std::getenv("FORKSCOPE_SOAK")) {
        for (unsigned seed = 100; seed < 100 + std::strtoul(soak, nullptr, 10); ++seed)
            list.push_back({static_cast<Graph>(seed % 3), seed / 3 % 2 == 0, seed, 20'000, 16});
        return list;
    }
    for (const Graph graph : {Graph::Tree, Graph::Recursive, Graph::Mesh}) {
        for (const bool globals : {false, true}) {
            list.push_back({graph, globals, 1, 800, 1});
            list.push_back({graph, globals, 2, 10'000, 64});
        }
    }
    return list;
}

std::string name_of(const ::testing::TestParamInfo<Profile>& info) {
    constexpr std::array<const char*, 3> kNames = {"Tree", "Recursive", "Mesh"};
    const Profile& profile = info.param;
    return kNames[static_cast<size_t>(profile.graph)] + std::string(profile.globals ? "Global" : "") +
           std::to_string(profile.seed);
}

INSTANTIATE_TEST_SUITE_P(Graphs, RandomTest, ::testing::ValuesIn(profiles()), name_of);

}  // namespace
}  // namespace forkscope::mmu
