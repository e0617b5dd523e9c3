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
    GetTsc = 25,
    SetTsc = 26,
    GetSecurebits = 27,
    SetSecurebits = 28,
    SetTimerslack = 29,
    GetTimerslack = 30,
    MceKill = 33,
    MceKillGet = 34,
    SetChildSubreaper = 36,
    GetChildSubreaper = 37,
    SetNoNewPrivs = 38,
    GetNoNewPrivs = 39,
    GetTidAddress = 40,
    SetThpDisable = 41,
    GetThpDisable = 42,
    CapAmbient = 47,
    SetIoFlusher = 57,
    GetIoFlusher = 58,
    SetMdwe = 65,
    GetMdwe = 66,
    TimerCreateRestoreIds = 77,
    GetAuxv = 0x41555856
};
enum class PrTsc : int { Enable = 1, Sigsegv = 2 };
enum class PrMceKill : uint64_t { Clear = 0, Set = 1 };
enum class PrMceWhen : uint64_t { Late = 0, Early = 1, Default = 2 };
enum class PrTimerIds : uint64_t { Off = 0, On = 1, Get = 2 };
enum class PrCapAmbient : uint64_t { IsSet = 1, Raise = 2, Lower = 3, ClearAll = 4 };

}  // namespace abi
