// Protocol Buffers on the wire: the examples of the encoding's own documentation.
#include <gtest/gtest.h>

#include "tools/log/export/proto_writer.hpp"

namespace forkscope::tools {
namespace {

using namespace std::string_literals;

TEST(ProtoWriter, WritesTheDocumentedExamples) {
    EXPECT_EQ(ProtoWriter().number(1, 150).bytes(), "\x08\x96\x01"s);
    EXPECT_EQ(ProtoWriter().text(2, "testing").bytes(), "\x12\x07testing"s);
    EXPECT_EQ(ProtoWriter().message(3, ProtoWriter().number(1, 150)).bytes(), "\x1a\x03\x08\x96\x01"s);
}

TEST(ProtoWriter, WritesTheExtremes) {
    EXPECT_EQ(ProtoWriter().number(1, 0).bytes(), "\x08\x00"s);
    EXPECT_EQ(ProtoWriter().integer(1, -2).bytes(), "\x08\xfe\xff\xff\xff\xff\xff\xff\xff\xff\x01"s);
    EXPECT_EQ(ProtoWriter().fixed64(47, 0x0102030405060708).bytes(),
              "\xf9\x02\x08\x07\x06\x05\x04\x03\x02\x01"s);
    EXPECT_EQ(ProtoWriter().text(60, std::string(300, 'x')).bytes().substr(0, 4), "\xe2\x03\xac\x02"s);
}

}  // namespace
}  // namespace forkscope::tools
