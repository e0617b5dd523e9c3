#include "emu/cli/ui_module.hpp"

#include <dlfcn.h>

#include <filesystem>

namespace forkscope::cli {

namespace {

constexpr const char* kName = "libforkscope_ui.so";

// The first place is also the one to name when it is in none.
std::filesystem::path module_path() {
    std::error_code ignored;
    const auto folder = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
    const auto installed = folder.parent_path() / "lib" / "forkscope" / kName;
    return std::filesystem::exists(installed, ignored) ? installed : folder / kName;
}

}  // namespace

Result<const ui::Module*> load_ui_module() {
    const std::string path = module_path().string();
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    // dlerror() names the file, or the library that it needs.
    if (library == nullptr) return fail("the window cannot be loaded: {}", dlerror());
    const auto entry = reinterpret_cast<ui::Module::Entry>(dlsym(library, ui::Module::kSymbol));
    if (entry == nullptr) return fail("the window cannot be loaded: {} is not Forkscope's", path);
    const ui::Module* module = entry();
    if (module->version != ui::Module::kVersion)
        return fail("the window cannot be loaded: {} is version {}; this program expects {}", path,
                    module->version, ui::Module::kVersion);
    return module;
}

}  // namespace forkscope::cli
