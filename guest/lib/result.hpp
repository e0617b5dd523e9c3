// Result<T>: a value or an Errno. TRY(expression) is the value, or leaves the function with the error.
#pragma once

#include <new>
#include <type_traits>
#include <utility>

#include "guest/lib/errno.hpp"
#include "guest/lib/panic.hpp"

namespace guest {

template <typename T = void>
class [[nodiscard]] Result {
public:
    constexpr Result(Errno error) : error_(error) {}
    template <typename U = T>
    requires(std::is_convertible_v<U&&, T> && !std::is_same_v<std::remove_cvref_t<U>, Result> &&
             !std::is_same_v<std::remove_cvref_t<U>, Errno>) constexpr Result(U&& value)
        : has_value_(true), value_(std::forward<U>(value)) {}
    constexpr Result(Result&& other) : error_(other.error_), has_value_(other.has_value_) {
        if (has_value_) new (&value_) T(std::move(other.value_));
    }
    Result& operator=(Result&&) = delete;
    constexpr ~Result() {
        if (has_value_) value_.~T();
    }

    [[nodiscard]] constexpr bool ok() const { return has_value_; }
    constexpr explicit operator bool() const { return has_value_; }
    [[nodiscard]] constexpr Errno error() const { return error_; }
    // Only when ok().
    [[nodiscard]] constexpr T& value() {
        if (!has_value_) panic("Result: value() of an error (%d)", static_cast<int>(error_));
        return value_;
    }
    [[nodiscard]] constexpr T release_value() { return std::move(value()); }

private:
    Errno error_{};
    bool has_value_ = false;
    union {
        T value_;
    };
};

template <>
class [[nodiscard]] Result<void> {
public:
    constexpr Result() = default;
    constexpr Result(Errno error) : error_(error), has_value_(false) {}

    [[nodiscard]] constexpr bool ok() const { return has_value_; }
    constexpr explicit operator bool() const { return has_value_; }
    [[nodiscard]] constexpr Errno error() const { return error_; }
    constexpr void release_value() const {}

private:
    Errno error_{};
    bool has_value_ = true;
};

}  // namespace guest

// Nested uses shadow each other harmlessly. Not among the arguments or braces of an expression that has made
// something with a destructor before: GCC forgets to destroy it when TRY returns from there.
#define TRY(expression)                                                                                    \
    ({                                                                                                     \
        _Pragma("GCC diagnostic push") _Pragma("GCC diagnostic ignored \"-Wshadow\"") auto&& try_result_ = \
            (expression);                                                                                  \
        _Pragma("GCC diagnostic pop") if (!try_result_.ok()) [[unlikely]] return try_result_.error();      \
        try_result_.release_value();                                                                       \
    })
