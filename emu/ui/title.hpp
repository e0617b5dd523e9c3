// What stands in the window's title: the state of the guest and its time.
#pragma once

#include <string>

#include "emu/ui/guest_link.hpp"

namespace forkscope::ui {

enum class MouseOwner : uint8_t { Host, Guest };

[[nodiscard]] std::string title_of(const GuestView& view, MouseOwner mouse);

}  // namespace forkscope::ui
