// Intrusive doubly linked lists: the links live in the element, so that linking never allocates and never
// fails.
//   struct task_struct { list_head tasks; };  IntrusiveList<task_struct, &task_struct::tasks> all;
// Where the element's type is not complete yet, a bare list_head can be the head (list_entry finds the
// element).
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "guest/lib/panic.hpp"

namespace guest {

// A node, or the head of a ring. One that is in no list points to itself.
struct list_head {
    list_head* prev = this;
    list_head* next = this;

    constexpr list_head() = default;
    list_head(const list_head&) = delete;
    list_head& operator=(const list_head&) = delete;

    [[nodiscard]] bool is_linked() const { return next != this; }
    // Takes the node out of whatever list it is in; nothing happens if it is in none.
    void unlink() {
        prev->next = next;
        next->prev = prev;
        prev = next = this;
    }
};

[[nodiscard]] inline bool list_empty(const list_head& head) { return head.next == &head; }
// Links node, which is in no list, right behind `after`.
inline void list_add(list_head& node, list_head& after) {
    BUG_ON(node.is_linked());
    node.prev = &after;
    node.next = after.next;
    after.next->prev = &node;
    after.next = &node;
}
inline void list_add_tail(list_head& node, list_head& before) { list_add(node, *before.prev); }
inline void list_del(list_head& node) { node.unlink(); }

// The element whose member `kMember` is `node`: what container_of does.
template <typename T, list_head T::*kMember>
[[nodiscard]] T* list_entry(list_head* node) {
    constexpr uintptr_t kProbe = 0x1000;
    const auto offset = reinterpret_cast<uintptr_t>(&(reinterpret_cast<T*>(kProbe)->*kMember)) - kProbe;
    return reinterpret_cast<T*>(reinterpret_cast<uintptr_t>(node) - offset);
}

template <typename T, list_head T::*kMember>
class IntrusiveList {
public:
    constexpr IntrusiveList() = default;

    [[nodiscard]] bool empty() const { return list_empty(head_); }
    void push_front(T& element) { list_add(element.*kMember, head_); }
    void push_back(T& element) { list_add_tail(element.*kMember, head_); }
    // Puts element beside `position`, which is in this list.
    void insert_before(T& position, T& element) { list_add_tail(element.*kMember, position.*kMember); }
    void insert_after(T& position, T& element) { list_add(element.*kMember, position.*kMember); }
    static void remove(T& element) { (element.*kMember).unlink(); }

    // Null when there is none.
    [[nodiscard]] T* front() const { return element_or_null(head_.next); }
    [[nodiscard]] T* back() const { return element_or_null(head_.prev); }
    [[nodiscard]] T* next(const T& element) const { return element_or_null((element.*kMember).next); }
    [[nodiscard]] T* prev(const T& element) const { return element_or_null((element.*kMember).prev); }
    T* pop_front() {
        T* first = front();
        if (first != nullptr) remove(*first);
        return first;
    }
    // Moves everything from other to the end of this list.
    void splice_back(IntrusiveList& other) {
        while (T* element = other.pop_front()) push_back(*element);
    }

    // The loop body may remove the element that it is at, and no other.
    class Iterator {
    public:
        explicit Iterator(list_head* at) : at_(at), next_(at->next) {}
        T& operator*() const { return *list_entry<T, kMember>(at_); }
        T* operator->() const { return list_entry<T, kMember>(at_); }
        Iterator& operator++() {
            at_ = next_;
            next_ = at_->next;
            return *this;
        }
        bool operator!=(const Iterator& other) const { return at_ != other.at_; }

    private:
        list_head* at_;
        list_head* next_;
    };
    [[nodiscard]] Iterator begin() const { return Iterator(head_.next); }
    [[nodiscard]] Iterator end() const { return Iterator(&head_); }

private:
    T* element_or_null(list_head* node) const {
        return node == &head_ ? nullptr : list_entry<T, kMember>(node);
    }

    mutable list_head head_;
};

}  // namespace guest
