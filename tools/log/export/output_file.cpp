// Writing beside and renaming.
#include "tools/log/export/output_file.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <cerrno>
#include <cstdlib>
#include <cstring>

namespace forkscope::tools {

namespace {

// What a file made by open() would be given; mkstemp gives less.
void give_usual_mode(int fd) {
    const mode_t mask = umask(0);
    umask(mask);
    constexpr mode_t kAll = 0666;
    (void)fchmod(fd, kAll & ~mask);
}

}  // namespace

Result<std::unique_ptr<OutputFile>> OutputFile::create(const std::filesystem::path& path) {
    const auto made = [](std::filesystem::path name, std::filesystem::path part, int fd) {
        return std::unique_ptr<OutputFile>(new OutputFile(std::move(name), std::move(part), fd));
    };
    if (path == "-") return made({}, {}, STDOUT_FILENO);
    struct stat there {};
    const bool exists = stat(path.c_str(), &there) == 0;
    if (exists && S_ISDIR(there.st_mode))
        return fail("'{}' is a directory; -o wants the name of a file", path.string());
    if (exists && !S_ISREG(there.st_mode)) {
        const int fd = open(path.c_str(), O_WRONLY | O_CLOEXEC);
        if (fd < 0) return fail("'{}' cannot be written: {}", path.string(), std::strerror(errno));
        return made(path, {}, fd);
    }
    std::string part = path.string() + ".part-XXXXXX";
    const int fd = mkostemp(part.data(), O_CLOEXEC);
    if (fd < 0) return fail("'{}' cannot be written: {}", path.string(), std::strerror(errno));
    give_usual_mode(fd);
    return made(path, part, fd);
}

OutputFile::~OutputFile() {
    if (fd_ > STDERR_FILENO) close(fd_);
    if (!part_.empty()) unlink(part_.c_str());
}

void OutputFile::drain() {
    const char* at = buffer_.data();
    const char* const end = at + buffer_.size();
    while (at != end && error_ == 0) {
        const ssize_t n = ::write(fd_, at, static_cast<size_t>(end - at));
        if (n >= 0) {
            at += n;
            written_ += static_cast<uint64_t>(n);
        } else if (errno != EINTR) {
            error_ = errno;
        }
    }
    buffer_.clear();
}

Result<> OutputFile::commit() {
    drain();
    // Some file systems say only now that there is no room.
    if (error_ == 0 && !is_stream() && fsync(fd_) != 0) error_ = errno;
    if (error_ == 0 && !is_stream() && rename(part_.c_str(), path_.c_str()) != 0) error_ = errno;
    if (error_ != 0)
        return fail("{} could not be written: {}{}", label(), std::strerror(error_),
                    is_stream() ? "" : "; nothing was left there");
    part_.clear();
    return {};
}

std::string OutputFile::label() const {
    return path_.empty() ? std::string("the output") : "'" + path_.string() + "'";
}

uint64_t OutputFile::bytes() const {
    struct stat there {};
    if (written_ == 0 && fd_ > STDERR_FILENO && fstat(fd_, &there) == 0 && S_ISREG(there.st_mode))
        return static_cast<uint64_t>(there.st_size);
    return written_;
}

}  // namespace forkscope::tools
