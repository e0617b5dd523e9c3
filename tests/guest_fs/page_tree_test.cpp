// The radix tree behind the page cache.
#include "guest/fs/page_tree.hpp"

#include <gtest/gtest.h>

#include <map>
#include <random>

#include "tests/guest_fs/host_kernel.hpp"

namespace {

using guest::page;
using guest::page_tree;

page* fake(uint64_t n) { return reinterpret_cast<page*>(0x1000 + n * 8); }

TEST(PageTree, IsEmptyAtFirst) {
    page_tree tree;
    uint64_t index = 0;
    EXPECT_EQ(tree.lookup(0), nullptr);
    EXPECT_EQ(tree.lookup(~uint64_t{0}), nullptr);
    EXPECT_EQ(tree.next(index), nullptr);
    EXPECT_EQ(tree.remove(5), nullptr);
}

TEST(PageTree, ReachesTheLargestIndex) {
    page_tree tree;
    EXPECT_TRUE(tree.insert(~uint64_t{0}, fake(1)).ok());
    EXPECT_TRUE(tree.insert(0, fake(2)).ok());
    EXPECT_EQ(tree.lookup(~uint64_t{0}), fake(1));
    uint64_t index = 1;
    EXPECT_EQ(tree.next(index), fake(1));
    EXPECT_EQ(index, ~uint64_t{0});
    EXPECT_EQ(tree.remove(~uint64_t{0}), fake(1));
    EXPECT_EQ(tree.next(index), nullptr);
    EXPECT_EQ(tree.remove(0), fake(2));
    EXPECT_EQ(tree.count(), 0U);
}

// Against a map, with indices at every height.
TEST(PageTree, AgreesWithAMap) {
    std::mt19937_64 random(1);
    page_tree tree;
    std::map<uint64_t, page*> model;
    for (int step = 0; step < 20000; ++step) {
        const uint64_t index = random() >> (random() % 64);
        if (random() % 2 == 0) {
            if (model.count(index) == 0) {
                ASSERT_TRUE(tree.insert(index, fake(index % 1000)).ok());
                model[index] = fake(index % 1000);
            }
        } else {
            auto found = model.find(index);
            ASSERT_EQ(tree.remove(index), found == model.end() ? nullptr : found->second);
            if (found != model.end()) model.erase(found);
        }
        uint64_t next = random() >> (random() % 64);
        auto expected = model.lower_bound(next);
        ASSERT_EQ(tree.next(next), expected == model.end() ? nullptr : expected->second);
        ASSERT_TRUE(expected == model.end() || next == expected->first);
        ASSERT_EQ(tree.count(), model.size());
    }
    for (const auto& [index, frame] : model) ASSERT_EQ(tree.remove(index), frame);
}

// Whatever allocation fails, the tree holds what it held.
TEST(PageTree, SurvivesEveryFailedAllocation) {
    for (uint64_t nth = 1;; ++nth) {
        page_tree tree;
        ASSERT_TRUE(tree.insert(3, fake(3)).ok());
        host_kernel::fail_allocation(nth);
        const bool inserted = tree.insert(uint64_t{1} << 40, fake(4)).ok();
        host_kernel::fail_allocation(0);
        EXPECT_EQ(tree.lookup(3), fake(3));
        EXPECT_EQ(tree.lookup(uint64_t{1} << 40), inserted ? fake(4) : nullptr);
        EXPECT_EQ(tree.count(), inserted ? 2U : 1U);
        if (inserted) tree.remove(uint64_t{1} << 40);
        tree.remove(3);
        if (inserted) {
            EXPECT_GT(nth, 5U);
            break;
        }
    }
}

}  // namespace
