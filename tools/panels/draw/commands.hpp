// What keys do. The room with the window knows keys, this one does not.
#pragma once

#include <cstdint>

namespace forkscope::panels {

enum class Command : uint8_t {
    None,
    Quit,
    Forward,
    Back,
    FarForward,
    FarBack,
    NextFork,
    PreviousFork,
    NextMistake,
    PreviousMistake,
    Start,
    End,
    Play,
    NextSpace,
    PreviousSpace,
    NextPanel,
    PreviousPanel,
    ShowAll,
    Show1,
    Show2,
    Show3,
    Show4,
    Show5,
    Show6,
    Show7,
    ZoomIn,
    ZoomOut,
    ZoomAll,
    Larger,
    Smaller,
    ToggleTheme,
    ToggleKernelHalf,
    Help,
};

}  // namespace forkscope::panels
