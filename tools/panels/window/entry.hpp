// What the program finds in the panels' module: one C symbol that gives a table. Both are built from one
// tree; the version tells when they were not.
#pragma once

#include <cstdint>
#include <optional>
#include <string>

#include "emu/base/result.hpp"

namespace forkscope::panels {

struct ViewOptions {
    std::string file;
    uint64_t at = ~uint64_t{0};  // events that have happened; more than there are: the end
    uint64_t fork = 0;  // whose story is open, and whose call is gone to if `at` says nothing; 0: none
    std::optional<uint64_t> frame;  // whose biography is shown; a physical address
    std::string panel = "all";
    std::string theme = "dark";
    double scale = 1;
    int width = 1600, height = 1000;
    std::string screenshot;  // a PNG file; no window is shown then
    uint64_t frames = 0;     // draw so many, going on by an event with each, and say how long they took
};

struct ViewReport {
    double median_ms = 0;  // of the frames that were wanted
    double longest_ms = 0;
};

struct Module {
    // To be raised with every change of this table or of the types that it names.
    static constexpr unsigned kVersion = 1;
    static constexpr const char* kSymbol = "forkscope_panels_module";
    using Entry = const Module* (*)();

    unsigned version;
    // Shows the log until the window is closed, or does what the options say without one.
    Result<ViewReport> (*view)(const ViewOptions& options);
};

}  // namespace forkscope::panels
