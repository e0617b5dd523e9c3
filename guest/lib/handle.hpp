// An owned reference to an object that has a put function of its own: Handle<mm_struct, mmput>.
#pragma once

#include <utility>

namespace guest {

template <typename T, void (*kPut)(T*)>
class Handle {
public:
    constexpr Handle() = default;
    // Takes the caller's reference over.
    constexpr explicit Handle(T* object) : object_(object) {}
    Handle(Handle&& other) noexcept : object_(other.leak()) {}
    Handle& operator=(Handle&& other) noexcept {
        reset(other.leak());
        return *this;
    }
    ~Handle() { reset(); }

    void reset(T* object = nullptr) {
        T* old = object_;
        object_ = object;
        if (old != nullptr) kPut(old);
    }
    [[nodiscard]] T* leak() {
        T* object = object_;
        object_ = nullptr;
        return object;
    }
    [[nodiscard]] T* get() const { return object_; }
    T* operator->() const { return object_; }
    T& operator*() const { return *object_; }
    explicit operator bool() const { return object_ != nullptr; }

private:
    T* object_ = nullptr;
};

}  // namespace guest
