// The line of progress.
#include "tools/log/export/progress.hpp"

#include <fmt/format.h>
#include <unistd.h>

#include <algorithm>
#include <cstdio>

#include "tools/log/text/numbers.hpp"

namespace forkscope::tools {

namespace {

void put(const std::string& line) {
    (void)std::fwrite(line.data(), 1, line.size(), stderr);
    (void)std::fflush(stderr);
}

// What takes no time to speak of needs no line.
constexpr uint64_t kFewEvents = 500'000;

}  // namespace

Progress::Progress(std::string what, uint64_t total) : what_(std::move(what)), total_(total) {
    if (isatty(STDERR_FILENO) != 0 && total_ >= kFewEvents) next_ = 0;
}

Progress::~Progress() {
    if (shown_) put("\r\x1b[K");
}

void Progress::show(uint64_t number) {
    const uint64_t percent = std::min<uint64_t>(100, number / (total_ / 100));
    put(fmt::format("\r{} {}: {:>3}%\x1b[K", what_, counted(total_, "event"), percent));
    shown_ = true;
    next_ = (percent + 1) * (total_ / 100);
}

}  // namespace forkscope::tools
