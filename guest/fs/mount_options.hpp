// The option string of mount(2): "size=1m,mode=755,nosuid".
#pragma once

#include <stdint.h>

#include "guest/lib/result.hpp"
#include "guest/mm/slab.hpp"

namespace guest {

// One after the other; key and value are closed by zeros.
class mount_options {
public:
    // Null: no options. NoMem.
    static Result<mount_options> parse(const char* data);
    // False at the end.
    bool next();
    [[nodiscard]] bool is(const char* key) const;
    [[nodiscard]] bool has_value() const { return value_ != nullptr; }
    // The value as a number in that base, with nothing after it. Inval.
    [[nodiscard]] Result<uint64_t> number(unsigned base) const;
    // The same in decimal, with k, m, g or t after it (each 1024 times the one before), or % of `whole`.
    [[nodiscard]] Result<uint64_t> size(uint64_t whole) const;

private:
    explicit mount_options(KBuffer text) : text_(std::move(text)), rest_(text_.data()) {}
    KBuffer text_;
    char* rest_;
    const char* key_ = nullptr;
    const char* value_ = nullptr;
};

}  // namespace guest
