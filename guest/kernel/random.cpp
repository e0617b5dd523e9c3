// A deterministic generator: SplitMix64 from a fixed seed.
#include "guest/kernel/random.hpp"

#include <stdint.h>

#include "guest/lib/atomic.hpp"
#include "guest/lib/string.hpp"

namespace guest {

namespace {

constinit Atomic<uint64_t> state{0x5eed0f0f0f5eed00};

uint64_t next() {
    uint64_t z = state.fetch_add(0x9e3779b97f4a7c15u) + 0x9e3779b97f4a7c15u;
    z = (z ^ (z >> 30)) * 0xbf58476d1ce4e5b9u;
    z = (z ^ (z >> 27)) * 0x94d049bb133111ebu;
    return z ^ (z >> 31);
}

}  // namespace

void get_random_bytes(void* to, size_t bytes) {
    auto* at = static_cast<char*>(to);
    while (bytes > 0) {
        const uint64_t word = next();
        const size_t part = bytes < sizeof(word) ? bytes : sizeof(word);
        memcpy(at, &word, part);
        at += part;
        bytes -= part;
    }
}

}  // namespace guest
