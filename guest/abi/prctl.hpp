// prctl(2).
#pragma once

namespace abi {

enum class Prctl : int {
    SetPdeathsig = 1,
    GetPdeathsig = 2,
    GetDumpable = 3,
    SetDumpable = 4,
    SetName = 15,
    GetName = 16,
    SetTimerslack = 29,
    GetTimerslack = 30,
    SetChildSubreaper = 36,
    GetChildSubreaper = 37,
    SetNoNewPrivs = 38,
    GetNoNewPrivs = 39
};

}  // namespace abi
