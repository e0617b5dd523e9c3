#include "emu/screen/png.hpp"

#include <png.h>
#include <sys/stat.h>

#include <cerrno>
#include <cstdio>
#include <cstring>

namespace forkscope::screen {

Result<> write_png(const Picture& picture, const std::string& path) {
    if (picture.width == 0 || picture.height == 0) return fail("{}: the picture is empty", path);
    // The simplified interface of libpng: no callbacks that leave by longjmp.
    png_image image{};
    image.version = PNG_IMAGE_VERSION;
    image.width = picture.width;
    image.height = picture.height;
    image.format = PNG_FORMAT_RGB;
    std::FILE* file = std::fopen(path.c_str(), "wbe");
    if (file == nullptr) return fail("{}: cannot be written: {}", path, std::strerror(errno));
    const bool drawn = png_image_write_to_stdio(&image, file, 0, picture.pixels.data(), 0, nullptr) != 0;
    const int drawing_error = errno;
    struct stat status {};
    const bool is_file = fstat(fileno(file), &status) == 0 && S_ISREG(status.st_mode);
    const bool closed = std::fclose(file) == 0;
    if (drawn && closed) return {};
    const std::string why = drawn ? std::strerror(errno) : std::strerror(drawing_error);
    if (is_file) std::remove(path.c_str());  // never a device
    return fail("{}: the picture cannot be written: {}", path, why);
}

}  // namespace forkscope::screen
