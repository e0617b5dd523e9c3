// The array of segments that a call like readv names, copied and checked.
#pragma once

#include "guest/abi/file.hpp"
#include "guest/lib/address.hpp"
#include "guest/lib/new.hpp"
#include "guest/lib/result.hpp"

namespace guest {

class UserSegments {
public:
    // Inval: too many, or a negative length. Fault. Together they are cut to what one call moves.
    static Result<UserSegments> copy(UserPtr<const abi::Iovec> from, int64_t count);

    [[nodiscard]] const abi::Iovec* data() const { return reinterpret_cast<abi::Iovec*>(memory_.data()); }
    [[nodiscard]] size_t count() const { return count_; }

private:
    UserSegments(KBuffer memory, size_t count) : memory_(std::move(memory)), count_(count) {}
    Result<> check();

    KBuffer memory_;
    size_t count_;
};

}  // namespace guest
