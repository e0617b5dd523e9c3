// Pictures that a person takes, in the folder where the program was started.
#pragma once

#include <string>

#include "emu/base/result.hpp"
#include "emu/screen/picture.hpp"

namespace forkscope::ui {

// As NAME-1.png, or the first number that is free. Returns the file's name; the error says what was wrong.
[[nodiscard]] Result<std::string> save_picture(const screen::Picture& picture, const std::string& name);

}  // namespace forkscope::ui
