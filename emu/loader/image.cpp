#include "emu/loader/image.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>

namespace forkscope::loader {

namespace {

// Closes at the end of its scope.
class File {
public:
    explicit File(const std::string& path) : fd_(open(path.c_str(), O_RDONLY | O_CLOEXEC)) {}
    File(const File&) = delete;
    File& operator=(const File&) = delete;
    ~File() {
        if (fd_ >= 0) close(fd_);
    }
    [[nodiscard]] int fd() const { return fd_; }

private:
    int fd_;
};

}  // namespace

Result<Image> read_image(const std::string& path) {
    const File file(path);
    if (file.fd() < 0) return fail("{}: cannot be opened: {}", path, std::strerror(errno));
    struct stat status {};
    if (fstat(file.fd(), &status) != 0) return fail("{}: cannot be examined: {}", path, std::strerror(errno));
    if (!S_ISREG(status.st_mode)) return fail("{}: not a regular file", path);
    if (status.st_size == 0) return fail("{}: an empty file", path);
    Image image{path, std::vector<uint8_t>(static_cast<size_t>(status.st_size))};
    size_t done = 0;
    while (done < image.bytes.size()) {
        const ssize_t n = ::read(file.fd(), image.bytes.data() + done, image.bytes.size() - done);
        if (n < 0 && errno == EINTR) continue;
        if (n < 0) return fail("{}: cannot be read at offset {:#x}: {}", path, done, std::strerror(errno));
        if (n == 0)
            return fail("{}: ends at offset {:#x} of {:#x} while it is read", path, done, image.bytes.size());
        done += static_cast<size_t>(n);
    }
    return image;
}

}  // namespace forkscope::loader
