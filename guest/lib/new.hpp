// Memory for C++ objects. Plain `new T` does not exist here, since it cannot fail: write
// `new (nothrow) T(...)` and test for null, or make_owned / make_ref, which give a Result.
#pragma once

#include <stddef.h>

#include <new>
#include <utility>

#include "guest/lib/result.hpp"

namespace guest {

struct NoThrow {};
inline constexpr NoThrow nothrow{};

// Bytes from the small-object caches or whole pages, 16-byte aligned, not cleared; null when there is none.
// May be called with locks held and in interrupts: it never sleeps.
[[nodiscard]] void* kmalloc(size_t bytes);
[[nodiscard]] void* kzalloc(size_t bytes);
// Takes null too.
void kfree(const void* memory);

// The sole owner of an object on the heap.
template <typename T>
class OwnPtr {
public:
    constexpr OwnPtr() = default;
    constexpr OwnPtr(decltype(nullptr)) {}
    constexpr explicit OwnPtr(T* object) : object_(object) {}
    OwnPtr(OwnPtr&& other) noexcept : object_(other.leak()) {}
    template <typename U>
    requires(std::is_convertible_v<U*, T*>) OwnPtr(OwnPtr<U>&& other)
    noexcept : object_(other.leak()) {}
    OwnPtr& operator=(OwnPtr&& other) noexcept {
        OwnPtr old(std::move(*this));
        object_ = other.leak();
        return *this;
    }
    ~OwnPtr() { delete object_; }

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

[[nodiscard]] void* operator new(size_t bytes, const guest::NoThrow&) noexcept;
[[nodiscard]] void* operator new[](size_t bytes, const guest::NoThrow&) noexcept;
void operator delete(void* memory, const guest::NoThrow&) noexcept;
void operator delete(void* memory) noexcept;
void operator delete(void* memory, size_t bytes) noexcept;
void operator delete[](void* memory) noexcept;
void operator delete[](void* memory, size_t bytes) noexcept;

namespace guest {

template <typename T, typename... Args>
Result<OwnPtr<T>> make_owned(Args&&... args) {
    T* object = new (nothrow) T(std::forward<Args>(args)...);
    if (object == nullptr) return Errno::NoMem;
    return OwnPtr<T>(object);
}

// Bytes with an owner: buffers for paths, argument pages and the like.
class KBuffer {
public:
    // Not cleared.
    static Result<KBuffer> allocate(size_t bytes) {
        auto* data = static_cast<char*>(kmalloc(bytes));
        if (data == nullptr) return Errno::NoMem;
        return KBuffer(data, bytes);
    }
    KBuffer(KBuffer&& other) noexcept : data_(other.data_), size_(other.size_) {
        other.data_ = nullptr;
        other.size_ = 0;
    }
    KBuffer& operator=(KBuffer&& other) noexcept {
        std::swap(data_, other.data_);
        std::swap(size_, other.size_);
        return *this;
    }
    ~KBuffer() { kfree(data_); }

    [[nodiscard]] char* data() const { return data_; }
    [[nodiscard]] size_t size() const { return size_; }

private:
    KBuffer(char* data, size_t bytes) : data_(data), size_(bytes) {}
    char* data_;
    size_t size_;
};

}  // namespace guest
