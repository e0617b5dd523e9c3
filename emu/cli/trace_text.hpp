// -d: events as lines of text while the machine runs, to standard error or to the file of -D.
#pragma once

#include <cstdio>
#include <memory>
#include <string>

#include "emu/base/result.hpp"
#include "emu/log/recorder.hpp"

namespace forkscope::cli {

// The kinds behind a list such as "int,mmu,cpu"; the error lists the words that exist.
Result<log::KindMask> parse_trace_items(const std::string& items);

class TraceText final : public log::EventSink {
public:
    // path: empty for standard error.
    static Result<std::unique_ptr<TraceText>> open(const std::string& path, log::KindMask kinds);

    void consume(std::span<const log::Event> events) override;
    // A line that is not an event, such as an access to a port that nobody owns.
    void note(const std::string& line);
    // Whether everything could be written so far. After a failure nothing more is.
    [[nodiscard]] Result<void> status();

private:
    struct Closer {
        void operator()(std::FILE* file) const {
            if (file != stderr) std::fclose(file);
        }
    };
    TraceText(std::string name, std::FILE* file, log::KindMask kinds)
        : name_(std::move(name)), file_(file), kinds_(kinds) {}
    void write(const std::string& text);

    std::string name_;
    std::unique_ptr<std::FILE, Closer> file_;
    log::KindMask kinds_;
    int error_ = 0;  // an errno
};

}  // namespace forkscope::cli
