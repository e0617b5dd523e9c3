// Function names and addresses out of ELF files and initramfs archives.
#include "emu/loader/symbols.hpp"

#include <gmock/gmock.h>
#include <gtest/gtest.h>
#include <link.h>

#include <random>

#include "emu/loader/image.hpp"
#include "tests/loader/cpio_builder.hpp"
#include "tests/loader/elf_builder.hpp"

namespace forkscope::loader {

// Not in the unnamed namespace, so that their names are known; never inlined, so that they exist.
constexpr uint32_t kMarkerLine = __LINE__ + 1;
[[gnu::noinline]] int symbols_test_marker(int value) {
    asm volatile("" : "+r"(value));
    return value + 1;
}

// The header's code is inlined, whatever the optimization.
[[gnu::noinline, gnu::flatten]] uint64_t lines_test_marker(const uint8_t* bytes, size_t count) {
    uint64_t sum = 0;
    for (size_t i = 0; i < count; ++i) sum += (VirtAddr(bytes[i]) + 1).page_base().raw();
    return sum;
}

namespace {

using testing::HasSubstr;

TEST(FunctionName, WithoutArgumentsAndReturnType) {
    const std::pair<const char*, const char*> rows[] = {
        {"main", "main"},
        {"do_fork.part.0", "do_fork.part.0"},
        {"_Z1fv", "f"},
        {"_ZN2mm15copy_page_rangeEP9mm_structS1_", "mm::copy_page_range"},
        {"_ZNK6kernel4Task4nameEv", "kernel::Task::name"},
        {"_ZN6kernel8for_eachI4TaskEEvT_", "kernel::for_each<Task>"},
        {"_ZN12_GLOBAL__N_13runEi", "(anonymous namespace)::run"},
        {"_ZN2fs12_GLOBAL__N_13runEPFvvE", "fs::(anonymous namespace)::run"},
        {"_ZN1SclEi", "S::operator()"},
        {"_ZN1SltERKS_", "S::operator<"},
        {"_ZN1SrsEi", "S::operator>>"},
        {"_ZN1SptEv", "S::operator->"},
        {"_ZN1ScvbEv", "S::operator bool"},
        {"_Znwm", "operator new"},
        {"_ZN3mapIiPFvvEE6insertEi", "map<int, void (*)()>::insert"},
        {"_Z4loopiiPKc.cold", "loop.cold"},
        {"_ZL9page_fillP4pagej", "page_fill"},
        {"_ZZ4mainENKUlvE_clEv", "main::{lambda()#1}::operator()"},
        {"_ZZN2mm4walkEiENKUlmE_clEm", "mm::walk::{lambda(unsigned long)#1}::operator()"},
        {"_ZZNK1S4findEiENKUlvE_clEv", "S::find::{lambda()#1}::operator()"},
        {"_Z3mapIXadL_Z4pagevEEEvi", "map<&(page())>"},
        {"_ZltIiEbT_S0_", "operator< <int>"},
        {"_ZN1ScvPKcEv", "S::operator char const*"},
        {"_Zgarbage", "_Zgarbage"},
        {"", ""},
    };
    for (const auto& [symbol, name] : rows) EXPECT_EQ(function_name(symbol), name) << symbol;
}

// f(A<int, int>, A<that, that>, A<that, that>, ...): each argument twice as long as the one before.
TEST(FunctionName, NamesThatUnfoldWithoutEndStayAsTheyAre) {
    const auto doubling = [](unsigned levels) {
        constexpr std::string_view kDigits = "0123456789ABCDEFGHIJKLMNOPQRSTUVWXYZ";
        std::string name = "_Z1f1AIiiE";
        for (unsigned level = 0; level < levels; ++level) {
            const char last = kDigits[level % 36];
            name += fmt::format("S_IS{}_S{}_E", last, last);
        }
        return name;
    };
    EXPECT_EQ(function_name(doubling(6)), "f");
    EXPECT_EQ(function_name(doubling(36)), doubling(36));
}

TestElf elf_with(std::vector<TestSymbol> symbols) {
    TestElf elf = pvh_kernel();
    elf.symbols = std::move(symbols);
    return elf;
}

TEST(Symbols, FunctionsAndCodeLabelsOnly) {
    for (const bool is_64 : {true, false}) {
        TestElf elf = elf_with({{"_Z7do_forkm", 0x2000, 0x40, STT_FUNC},
                                {"entry_SYSCALL_64", 0x1000, 0, STT_NOTYPE},
                                {".Lloop", 0x1008, 0, STT_NOTYPE},
                                {"jiffies", 0x9000, 8, STT_OBJECT, 2},
                                {"__bss_start", 0x9100, 0, STT_NOTYPE, 2},
                                {"imported", 0, 0, STT_FUNC, SHN_UNDEF},
                                {"absolute", 0x77, 0, STT_NOTYPE, SHN_ABS},
                                {"kernel.c", 0, 0, STT_FILE, SHN_ABS},
                                {"memcpy", 0x2040, 0x10, STT_GNU_IFUNC}});
        elf.is_64 = is_64;
        const auto table = read_symbols("k", elf.build());
        ASSERT_TRUE(table) << table.error().message;
        ASSERT_EQ(table->symbols().size(), 3u);
        EXPECT_EQ(table->symbols()[0].name, "entry_SYSCALL_64");
        EXPECT_EQ(table->symbols()[1].name, "do_fork");
        EXPECT_EQ(table->symbols()[1].address, VirtAddr(0x2000));
        EXPECT_EQ(table->symbols()[1].size, 0x40u);
        EXPECT_EQ(table->symbols()[2].name, "memcpy");
        EXPECT_FALSE(table->is_position_independent());
    }
}

TEST(Symbols, FindCoversSizesAndLabels) {
    const auto table = read_symbols("k", elf_with({{"label", 0x1000, 0, STT_NOTYPE},
                                                   {"f", 0x2000, 0x10, STT_FUNC},
                                                   {"alias", 0x2000, 0, STT_NOTYPE},
                                                   {"g", 0x2010, 0x10, STT_FUNC}})
                                             .build());
    ASSERT_TRUE(table);
    const auto name = [&](uint64_t address) -> std::string {
        const Symbol* symbol = table->find(VirtAddr(address));
        return symbol != nullptr ? symbol->name : "none";
    };
    EXPECT_EQ(name(0xfff), "none");
    EXPECT_EQ(name(0x1000), "label");
    EXPECT_EQ(name(0x1fff), "label");
    EXPECT_EQ(name(0x2000), "f");
    EXPECT_EQ(name(0x200f), "f");
    EXPECT_EQ(name(0x2010), "g");
    EXPECT_EQ(name(0x2020), "none");
    EXPECT_EQ(name(~uint64_t{0}), "none");
    EXPECT_EQ(SymbolTable().find(VirtAddr(1)), nullptr);
}

TEST(Symbols, StrippedImageGivesNone) {
    const auto table = read_symbols("k", pvh_kernel().build());
    ASSERT_TRUE(table) << table.error().message;
    EXPECT_TRUE(table->symbols().empty());
    TestElf pie = pvh_kernel();
    pie.type = ET_DYN;
    EXPECT_TRUE(read_symbols("k", pie.build())->is_position_independent());
}

// A real file that a compiler made: this test itself.
TEST(Symbols, KnowsThisProgram) {
    const auto image = read_image("/proc/self/exe");
    ASSERT_TRUE(image) << image.error().message;
    const auto table = read_symbols("self", image->bytes);
    ASSERT_TRUE(table) << table.error().message;
    EXPECT_GT(table->symbols().size(), 100u);
    uintptr_t base = 0;
    dl_iterate_phdr(
        [](dl_phdr_info* info, size_t, void* data) {
            *static_cast<uintptr_t*>(data) = info->dlpi_addr;
            return 1;  // the first is the program
        },
        &base);
    EXPECT_EQ(symbols_test_marker(1), 2);
    const auto address =
        reinterpret_cast<uintptr_t>(&symbols_test_marker) - (table->is_position_independent() ? base : 0);
    const Symbol* symbol = table->find(VirtAddr(address + 1));
    ASSERT_NE(symbol, nullptr);
    EXPECT_EQ(symbol->name, "forkscope::loader::symbols_test_marker");
    EXPECT_EQ(symbol->address, VirtAddr(address));
}

// As a file in build/ would be told, from the directory of the build.
TEST(Lines, KnowsThisProgram) {
    const auto image = read_image("/proc/self/exe");
    ASSERT_TRUE(image) << image.error().message;
    const auto symbols = read_symbols("self", image->bytes);
    const auto lines = read_lines("self", image->bytes);
    ASSERT_TRUE(symbols && lines);
    const auto symbol =
        std::ranges::find(symbols->symbols(), "forkscope::loader::symbols_test_marker", &Symbol::name);
    ASSERT_NE(symbol, symbols->symbols().end());
    const LineRow* row = lines->find(symbol->address);
    ASSERT_NE(row, nullptr);
    EXPECT_THAT(lines->files[row->file], testing::EndsWith("tests/loader/symbols_test.cpp"));
    EXPECT_GE(row->line, kMarkerLine);
    EXPECT_LE(row->line, kMarkerLine + 3);
    EXPECT_EQ(lines->find(VirtAddr(0)), nullptr);
    EXPECT_TRUE(std::ranges::is_sorted(lines->rows, {}, &LineRow::address));
}

// The call in this file is told, not the line of the header that was inlined.
TEST(Lines, InlinedHeadersAreToldByTheirCall) {
    const auto image = read_image("/proc/self/exe");
    const auto symbols = read_symbols("self", image->bytes);
    const auto lines = read_lines("self", image->bytes);
    ASSERT_TRUE(symbols && lines);
    const auto symbol =
        std::ranges::find(symbols->symbols(), "forkscope::loader::lines_test_marker", &Symbol::name);
    ASSERT_NE(symbol, symbols->symbols().end());
    EXPECT_EQ(lines_test_marker(nullptr, 0), 0u);
    for (uint64_t at = 0; at < symbol->size; ++at) {
        const LineRow* row = lines->find(symbol->address + at);
        ASSERT_NE(row, nullptr) << at;
        EXPECT_THAT(lines->files[row->file], testing::EndsWith("tests/loader/symbols_test.cpp")) << at;
    }
}

TEST(Lines, NoDwarfNoLines) {
    const auto lines = read_lines("k", pvh_kernel().build());
    ASSERT_TRUE(lines) << lines.error().message;
    EXPECT_TRUE(lines->rows.empty());
    EXPECT_FALSE(read_lines("text", std::vector<uint8_t>{'t', 'e', 'x', 't'}));
}

TEST(Symbols, DamageIsAnErrorOrATable) {
    const std::vector<uint8_t> whole =
        elf_with({{"_Z7do_forkm", 0x2000, 0x40, STT_FUNC}, {"entry", 0x1000, 0, STT_NOTYPE}}).build();
    for (size_t size = 0; size < whole.size(); ++size) {
        const auto result = read_symbols("cut", std::span(whole).first(size));
        ASSERT_FALSE(result) << size;  // the section headers are the last thing in the file
        EXPECT_THAT(result.error().message, HasSubstr("cut: "));
    }
    std::mt19937 random(5);
    for (int round = 0; round < 20000; ++round) {
        std::vector<uint8_t> bytes = whole;
        for (uint64_t n = random() % 3; n <= 3; ++n)
            bytes[random() % bytes.size()] = static_cast<uint8_t>(random());
        (void)read_symbols("flipped", bytes);
    }
}

TEST(Symbols, StringSectionOutOfRange) {
    std::vector<uint8_t> bytes = elf_with({{"f", 1, 1, STT_FUNC}}).build();
    const size_t symtab_header = bytes.size() - 2 * sizeof(Elf64_Shdr);
    bytes[symtab_header + offsetof(Elf64_Shdr, sh_link)] = 99;
    const auto result = read_symbols("k", bytes);
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, HasSubstr("names string section 99 of 5"));
}

std::string as_text(const std::vector<uint8_t>& bytes) { return {bytes.begin(), bytes.end()}; }

TEST(InitramfsSymbols, EveryElfOfTheArchive) {
    CpioBuilder builder;
    builder.add("bin/forkdemo", as_text(elf_with({{"main", 0x401000, 0x20, STT_FUNC}}).build()))
        .add("./sbin/init", as_text(elf_with({{"_start", 0x400000, 0x10, STT_FUNC}}).build()))
        .add("etc/motd", "no ELF")
        .add("bin/broken",
             "\x7f"
             "ELF but not for long")
        .end();
    const auto result = read_initramfs_symbols("initramfs.cpio", builder.bytes);
    ASSERT_TRUE(result) << result.error().message;
    ASSERT_EQ(result->files.size(), 2u);
    EXPECT_EQ(result->files.at("/bin/forkdemo").symbols()[0].name, "main");
    EXPECT_EQ(result->files.at("/sbin/init").symbols()[0].name, "_start");
    ASSERT_EQ(result->problems.size(), 1u);
    EXPECT_THAT(result->problems[0], HasSubstr("initramfs.cpio: bin/broken: "));
}

TEST(InitramfsSymbols, BadArchiveIsAnError) {
    const std::vector<uint8_t> bytes(300, 'x');
    const auto result = read_initramfs_symbols("i", bytes);
    ASSERT_FALSE(result);
    EXPECT_THAT(result.error().message, HasSubstr("offset 0x0"));
}

}  // namespace
}  // namespace forkscope::loader
