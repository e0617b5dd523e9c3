// Lines for the user on standard error. A line that cannot be written is lost: nobody could be told.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string>

namespace forkscope {

// fmt::print throws when the stream is full or closed; this does not.
template <typename... Args>
void say(fmt::format_string<Args...> format, Args&&... args) {
    const std::string line = fmt::format(format, std::forward<Args>(args)...) + "\n";
    (void)std::fwrite(line.data(), 1, line.size(), stderr);
}

}  // namespace forkscope
