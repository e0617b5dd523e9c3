#include "emu/ui/title.hpp"

#include <fmt/format.h>

namespace forkscope::ui {

namespace {

const char* name_of(GuestState state) {
    switch (state) {
        case GuestState::Starting:
            return "starting";
        case GuestState::Running:
            return "running";
        case GuestState::Idle:
            return "idle";
        case GuestState::Paused:
            return "paused";
        case GuestState::Ended:
            return "ended";
    }
    return "";
}

}  // namespace

std::string title_of(const GuestView& view, MouseOwner mouse) {
    constexpr VirtualNs kNsPerMs = 1'000'000;
    const VirtualNs ms = view.now / kNsPerMs;
    const std::string title =
        fmt::format("Forkscope: {}, {}.{:03} s", name_of(view.state), ms / 1000, ms % 1000);
    return title +
           (mouse == MouseOwner::Guest ? " (Ctrl-Alt-G gives the mouse back)" : " (Ctrl-Alt-H: keys)");
}

}  // namespace forkscope::ui
