// The firmware configuration device: items, the directory, what lies past an item's end.
#include "devices/fw_cfg.hpp"

#include <gtest/gtest.h>

#include <string>

#include "tests/devices/bench.hpp"

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

}  // namespace
}  // namespace forkscope::devices
