// Errors of the host side: one clear line (what, where, what was expected) and an exit status.
// What the guest does wrong is never an Error; it becomes a modelled fault.
#pragma once

#include <fmt/format.h>

#include <string>
#include <tl/expected.hpp>
#include <utility>

namespace forkscope {

// The exit statuses of the command line that are ours, not the guest's.
enum class ExitStatus : int { Ok = 0, NotWhole = 1, BadInput = 2, TripleFault = 3, CheckFailed = 4 };

struct Error {
    std::string message;  // one line, no full stop, no newline
    ExitStatus status = ExitStatus::BadInput;
};

template <typename T = void>
using Result = tl::expected<T, Error>;

template <typename... Args>
[[nodiscard]] tl::unexpected<Error> fail(fmt::format_string<Args...> format, Args&&... args) {
    return tl::make_unexpected(Error{fmt::format(format, std::forward<Args>(args)...), ExitStatus::BadInput});
}

}  // namespace forkscope

// The value of a Result, or leave the function with its error.
#define TRY(expression)                                                                 \
    ({                                                                                  \
        auto&& try_result_ = (expression);                                              \
        if (!try_result_) return ::tl::make_unexpected(std::move(try_result_).error()); \
        std::move(*try_result_);                                                        \
    })

// The same for Result<void>.
#define TRY_VOID(expression)                                                            \
    do {                                                                                \
        auto&& try_result_ = (expression);                                              \
        if (!try_result_) return ::tl::make_unexpected(std::move(try_result_).error()); \
    } while (false)
