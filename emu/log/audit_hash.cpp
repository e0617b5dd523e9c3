// The hash over live page tables, streamed table by table.
#include "emu/log/audit_hash.hpp"

#include <xxhash.h>

#include <array>
#include <cassert>
#include <new>

namespace forkscope::log {

struct AuditHash::State {
    State() : xxh(XXH64_createState()) {
        if (xxh == nullptr) throw std::bad_alloc();
        XXH64_reset(xxh, 0);
    }
    ~State() { XXH64_freeState(xxh); }
    State(const State&) = delete;
    State& operator=(const State&) = delete;

    XXH64_state_t* xxh;
    unsigned last_level = 0;
    uint64_t last_frame = 0;
};

AuditHash::AuditHash() : state_(std::make_unique<State>()) {}
AuditHash::~AuditHash() = default;
AuditHash::AuditHash(AuditHash&&) noexcept = default;
AuditHash& AuditHash::operator=(AuditHash&&) noexcept = default;

void AuditHash::add_table(unsigned level, PhysAddr frame, TableSpan entries) {
    assert(level > state_->last_level || (level == state_->last_level && frame.raw() > state_->last_frame));
    state_->last_level = level;
    state_->last_frame = frame.raw();

    // frame, level, number of pairs, then (index, value) pairs
    std::array<uint64_t, 3 + 2 * kTableEntries> words;
    size_t used = 3;
    for (size_t index = 0; index < kTableEntries; ++index) {
        if (entries[index] == 0) continue;
        words[used++] = index;
        words[used++] = entries[index];
    }
    const uint64_t nonzero = (used - 3) / 2;
    words[0] = frame.raw();
    words[1] = level;
    words[2] = nonzero;
    entries_ += nonzero;
    XXH64_update(state_->xxh, words.data(), used * sizeof(uint64_t));
}

uint64_t AuditHash::digest() const { return XXH64_digest(state_->xxh); }

}  // namespace forkscope::log
