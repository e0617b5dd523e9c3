#include "emu/machine/drive.hpp"

#include <fcntl.h>
#include <sys/stat.h>
#include <unistd.h>

#include <array>
#include <cerrno>
#include <cstring>
#include <map>

namespace forkscope::machine {

namespace {

constexpr const char* kForm = "file=FILE[,if=virtio][,format=raw][,readonly=on|off][,snapshot=on|off]";

class FileStore final : public bus::BlockStore {
public:
    FileStore(int fd, uint64_t sectors, DriveMode mode) : fd_(fd), sectors_(sectors), mode_(mode) {}
    FileStore(const FileStore&) = delete;
    FileStore& operator=(const FileStore&) = delete;
    ~FileStore() override { close(fd_); }

    [[nodiscard]] uint64_t sectors() const override { return sectors_; }
    [[nodiscard]] bool read_only() const override { return mode_ == DriveMode::ReadOnly; }
    [[nodiscard]] bool read(uint64_t sector, std::span<uint8_t> to) override {
        if (!transfer(sector, to, pread)) return false;
        if (mode_ != DriveMode::Snapshot) return true;
        const uint64_t end = sector + to.size() / kSectorBytes;
        for (auto kept = kept_.lower_bound(sector); kept != kept_.end() && kept->first < end; ++kept)
            std::memcpy(&to[(kept->first - sector) * kSectorBytes], kept->second.data(), kSectorBytes);
        return true;
    }
    [[nodiscard]] bool write(uint64_t sector, std::span<const uint8_t> from) override {
        if (mode_ != DriveMode::Snapshot) return transfer(sector, from, pwrite);
        for (size_t done = 0; done < from.size(); done += kSectorBytes)
            std::memcpy(kept_[sector++].data(), &from[done], kSectorBytes);
        return true;
    }
    [[nodiscard]] bool flush() override { return mode_ != DriveMode::ReadWrite || fdatasync(fd_) == 0; }

private:
    template <typename Byte, typename Call>
    bool transfer(uint64_t sector, std::span<Byte> bytes, Call call) {
        auto at = static_cast<off_t>(sector * kSectorBytes);
        while (!bytes.empty()) {
            const ssize_t n = call(fd_, bytes.data(), bytes.size(), at);
            if (n < 0 && errno == EINTR) continue;
            if (n <= 0) return false;
            bytes = bytes.subspan(static_cast<size_t>(n));
            at += n;
        }
        return true;
    }

    int fd_;
    uint64_t sectors_;
    DriveMode mode_;
    std::map<uint64_t, std::array<uint8_t, kSectorBytes>> kept_;
};

// Whether `word` is key=on or key=off, and which.
bool is_switch(const std::string& word, const std::string& key, bool& on) {
    if (word != key + "=on" && word != key + "=off") return false;
    on = word.ends_with("=on");
    return true;
}

}  // namespace

Result<DriveSpec> parse_drive(const std::string& spec) {
    DriveSpec drive;
    bool read_only = false, snapshot = false;
    for (size_t from = 0; from <= spec.size();) {
        const size_t to = std::min(spec.find(',', from), spec.size());
        const std::string word = spec.substr(from, to - from);
        from = to + 1;
        if (word.starts_with("file="))
            drive.file = word.substr(5);
        else if (word != "if=virtio" && word != "if=none" && word != "format=raw" &&
                 !is_switch(word, "readonly", read_only) && !is_switch(word, "snapshot", snapshot))
            return fail("-drive {}: '{}' is unknown; expected {}", spec, word, kForm);
    }
    if (drive.file.empty()) return fail("-drive {}: expected {}", spec, kForm);
    if (read_only && snapshot) return fail("-drive {}: readonly and snapshot; expected one of them", spec);
    if (read_only) drive.mode = DriveMode::ReadOnly;
    if (snapshot) drive.mode = DriveMode::Snapshot;
    return drive;
}

Result<std::unique_ptr<bus::BlockStore>> open_drive(const DriveSpec& spec) {
    const int flags = spec.mode == DriveMode::ReadWrite ? O_RDWR : O_RDONLY;
    const int fd = open(spec.file.c_str(), flags | O_CLOEXEC);
    if (fd < 0) return fail("-drive file={}: cannot be opened: {}", spec.file, std::strerror(errno));
    struct stat status {};
    if (fstat(fd, &status) != 0 || !S_ISREG(status.st_mode)) {
        close(fd);
        return fail("-drive file={}: not a regular file", spec.file);
    }
    const auto size = static_cast<uint64_t>(status.st_size);
    if (size == 0 || size % bus::BlockStore::kSectorBytes != 0) {
        close(fd);
        return fail("-drive file={}: {} bytes; expected a multiple of {}", spec.file, size,
                    bus::BlockStore::kSectorBytes);
    }
    return std::make_unique<FileStore>(fd, size / bus::BlockStore::kSectorBytes, spec.mode);
}

}  // namespace forkscope::machine
