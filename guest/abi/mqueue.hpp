// POSIX message queues as the Linux x86-64 system-call interface shows them (man 7 mq_overview).
#pragma once

#include <stdint.h>

#include "guest/abi/signal.hpp"

namespace abi {

inline constexpr uint32_t kMqPrioMax = 32768;

struct MqAttr {
    int64_t mq_flags;    // kONonBlock or 0
    int64_t mq_maxmsg;   // messages
    int64_t mq_msgsize;  // bytes of each, at most
    int64_t mq_curmsgs;
    int64_t reserved[4];
};
static_assert(sizeof(MqAttr) == 64);

}  // namespace abi
