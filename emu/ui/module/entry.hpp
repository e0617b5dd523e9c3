// What the program finds in the module: one C symbol that gives a table of what the window can do. Both are
// built from one tree; the version tells when they were not.
#pragma once

#include "emu/base/result.hpp"

namespace forkscope::ui {

struct Module {
    // To be raised with every change of this table or of the types that it names.
    static constexpr unsigned kVersion = 1;
    static constexpr const char* kSymbol = "forkscope_ui_module";
    using Entry = const Module* (*)();

    unsigned version;
    // Whether a window can be opened here.
    Result<> (*probe)();
};

}  // namespace forkscope::ui
