// How far an export is, on a terminal; nothing elsewhere. Counts events, no time.
#pragma once

#include <cstdint>
#include <string>

namespace forkscope::tools {

class Progress {
public:
    // `what` is done to `total` events, mostly: "exporting".
    Progress(std::string what, uint64_t total);
    // Takes the line away.
    ~Progress();
    Progress(const Progress&) = delete;
    Progress& operator=(const Progress&) = delete;

    void at(uint64_t number) {
        if (number >= next_) show(number);
    }

private:
    void show(uint64_t number);

    std::string what_;
    uint64_t total_;
    uint64_t next_ = ~uint64_t{0};  // that changes the percentage
    bool shown_ = false;
};

}  // namespace forkscope::tools
