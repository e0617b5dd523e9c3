// Modules of the program: what needs a display library is loaded when it is asked for, so that the program
// itself needs none.
#pragma once

#include "emu/base/result.hpp"

namespace forkscope::cli {

// The function that a module makes known, from the program's own folder or ../lib/forkscope beside it. Stays
// loaded. The error says what is missing.
[[nodiscard]] Result<void*> module_function(const char* file, const char* symbol);

[[nodiscard]] tl::unexpected<Error> wrong_version(const char* file, unsigned version, unsigned expected);

// The module's table. Module names its symbol, its version, and the type of the function that gives the
// table.
template <typename Module>
[[nodiscard]] Result<const Module*> load_module(const char* file) {
    const auto entry = reinterpret_cast<typename Module::Entry>(TRY(module_function(file, Module::kSymbol)));
    const Module* module = entry();
    if (module->version != Module::kVersion) return wrong_version(file, module->version, Module::kVersion);
    return module;
}

}  // namespace forkscope::cli
