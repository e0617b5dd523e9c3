// Where a verb prints: a stream, with colours if somebody looks at it.
#pragma once

#include <fmt/format.h>

#include <cstdio>
#include <string>
#include <string_view>

namespace forkscope::tools {

enum class Style : uint8_t { Plain, Bold, Dim, Red, Green, Yellow, Blue, Magenta, Cyan };

class Output {
public:
    enum class Colour : uint8_t { Never, OnTerminal, Always };

    explicit Output(std::FILE* stream, Colour colour = Colour::OnTerminal);

    void write(std::string_view text) { std::fwrite(text.data(), 1, text.size(), stream_); }
    template <typename... Args>
    void print(fmt::format_string<Args...> format, Args&&... args) {
        line_.clear();
        fmt::format_to(std::back_inserter(line_), format, std::forward<Args>(args)...);
        write({line_.data(), line_.size()});
    }

    // The text, with the codes around it if there are colours.
    [[nodiscard]] std::string paint(Style style, std::string_view text) const;
    [[nodiscard]] bool coloured() const { return coloured_; }

    // False if the stream could not take everything: a full disk.
    [[nodiscard]] bool flush() { return std::fflush(stream_) == 0 && std::ferror(stream_) == 0; }

private:
    std::FILE* stream_;
    bool coloured_;
    fmt::memory_buffer line_;
};

}  // namespace forkscope::tools
