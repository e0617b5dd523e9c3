// Makes newc archives in memory.
#pragma once

#include <fmt/format.h>

#include <cstdint>
#include <string>
#include <string_view>
#include <vector>

namespace forkscope::loader {

class CpioBuilder {
public:
    struct Options {
        uint32_t mode = 0100755;
        uint32_t links = 1;
        uint32_t inode = 0;  // 0: one of its own
    };

    CpioBuilder& add(const std::string& path, std::string_view data, Options options) {
        const uint32_t inode = options.inode != 0 ? options.inode : next_inode_++;
        const uint32_t fields[13] = {inode,
                                     options.mode,
                                     0,
                                     0,
                                     options.links,
                                     0,
                                     static_cast<uint32_t>(data.size()),
                                     8,
                                     1,
                                     0,
                                     0,
                                     static_cast<uint32_t>(path.size() + 1),
                                     0};
        text("070701");
        for (const uint32_t field : fields) text(fmt::format("{:08X}", field));
        text(path);
        bytes.push_back(0);
        pad();
        text(data);
        pad();
        return *this;
    }
    CpioBuilder& add(const std::string& path, std::string_view data) { return add(path, data, Options{}); }
    CpioBuilder& end() { return add("TRAILER!!!", "", {.mode = 0, .links = 1, .inode = 0}); }

    std::vector<uint8_t> bytes;

private:
    void text(std::string_view s) { bytes.insert(bytes.end(), s.begin(), s.end()); }
    void pad() {
        while (bytes.size() % 4 != 0) bytes.push_back(0);
    }
    uint32_t next_inode_ = 1000;
};

}  // namespace forkscope::loader
