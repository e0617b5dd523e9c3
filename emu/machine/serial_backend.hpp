// The host's end of a serial line: -serial stdio, stdout, file:F or null.
#pragma once

#include <cstdint>
#include <memory>
#include <span>
#include <string>
#include <vector>

#include "emu/base/result.hpp"
#include "emu/bus/byte_sink.hpp"

namespace forkscope::machine {

class SerialBackend : public bus::ByteSink {
public:
    // What the host has typed and the guest has not had yet; waits up to `wait_ms` for something. An empty
    // answer with at_end() true: nothing will ever come.
    [[nodiscard]] virtual std::span<const uint8_t> read(int wait_ms) = 0;
    [[nodiscard]] virtual bool at_end() const = 0;
    // The person at the terminal typed the key to leave (Ctrl-A x).
    [[nodiscard]] virtual bool wants_to_leave() const { return false; }
    virtual void flush() = 0;
    // The first write error, if any.
    [[nodiscard]] virtual Result<void> status() const = 0;
};

// option: -serial, or another of its kind; spec: what was given with it.
Result<std::unique_ptr<SerialBackend>> open_serial(const std::string& option, const std::string& spec);

}  // namespace forkscope::machine
