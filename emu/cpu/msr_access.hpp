// RDMSR and WRMSR of the registers that the engine does not keep, or keeps without the checks of the manual
// (Intel SDM vol. 4). They come here before they take effect (svm_intercepts.hpp), with their privilege
// checked. EFER's writes are flush_intercepts.hpp's.
#pragma once

#include <array>
#include <cstdint>
#include <functional>
#include <optional>

#include "emu/bus/access.hpp"
#include "emu/bus/irq.hpp"
#include "emu/cpu/cpu_core.hpp"
#include "emu/cpu/exception.hpp"

namespace forkscope::cpu {

class MsrAccess {
public:
    using UnknownHandler = std::function<void(uint32_t msr, bus::Direction direction)>;

    MsrAccess(CpuCore& core, bus::InterruptController& interrupts) : core_(core), interrupts_(interrupts) {}

    // ECX names the register. Empty: it took effect.
    [[nodiscard]] std::optional<Exception> read();
    [[nodiscard]] std::optional<Exception> write();

    // Called at the first access to each register that is not modelled.
    void on_unknown(UnknownHandler handler) { unknown_handler_ = std::move(handler); }

private:
    [[nodiscard]] bool is_unmodelled(uint32_t msr) const;
    void note_unknown(uint32_t msr, bus::Direction direction);

    // Guests ask for a few dozen; more are not told apart.
    static constexpr size_t kMostUnknown = 256;

    CpuCore& core_;
    bus::InterruptController& interrupts_;
    UnknownHandler unknown_handler_;
    std::array<uint32_t, kMostUnknown> unknown_{};
    size_t unknown_count_ = 0;
};

}  // namespace forkscope::cpu
