#include "emu/loader/kallsyms.hpp"

#include <gtest/gtest.h>

#include <random>

#include "tests/loader/kallsyms_builder.hpp"

namespace forkscope::loader {
namespace {

using Layout = test::KallsymsBuilder::Layout;

TEST(Kallsyms, FunctionsAreFoundWithTheirNamesAndAddressesInBothLayouts) {
    for (const Layout layout : {Layout::OffsetsFirst, Layout::OffsetsLast}) {
        const auto memory = test::some_kernel().build(layout);
        const auto table = find_kallsyms(memory);
        ASSERT_TRUE(table);
        // Neither data nor what belongs to each CPU is code.
        ASSERT_EQ(table->symbols().size(), 1201u);
        const Symbol* symbol = table->find(VirtAddr(test::KallsymsBuilder::kBase + 0x7010));
        ASSERT_NE(symbol, nullptr);
        EXPECT_EQ(symbol->name, "sys_number112");
        EXPECT_EQ(table->symbols().back().name, std::string(300, 'x'));
    }
}

TEST(Kallsyms, DigitsInARowAreNoTableYet) {
    // The same ten tokens, without the rest, before the real ones.
    std::vector<uint8_t> memory(4096);
    for (unsigned n = 0; n < 10; ++n) memory[512 + 2 * n] = static_cast<uint8_t>('0' + n);
    EXPECT_FALSE(find_kallsyms(memory));
    const auto kernel = test::some_kernel().build(Layout::OffsetsFirst);
    memory.insert(memory.end(), kernel.begin(), kernel.end());
    EXPECT_TRUE(find_kallsyms(memory));
}

TEST(Kallsyms, ATableThatIsCutOrChangedIsFoundOrNot) {
    const auto good = test::some_kernel().build(Layout::OffsetsFirst, 64);
    for (size_t size = 0; size < good.size(); size += 97)
        EXPECT_FALSE(find_kallsyms(std::span(good).first(size)) && size < good.size() / 2);
    std::mt19937 random(1);
    for (unsigned n = 0; n < 500; ++n) {
        auto bad = good;
        for (unsigned change = 0; change < 4; ++change)
            bad[random() % bad.size()] = static_cast<uint8_t>(random());
        const auto table = find_kallsyms(bad);
        EXPECT_LE(table ? table->symbols().size() : 0, 1203u);
    }
}

}  // namespace
}  // namespace forkscope::loader
