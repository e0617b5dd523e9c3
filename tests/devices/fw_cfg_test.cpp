// The firmware configuration device: items, the directory, what lies past an item's end.
#include "devices/fw_cfg.hpp"

#include <gtest/gtest.h>

#include <algorithm>
#include <string>

#include "tests/devices/bench.hpp"
#include "tests/devices/flat_memory.hpp"

namespace forkscope::devices {
namespace {

class FwCfgTest : public testing::Test {
protected:
    void select(uint16_t item) { device.write({0, bus::Width::Word, 0}, item); }
    std::string bytes(size_t count) {
        std::string out;
        for (size_t i = 0; i < count; ++i) out += static_cast<char>(in(device, 1));
        return out;
    }
    FwCfg device{0x10000000, 1};
};

TEST_F(FwCfgTest, SignatureAndNumbers) {
    select(FwCfg::Signature);
    EXPECT_EQ(bytes(5), std::string("QEMU\0", 5));
    select(FwCfg::RamSize);
    EXPECT_EQ(bytes(8), std::string("\0\0\0\x10\0\0\0\0", 8));
    select(FwCfg::CpuCount);
    EXPECT_EQ(bytes(2), std::string("\1\0", 2));
    select(FwCfg::Signature);  // begins again
    EXPECT_EQ(bytes(1), "Q");
    select(0x3fff);
    EXPECT_EQ(bytes(2), std::string("\0\0", 2));
}

TEST_F(FwCfgTest, FilesAreInTheDirectory) {
    device.add_file("etc/one", {'a', 'b', 'c'});
    device.add_file(std::string(100, 'n'), {});
    select(FwCfg::FileDirectory);
    EXPECT_EQ(bytes(4), std::string("\0\0\0\2", 4));
    const std::string first = bytes(64);
    EXPECT_EQ(first.substr(0, 4), std::string("\0\0\0\3", 4));
    EXPECT_STREQ(first.c_str() + 8, "etc/one");
    const std::string second = bytes(64);
    EXPECT_EQ(std::string(second.c_str() + 8), std::string(55, 'n'));
    select(static_cast<uint16_t>(static_cast<uint8_t>(first[4]) << 8 | static_cast<uint8_t>(first[5])));
    EXPECT_EQ(bytes(3), "abc");
}

class FwCfgDmaTest : public testing::Test {
protected:
    static constexpr uint32_t kRead = 2, kSkip = 4, kSelect = 8, kWrite = 16;
    static constexpr uint64_t kRequest = 0x100, kBuffer = 0x1000;

    void store32(uint64_t at, uint32_t value) {
        ASSERT_TRUE(memory.store(PhysAddr(at), __builtin_bswap32(value)));
    }
    // What the request's control word holds afterwards.
    uint32_t request(uint32_t control, uint32_t length, uint64_t address = kBuffer) {
        store32(kRequest, control);
        store32(kRequest + 4, length);
        store32(kRequest + 8, static_cast<uint32_t>(address >> 32));
        store32(kRequest + 12, static_cast<uint32_t>(address));
        device.dma().write({0, bus::Width::Dword, 0}, 0);
        device.dma().write({4, bus::Width::Dword, 0}, __builtin_bswap32(kRequest));
        uint32_t control_now = 0;
        EXPECT_TRUE(memory.load(PhysAddr(kRequest), control_now));
        return __builtin_bswap32(control_now);
    }
    std::string buffer(size_t size) { return {reinterpret_cast<const char*>(&memory.bytes[kBuffer]), size}; }
    static uint32_t item(uint32_t selector) { return selector << 16; }

    FlatMemory memory;
    FwCfg device{0x10000000, 1, &memory};
};

TEST_F(FwCfgDmaTest, IsKnownByItsSignatureAndVersion) {
    EXPECT_EQ(device.dma().read({0, bus::Width::Dword, 0}), 0x554d4551u);
    EXPECT_EQ(device.dma().read({4, bus::Width::Dword, 0}), 0x47464320u);
    EXPECT_EQ(request(item(FwCfg::Id) | kSelect | kRead, 4), 0u);
    EXPECT_EQ(buffer(4), std::string("\3\0\0\0", 4));
    FwCfg without{0x10000000, 1};
    EXPECT_EQ(without.dma().read({0, bus::Width::Dword, 0}), 0xffffffffu);
}

TEST_F(FwCfgDmaTest, ReadsInPiecesAndSkips) {
    device.add_file("f", {'a', 'b', 'c', 'd', 'e'});
    std::fill_n(&memory.bytes[kBuffer], 16, uint8_t{'x'});
    EXPECT_EQ(request(item(0x20) | kSelect, 0), 0u);
    EXPECT_EQ(request(kRead, 2), 0u);
    EXPECT_EQ(buffer(3), "abx");
    EXPECT_EQ(request(kSkip, 1), 0u);
    EXPECT_EQ(request(kRead, 4), 0u);  // past the end: zeros
    EXPECT_EQ(buffer(5), std::string("de\0\0x", 5));
}

TEST_F(FwCfgDmaTest, WhatCannotBeDoneIsAnError) {
    constexpr uint32_t kError = 1;
    EXPECT_EQ(request(item(FwCfg::Signature) | kSelect | kWrite, 4), kError);
    EXPECT_EQ(request(item(FwCfg::Signature) | kSelect | kRead, 4, 0xfffe), kError);
    EXPECT_EQ(request(item(FwCfg::Signature) | kSelect | kRead, 0x20000), kError);
    // A request outside RAM has nowhere to answer.
    device.dma().write({4, bus::Width::Dword, 0}, __builtin_bswap32(0x7000'0000u));
}

}  // namespace
}  // namespace forkscope::devices
