// Where an export goes. A file comes into being whole or not at all: it is written under another name beside
// its place and renamed at the end. Standard output and devices are written as they are.
#pragma once

#include <filesystem>
#include <memory>
#include <string>
#include <string_view>

#include "emu/base/result.hpp"

namespace forkscope::tools {

class OutputFile {
public:
    // "-" is standard output.
    [[nodiscard]] static Result<std::unique_ptr<OutputFile>> create(const std::filesystem::path& path);
    // What was not committed is removed.
    ~OutputFile();
    OutputFile(const OutputFile&) = delete;
    OutputFile& operator=(const OutputFile&) = delete;

    // Buffered. What goes wrong is told by commit(); failed() says early that nothing more is of use.
    void write(std::string_view text) {
        buffer_ += text;
        if (buffer_.size() >= kBufferBytes) drain();
    }
    // For those who write piece by piece; drain_if_full() afterwards.
    [[nodiscard]] std::string& buffer() { return buffer_; }
    void drain_if_full() {
        if (buffer_.size() >= kBufferBytes) drain();
    }
    [[nodiscard]] bool failed() const { return error_ != 0; }

    // The file under its name, complete; or an error, and no file.
    [[nodiscard]] Result<> commit();

    // Where the bytes are until then, for a library that writes them itself; empty for what is no file.
    [[nodiscard]] const std::filesystem::path& part() const { return part_; }
    [[nodiscard]] bool is_stream() const { return part_.empty(); }
    // "the output" or the path in quotes, for messages.
    [[nodiscard]] std::string label() const;
    // Written so far, or by whoever wrote part().
    [[nodiscard]] uint64_t bytes() const;

private:
    static constexpr size_t kBufferBytes = size_t{256} * 1024;

    OutputFile(std::filesystem::path path, std::filesystem::path part, int fd)
        : path_(std::move(path)), part_(std::move(part)), fd_(fd) {}
    void drain();

    std::filesystem::path path_;
    std::filesystem::path part_;
    int fd_;
    int error_ = 0;  // errno of the first write that failed
    uint64_t written_ = 0;
    std::string buffer_;
};

}  // namespace forkscope::tools
