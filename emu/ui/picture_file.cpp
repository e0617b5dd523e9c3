#include "emu/ui/picture_file.hpp"

#include <filesystem>

#include "emu/screen/png.hpp"

namespace forkscope::ui {

Result<std::string> save_picture(const screen::Picture& picture, const std::string& name) {
    if (picture.pixels.empty()) return fail("no picture: the screen is dark");
    std::error_code ignored;
    for (unsigned n = 1;; ++n) {
        const std::string file = fmt::format("{}-{}.png", name, n);
        if (std::filesystem::exists(file, ignored)) continue;
        TRY_VOID(screen::write_png(picture, file));
        return file;
    }
}

}  // namespace forkscope::ui
