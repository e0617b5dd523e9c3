// Who does something: a task, or, where the guest announces none, an address space.
#pragma once

#include <cstdint>
#include <functional>

#include "emu/log/event.hpp"

namespace forkscope::analysis {

class Actor {
public:
    [[nodiscard]] static Actor task(uint32_t tid) { return Actor(tid, true); }
    [[nodiscard]] static Actor root(uint64_t root) { return Actor(root, false); }
    [[nodiscard]] static Actor of(const log::Event& event) {
        return event.task != 0 ? task(event.task) : root(event.root);
    }

    bool operator==(const Actor&) const = default;
    // Roots are page-aligned, so the low bit tells the two apart.
    [[nodiscard]] uint64_t key() const { return is_task_ ? value_ * 2 + 1 : value_; }

private:
    Actor(uint64_t value, bool is_task) : value_(value), is_task_(is_task) {}
    uint64_t value_;
    bool is_task_;
};

}  // namespace forkscope::analysis

template <>
struct std::hash<forkscope::analysis::Actor> {
    size_t operator()(const forkscope::analysis::Actor& actor) const noexcept {
        return std::hash<uint64_t>{}(actor.key());
    }
};
