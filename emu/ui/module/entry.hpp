// What the program finds in the module: one C symbol that gives a table of what the window can do. Both are
// built from one tree; the version tells when they were not.
#pragma once

#include <memory>

#include "emu/base/result.hpp"
#include "emu/ui/guest_window.hpp"

namespace forkscope::ui {

struct Module {
    // To be raised with every change of this table or of the types that it names.
    static constexpr unsigned kVersion = 2;
    static constexpr const char* kSymbol = "forkscope_ui_module";
    using Entry = const Module* (*)();

    unsigned version;
    // GuestWindow::open().
    Result<std::unique_ptr<GuestWindow>> (*open_guest_window)(GuestWindow::AtEnd at_end);
};

}  // namespace forkscope::ui
