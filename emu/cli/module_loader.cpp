#include "emu/cli/module_loader.hpp"

#include <dlfcn.h>

#include <filesystem>

namespace forkscope::cli {

namespace {

// The first place is also the one to name when it is in none.
std::filesystem::path module_path(const char* file) {
    std::error_code ignored;
    const auto folder = std::filesystem::read_symlink("/proc/self/exe", ignored).parent_path();
    const auto installed = folder.parent_path() / "lib" / "forkscope" / file;
    return std::filesystem::exists(installed, ignored) ? installed : folder / file;
}

}  // namespace

Result<void*> module_function(const char* file, const char* symbol) {
    const std::string path = module_path(file).string();
    void* library = dlopen(path.c_str(), RTLD_NOW | RTLD_LOCAL);
    // dlerror() names the file, or the library that it needs.
    if (library == nullptr) return fail("the window cannot be loaded: {}", dlerror());
    void* function = dlsym(library, symbol);
    if (function == nullptr) return fail("the window cannot be loaded: {} is not Forkscope's", path);
    return function;
}

tl::unexpected<Error> wrong_version(const char* file, unsigned version, unsigned expected) {
    return fail("the window cannot be loaded: {} is version {}; this program expects {}",
                module_path(file).string(), version, expected);
}

}  // namespace forkscope::cli
