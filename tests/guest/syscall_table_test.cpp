// The system-call table against the host's own numbers.
#include <asm/unistd_64.h>
#include <gtest/gtest.h>

#include <algorithm>
#include <string>
#include <vector>

// Younger than the headers of Debian 12.
#ifndef __NR_fchmodat2
#define __NR_fchmodat2 452
#endif
#ifndef __NR_mseal
#define __NR_cachestat 451
#define __NR_map_shadow_stack 453
#define __NR_futex_wake 454
#define __NR_futex_wait 455
#define __NR_futex_requeue 456
#define __NR_statmount 457
#define __NR_listmount 458
#define __NR_lsm_get_self_attr 459
#define __NR_lsm_set_self_attr 460
#define __NR_lsm_list_modules 461
#define __NR_mseal 462
#endif

namespace {

struct Row {
    unsigned number;
    const char* name;
    const char* signature;
    unsigned host_number;
};

const std::vector<Row>& rows() {
    static const std::vector<Row> all = {
#define SYSCALL(number, name, signature) {number, #name, signature, __NR_##name},
#define MISSING_SYSCALL SYSCALL
#include "guest/abi/syscalls.def"
#undef SYSCALL
    };
    return all;
}

std::vector<std::string> words_of(const std::string& text) {
    std::vector<std::string> words;
    size_t start = 0;
    while (start <= text.size() && !text.empty()) {
        const size_t comma = std::min(text.find(',', start), text.size());
        words.push_back(text.substr(start, comma - start));
        start = comma + 1;
    }
    return words;
}

TEST(SyscallTable, NumbersAreLinuxs) {
    for (const Row& row : rows()) EXPECT_EQ(row.number, row.host_number) << row.name;
}

TEST(SyscallTable, IsSortedWithoutDoubles) {
    for (size_t i = 1; i < rows().size(); ++i)
        EXPECT_LT(rows()[i - 1].number, rows()[i].number) << rows()[i].name;
}

// Linux has given out 0 to 334 and 424 to 462; what lies between is for all architectures but this one.
TEST(SyscallTable, EveryNumberHasAName) {
    std::vector<bool> named(463);
    for (const Row& row : rows()) {
        if (row.number < named.size()) named[row.number] = true;
    }
    for (size_t number = 0; number < named.size(); ++number) {
        EXPECT_TRUE(named[number] || (number > 334 && number < 424)) << number;
    }
}

TEST(SyscallTable, SignaturesUseKnownWords) {
    const std::vector<std::string> known = {
        "int", "uint", "hex", "size",  "off",  "fd",   "dirfd",    "path",       "str",       "buf",  "in",
        "out", "pid",  "sig", "flags", "mode", "prot", "mapflags", "cloneflags", "openflags", "addr", "none"};
    const auto is_known = [&](const std::string& word) {
        return std::find(known.begin(), known.end(), word) != known.end();
    };
    for (const Row& row : rows()) {
        const std::string signature = row.signature;
        const size_t equals = signature.find('=');
        ASSERT_NE(equals, std::string::npos) << row.name;
        EXPECT_TRUE(is_known(signature.substr(equals + 1))) << row.name << ": " << signature;
        const auto arguments = words_of(signature.substr(0, equals));
        EXPECT_LE(arguments.size(), 6u) << row.name;
        for (const std::string& word : arguments) EXPECT_TRUE(is_known(word)) << row.name << ": " << word;
    }
}

}  // namespace
