#include "emu/cli/save_ram.hpp"

#include <fcntl.h>
#include <unistd.h>

#include <algorithm>
#include <cerrno>
#include <cstring>
#include <utility>

namespace forkscope::cli {

namespace {

class File {
public:
    explicit File(int fd) : fd_(fd) {}
    ~File() {
        if (fd_ >= 0) ::close(fd_);
    }
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    [[nodiscard]] int fd() const { return fd_; }
    // False if what was written did not reach the disk.
    [[nodiscard]] bool close() { return ::close(std::exchange(fd_, -1)) == 0; }

private:
    int fd_;
};

bool write_page(int fd, const uint8_t* bytes, uint64_t at) {
    for (uint64_t done = 0; done < kPageSize;) {
        const ssize_t part = ::pwrite(fd, bytes + done, kPageSize - done, static_cast<off_t>(at + done));
        if (part < 0 && errno == EINTR) continue;
        if (part <= 0) return false;
        done += static_cast<uint64_t>(part);
    }
    return true;
}

}  // namespace

Result<void> save_ram(const mem::GuestRam& ram, const std::string& path) {
    const auto failed = [&path] { return fail("--save-ram {}: {}", path, std::strerror(errno)); };
    File file(::open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0644));
    if (file.fd() < 0) return failed();
    static constexpr uint8_t kZeros[kPageSize] = {};
    for (const mem::RamRegion& region : ram.regions()) {
        for (uint64_t offset = 0; offset < region.size; offset += kPageSize) {
            const uint8_t* page = ram.at(region.base + offset, kPageSize);
            if (std::memcmp(page, kZeros, kPageSize) == 0) continue;
            if (!write_page(file.fd(), page, region.base.raw() + offset)) return failed();
        }
        const auto end = static_cast<off_t>(region.base.raw() + region.size);
        if (::ftruncate(file.fd(), end) != 0) return failed();
    }
    if (!file.close()) return failed();
    return {};
}

}  // namespace forkscope::cli
