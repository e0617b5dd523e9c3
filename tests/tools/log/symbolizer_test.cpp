// Names for code addresses.
#include "tools/log/analysis/symbolizer.hpp"

#include <gtest/gtest.h>

namespace forkscope::analysis {
namespace {

Symbolizer make() {
    using log::ModuleKind;
    return Symbolizer(
        {{ModuleKind::Kernel,
          "kernel",
          "",
          {{0x1000, 0, "boot"},
           {0xffffffff80001000, 0x100, "copy_pte_range"},
           {0xffffffff80002000, 0x10, "tiny"}}},
         {ModuleKind::User, "forkdemo", "/bin/forkdemo", {{0x401000, 0x40, "main"}, {0x401010, 4, "inner"}}},
         {ModuleKind::User, "a-very-long-program", "/bin/a-very-long-program", {{0x401000, 9, "other"}}}});
}

TEST(Symbolizer, KernelCodeIsFoundWhateverTheProgram) {
    const Symbolizer s = make();
    EXPECT_EQ(s.text(0xffffffff80001000, 0, ""), "copy_pte_range");
    EXPECT_EQ(s.text(0xffffffff8000103c, 0, "forkdemo"), "copy_pte_range+0x3c");
    EXPECT_EQ(s.text(0xffffffff80001100, 0, ""), "0xffffffff80001100");  // past its size
    EXPECT_EQ(s.text(0x1234, 0, ""), "boot+0x234");                      // no size: up to the next
    EXPECT_EQ(s.text(0x10, 0, ""), "0x10");
}

TEST(Symbolizer, UserCodeIsLookedUpInItsProgram) {
    const Symbolizer s = make();
    EXPECT_EQ(s.text(0x401004, 3, "forkdemo"), "main+0x4");
    EXPECT_EQ(s.text(0x401004, 3, "a-very-long-pro"), "other+0x4");  // cut to 15 bytes by the kernel
    EXPECT_EQ(s.text(0x401004, 3, "unknown"), "0x401004");
    EXPECT_EQ(s.text(0x401004, 3, ""), "0x401004");
    EXPECT_EQ(s.text(0xffffffff80001000, 3, "forkdemo"), "0xffffffff80001000");
}

TEST(Symbolizer, LeavesOutTheNamespaceOfAWholeKernel) {
    const Symbolizer s({{log::ModuleKind::Kernel,
                         "kernel",
                         "",
                         {{0x1000, 16, "guest::do_fork"},
                          {0x2000, 16, "guest::(anonymous namespace)::copy_pte"},
                          {0x3000, 16, "guest::Tlb::flush"},
                          {0x4000, 16, "std::move"}}}});
    EXPECT_EQ(s.text(0x1000, 0, ""), "do_fork");
    EXPECT_EQ(s.text(0x2001, 0, ""), "copy_pte+0x1");
    EXPECT_EQ(s.text(0x3000, 0, ""), "Tlb::flush");
    EXPECT_EQ(s.text(0x4000, 0, ""), "std::move");
}

TEST(Symbolizer, SaysTheLineWhereItIsKnown) {
    const Symbolizer s({{log::ModuleKind::Kernel,
                         "kernel",
                         "",
                         {{0x1000, 0x100, "do_fork"}, {0x2000, 0x10, "memcpy"}},
                         {"guest/mm/copy.cpp", "a\x1b.hpp"},
                         {{0x1000, 0, 80}, {0x1010, 0, 88}, {0x1020, 1, 7}, {0x1030, 0, 0}}}});
    EXPECT_EQ(s.text(0x1000, 0, ""), "do_fork (guest/mm/copy.cpp:80)");
    EXPECT_EQ(s.text(0x101f, 0, ""), "do_fork+0x1f (guest/mm/copy.cpp:88)");
    EXPECT_EQ(s.text(0x1020, 0, ""), "do_fork+0x20 (a?.hpp:7)");
    EXPECT_EQ(s.text(0x1030, 0, ""), "do_fork+0x30");
    EXPECT_EQ(s.text(0x2000, 0, ""), "memcpy");
    EXPECT_EQ(s.find(0x1018, 0, "")->name(), "do_fork+0x18");
}

TEST(Symbolizer, TheNearestSymbolThatReachesTheAddressWins) {
    const Symbolizer s = make();
    EXPECT_EQ(s.text(0x401012, 3, "forkdemo"), "inner+0x2");
    EXPECT_EQ(s.text(0x401020, 3, "forkdemo"), "main+0x20");
}

}  // namespace
}  // namespace forkscope::analysis
