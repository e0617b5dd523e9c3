// prctl(2).
#pragma once

#include <stdint.h>

namespace abi {

enum class Prctl : int {
    SetPdeathsig = 1,
    GetPdeathsig = 2,
    GetDumpable = 3,
    SetDumpable = 4,
    GetKeepcaps = 7,
    SetKeepcaps = 8,
    GetTiming = 13,
    SetTiming = 14,
    SetName = 15,
    GetName = 16,
    CapbsetRead = 23,
    CapbsetDrop = 24,
    GetSecurebits = 27,
    SetSecurebits = 28,
    SetTimerslack = 29,
    GetTimerslack = 30,
    SetChildSubreaper = 36,
    GetChildSubreaper = 37,
    SetNoNewPrivs = 38,
    GetNoNewPrivs = 39,
    GetTidAddress = 40,
    CapAmbient = 47
};
enum class PrCapAmbient : uint64_t { IsSet = 1, Raise = 2, Lower = 3, ClearAll = 4 };

}  // namespace abi
