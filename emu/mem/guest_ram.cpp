#include "emu/mem/guest_ram.hpp"

#include <sys/mman.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <utility>

namespace forkscope::mem {

namespace {

Result<uint8_t*> map_file(int fd, uint64_t size) {
    void* p = mmap(nullptr, size, PROT_READ | PROT_WRITE, MAP_SHARED | MAP_NORESERVE, fd, 0);
    if (p == MAP_FAILED) return fail("guest RAM: cannot map {} MiB: {}", size / kMiB, strerror(errno));
    return static_cast<uint8_t*>(p);
}

}  // namespace

Result<GuestRam> GuestRam::create(uint64_t size) {
    if (size < 2 * kMiB || size % (2 * kMiB) != 0)
        return fail("guest RAM: {} bytes is not a multiple of 2 MiB of at least 2 MiB", size);
    const int fd = memfd_create("guest-ram", MFD_CLOEXEC);
    if (fd < 0) return fail("guest RAM: cannot create a memory file: {}", strerror(errno));
    if (ftruncate(fd, static_cast<off_t>(size)) != 0) {
        const int error = errno;
        close(fd);
        return fail("guest RAM: cannot size the memory file to {} MiB: {}", size / kMiB, strerror(error));
    }
    auto base = map_file(fd, size);
    if (!base) {
        close(fd);
        return tl::make_unexpected(base.error());
    }
    return GuestRam(fd, *base, size);
}

GuestRam::GuestRam(int fd, uint8_t* base, uint64_t size) : fd_(fd), base_(base), size_(size) {
    const uint64_t low = std::min(size, kLowRamLimit);
    regions_.push_back({PhysAddr(0), low, 0});
    if (size > low) regions_.push_back({PhysAddr(kHighRamBase), size - low, low});
}

GuestRam::GuestRam(GuestRam&& other) noexcept
    : fd_(std::exchange(other.fd_, -1)),
      base_(std::exchange(other.base_, nullptr)),
      size_(other.size_),
      regions_(std::move(other.regions_)),
      views_(std::move(other.views_)) {
    other.views_.clear();
}

GuestRam::~GuestRam() {
    for (uint8_t* view : views_) munmap(view, size_);
    if (base_ != nullptr) munmap(base_, size_);
    if (fd_ >= 0) close(fd_);
}

Result<uint8_t*> GuestRam::map_view() {
    uint8_t* view = TRY(map_file(fd_, size_));
    views_.push_back(view);
    return view;
}

}  // namespace forkscope::mem
