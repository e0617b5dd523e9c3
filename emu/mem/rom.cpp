#include "emu/mem/rom.hpp"

#include <sys/mman.h>

#include <cassert>
#include <cerrno>
#include <cstring>
#include <utility>

namespace forkscope::mem {

Result<Rom> Rom::create(PhysAddr base, std::span<const uint8_t> bytes) {
    assert(base.page_offset() == 0 && !bytes.empty() && (bytes.size() & kPageOffsetMask) == 0);
    void* p = mmap(nullptr, bytes.size(), PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS, -1, 0);
    if (p == MAP_FAILED) return fail("ROM: cannot allocate {} bytes: {}", bytes.size(), strerror(errno));
    std::memcpy(p, bytes.data(), bytes.size());
    return Rom(base, static_cast<uint8_t*>(p), bytes.size());
}

Rom::Rom(Rom&& other) noexcept
    : base_(other.base_), bytes_(std::exchange(other.bytes_, nullptr)), size_(other.size_) {}

Rom::~Rom() {
    if (bytes_ != nullptr) munmap(bytes_, size_);
}

}  // namespace forkscope::mem
