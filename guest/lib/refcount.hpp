// Counted objects, in two forms. refcount_t is a bare count. RefCounted is the whole habit:
// struct files_struct : RefCounted<files_struct> {...}; RefPtr<files_struct> holds a reference and the last
// put deletes the object. A class with an end of its own (page-table roots, say) gives a `void release()`.
// the object. A class with its own end (page-table roots, say) gives a `void release()`.
#pragma once

#include <stdint.h>

#include <utility>

#include "guest/lib/atomic.hpp"
#include "guest/lib/new.hpp"
#include "guest/lib/panic.hpp"
#include "guest/lib/result.hpp"

namespace guest {

// A bare count for objects that end in a way of their own. Starts at 1: the maker's reference.
class refcount_t {
public:
    constexpr refcount_t() = default;
    void inc() {
        const int32_t before = count_.fetch_add(1);
        BUG_ON(before <= 0);
    }
    // For who holds no reference, but knows that the object is still there: false if its end has come.
    [[nodiscard]] bool inc_not_zero() {
        int32_t count = count_.load();
        while (count > 0) {
            if (count_.compare_exchange(count, count + 1)) return true;
        }
        return false;
    }
    // True when this was the last reference: the caller ends the object.
    [[nodiscard]] bool dec_and_test() {
        const int32_t before = count_.fetch_sub(1);
        BUG_ON(before <= 0);
        return before == 1;
    }
    [[nodiscard]] int32_t load() const { return count_.load(); }

private:
    Atomic<int32_t> count_{1};
};

template <typename T>
class RefCounted {
public:
    RefCounted(const RefCounted&) = delete;
    RefCounted& operator=(const RefCounted&) = delete;

    void get() const { count_.inc(); }
    void put() const {
        if (!count_.dec_and_test()) return;
        auto* self = const_cast<T*>(static_cast<const T*>(this));
        if constexpr (requires { self->release(); }) {
            self->release();
        } else {
            delete self;
        }
    }
    [[nodiscard]] int32_t ref_count() const { return count_.load(); }

protected:
    // A new object has one reference: its maker's.
    constexpr RefCounted() = default;
    ~RefCounted() = default;

private:
    mutable refcount_t count_;
};

template <typename T>
class RefPtr {
public:
    constexpr RefPtr() = default;
    constexpr RefPtr(decltype(nullptr)) {}
    // Takes a reference of its own.
    explicit RefPtr(T* object) : object_(object) {
        if (object_ != nullptr) object_->get();
    }
    // Takes over the reference that the caller holds.
    [[nodiscard]] static RefPtr adopt(T* object) {
        RefPtr pointer;
        pointer.object_ = object;
        return pointer;
    }
    RefPtr(const RefPtr& other) : RefPtr(other.object_) {}
    RefPtr(RefPtr&& other) noexcept : object_(other.leak()) {}
    template <typename U>
    requires(std::is_convertible_v<U*, T*>) RefPtr(RefPtr<U>&& other)
    noexcept : object_(other.leak()) {}
    RefPtr& operator=(RefPtr other) noexcept {
        std::swap(object_, other.object_);
        return *this;
    }
    ~RefPtr() { reset(); }

    void reset() {
        if (T* object = leak()) object->put();
    }
    // Gives the reference to the caller, who must put it.
    [[nodiscard]] T* leak() {
        T* object = object_;
        object_ = nullptr;
        return object;
    }
    [[nodiscard]] T* get() const { return object_; }
    T* operator->() const { return object_; }
    T& operator*() const { return *object_; }
    explicit operator bool() const { return object_ != nullptr; }
    bool operator==(const RefPtr& other) const { return object_ == other.object_; }
    bool operator==(decltype(nullptr)) const { return object_ == nullptr; }

private:
    T* object_ = nullptr;
};

// A new T with one reference, or NoMem.
template <typename T, typename... Args>
Result<RefPtr<T>> make_ref(Args&&... args) {
    T* object = new (nothrow) T(std::forward<Args>(args)...);
    if (object == nullptr) return Errno::NoMem;
    return RefPtr<T>::adopt(object);
}

}  // namespace guest
