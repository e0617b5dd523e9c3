// Where the bytes go that a guest sends to a serial line or a debug console.
#pragma once

#include <cstdint>

namespace forkscope::bus {

class ByteSink {
public:
    virtual ~ByteSink() = default;
    virtual void put(uint8_t byte) = 0;
};

}  // namespace forkscope::bus
