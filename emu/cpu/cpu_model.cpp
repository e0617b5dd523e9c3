#include "emu/cpu/cpu_model.hpp"

#include <array>
#include <cstring>

#include "emu/base/bits.hpp"
#include "emu/cpu/live_state.hpp"

namespace forkscope::cpu {

namespace {

constexpr int kUcBroadwell = 20, kUcNehalem = 15, kUcEpyc = 35;

constexpr std::array kModels = {
    CpuModel{"amd", kUcEpyc, "AuthenticAMD", 0x00800f12, 0xd, 0x8000001e, true,
             "AMD family 17h, SMEP, SMAP, 1 GiB pages"},
    CpuModel{"intel", kUcBroadwell, "GenuineIntel", 0x000306d2, 0xd, 0x80000008, false,
             "Intel Broadwell, SMEP, SMAP; Linux turns page-table isolation on"},
    CpuModel{"plain", kUcNehalem, "GenuineIntel", 0x000106a3, 0xb, 0x80000008, false,
             "Intel Nehalem: SSE4.2 and NX, nothing odd"},
};

// Feature words in the engine's numbering, and what must not be shown in each: the engine does not have
// it (AVX and what stands on it, PCID, INVPCID, x2APIC, TSC deadline), it would make runs differ (RDRAND,
// RDSEED), or it is our own tool (SVM).
struct Mask {
    unsigned word;
    uint64_t hidden;
};
constexpr std::array kHidden = {
    // 1.ECX: MONITOR, FMA, PCID, x2APIC, TSC deadline, OSXSAVE is dynamic, AVX, F16C, RDRAND
    Mask{1, bit(3) | bit(12) | bit(17) | bit(21) | bit(24) | bit(28) | bit(29) | bit(30)},
    // 7.EBX: AVX2, INVPCID, MPX, AVX512*, RDSEED, SHA
    Mask{2, bit(5) | bit(10) | bit(14) | bit(16) | bit(17) | bit(18) | bit(21) | bit(26) | bit(27) | bit(28) |
                bit(29) | bit(30) | bit(31)},
    // 7.ECX: UMIP, LA57
    Mask{3, bit(2) | bit(16)},
    // 80000001.ECX: SVM, and the AVX-encoded XOP, FMA4
    Mask{7, bit(2) | bit(11) | bit(16)},
};
constexpr unsigned kXsaveComponentsWord = 21;
constexpr uint64_t kX87AndSse = 3;

}  // namespace

Result<const CpuModel*> find_cpu_model(std::string_view name) {
    std::string names;
    for (const CpuModel& model : kModels) {
        if (model.name == name) return &model;
        names += fmt::format("{}{}", names.empty() ? "" : ", ", model.name);
    }
    return fail("-cpu {}: no such model; there are: {}", name, names);
}

void apply_cpu_model(const CpuModel& model, LiveState& state) {
    // The vendor string and the version word stand right before the feature words.
    auto* words = reinterpret_cast<uint8_t*>(&state.feature(0));
    std::memcpy(words - 16, model.vendor.data(), 12);
    std::memcpy(words - 4, &model.version, sizeof model.version);
    for (const Mask& mask : kHidden) state.feature(mask.word) &= ~mask.hidden;
    state.feature(kXsaveComponentsWord) &= kX87AndSse;
}

}  // namespace forkscope::cpu
