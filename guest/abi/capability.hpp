// capget(2) and capset(2).
#pragma once

#include <stdint.h>

namespace abi {

inline constexpr uint32_t kCapabilityVersion1 = 0x19980330, kCapabilityVersion2 = 0x20071026,
                          kCapabilityVersion3 = 0x20080522;

struct CapUserHeader {
    uint32_t version;
    int32_t pid;
};

// 32 capabilities of each set; versions 2 and 3 have two of these, the lower ones first.
struct CapUserData {
    uint32_t effective;
    uint32_t permitted;
    uint32_t inheritable;
};

}  // namespace abi
