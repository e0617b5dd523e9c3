#include "emu/machine/serial_backend.hpp"

#include <fcntl.h>
#include <poll.h>
#include <termios.h>
#include <unistd.h>

#include <cerrno>
#include <cstring>
#include <string_view>

namespace forkscope::machine {

namespace {

// Bytes to a file descriptor, in pieces of some size: a system call a byte would be slow.
class Output {
public:
    explicit Output(std::string name, int fd) : name_(std::move(name)), fd_(fd) { buffer_.reserve(kBytes); }

    void put(uint8_t byte) {
        buffer_.push_back(byte);
        if (byte == '\n' || buffer_.size() == kBytes) flush();
    }
    void flush() {
        size_t done = 0;
        while (done < buffer_.size() && error_ == 0) {
            const ssize_t n = write(fd_, buffer_.data() + done, buffer_.size() - done);
            if (n >= 0)
                done += static_cast<size_t>(n);
            else if (errno == EAGAIN)
                wait_until_writable();
            else if (errno != EINTR)
                error_ = errno;
        }
        buffer_.clear();
    }
    [[nodiscard]] Result<void> status() const {
        if (error_ != 0) return fail("{}: cannot write serial output: {}", name_, strerror(error_));
        return {};
    }

private:
    static constexpr size_t kBytes = 4096;

    void wait_until_writable() const {
        pollfd p{fd_, POLLOUT, 0};
        poll(&p, 1, -1);
    }

    std::string name_;
    int fd_;
    int error_ = 0;
    std::vector<uint8_t> buffer_;
};

class NullSerial final : public SerialBackend {
public:
    void put(uint8_t) override {}
    std::span<const uint8_t> read(int) override { return {}; }
    [[nodiscard]] bool at_end() const override { return true; }
    void flush() override {}
    [[nodiscard]] Result<void> status() const override { return {}; }
};

// Output alone.
class FileSerial final : public SerialBackend {
public:
    FileSerial(const std::string& name, int fd) : fd_(fd), output_(name, fd) {}
    ~FileSerial() override {
        output_.flush();
        if (fd_ != STDOUT_FILENO) close(fd_);
    }
    void put(uint8_t byte) override { output_.put(byte); }
    std::span<const uint8_t> read(int) override { return {}; }
    [[nodiscard]] bool at_end() const override { return true; }
    void flush() override { output_.flush(); }
    [[nodiscard]] Result<void> status() const override { return output_.status(); }

private:
    int fd_;
    Output output_;
};

// Standard input and output. A terminal is in raw mode while this lives, so that the guest's line
// discipline has every key; Ctrl-A is the escape key, as in QEMU: x leaves, h lists the keys, Ctrl-A sends
// one.
class StdioSerial final : public SerialBackend {
public:
    StdioSerial() : output_("stdout", STDOUT_FILENO) {
        if (isatty(STDIN_FILENO) == 0 || tcgetattr(STDIN_FILENO, &saved_) != 0) return;
        termios raw = saved_;
        cfmakeraw(&raw);
        raw.c_oflag |= OPOST;
        terminal_ = tcsetattr(STDIN_FILENO, TCSANOW, &raw) == 0;
    }
    ~StdioSerial() override {
        output_.flush();
        if (terminal_) tcsetattr(STDIN_FILENO, TCSANOW, &saved_);
    }
    void put(uint8_t byte) override {
        output_.put(byte);
        at_line_start_ = byte == '\n' || (at_line_start_ && byte == '\r');
        if (terminal_ && byte != '\r') output_.flush();
    }
    std::span<const uint8_t> read(int wait_ms) override {
        count_ = 0;
        if (end_) return {};
        pollfd p{STDIN_FILENO, POLLIN, 0};
        if (poll(&p, 1, wait_ms) <= 0) return {};
        const ssize_t n = ::read(STDIN_FILENO, buffer_, sizeof buffer_);
        if (n == 0 || (n < 0 && errno != EINTR && errno != EAGAIN)) end_ = true;
        if (n > 0) filter(static_cast<size_t>(n));
        return {buffer_, count_};
    }
    [[nodiscard]] bool at_end() const override { return end_; }
    [[nodiscard]] bool wants_to_leave() const override { return leave_; }
    void flush() override { output_.flush(); }
    [[nodiscard]] Result<void> status() const override { return output_.status(); }

private:
    static constexpr uint8_t kCtrlA = 1;

    void filter(size_t n) {
        for (size_t i = 0; i < n; ++i) {
            const uint8_t byte = buffer_[i];
            if (!terminal_) {
                buffer_[count_++] = byte;
            } else if (escaped_) {
                escaped_ = false;
                if (byte == 'x') leave();
                if (byte == 'h' || byte == '?') show_keys();
                if (byte == kCtrlA) buffer_[count_++] = byte;
            } else if (byte == kCtrlA) {
                escaped_ = true;
            } else {
                buffer_[count_++] = byte;
            }
        }
    }

    void show_keys() {
        constexpr std::string_view kKeys =
            "\r\nCtrl-A h       this list\r\nCtrl-A x       leave\r\nCtrl-A Ctrl-A  send Ctrl-A to the "
            "guest\r\n";
        for (const char c : kKeys) output_.put(static_cast<uint8_t>(c));
        output_.flush();
        at_line_start_ = true;
    }

    // What is said about the run begins on a line of its own.
    void leave() {
        leave_ = true;
        if (!at_line_start_) output_.put('\n');
        output_.flush();
    }

    Output output_;
    bool at_line_start_ = true;
    termios saved_{};
    bool terminal_ = false;
    bool end_ = false;
    bool escaped_ = false;
    bool leave_ = false;
    uint8_t buffer_[256] = {};
    size_t count_ = 0;
};

}  // namespace

Result<std::unique_ptr<SerialBackend>> open_serial(const std::string& option, const std::string& spec) {
    if (spec == "null" || spec == "none") return std::make_unique<NullSerial>();
    if (spec == "stdio") return std::make_unique<StdioSerial>();
    if (spec == "stdout") return std::make_unique<FileSerial>(spec, STDOUT_FILENO);
    if (spec.starts_with("file:")) {
        const std::string path = spec.substr(5);
        const int fd = open(path.c_str(), O_WRONLY | O_CREAT | O_TRUNC | O_CLOEXEC, 0666);
        if (fd < 0) return fail("{} {}: cannot create the file: {}", option, spec, strerror(errno));
        return std::make_unique<FileSerial>(path, fd);
    }
    return fail("{} {}: expected stdio, stdout, file:NAME or null", option, spec);
}

}  // namespace forkscope::machine
