// An intrusive ordered tree: a treap, a search tree that is also a heap by priorities drawn from the
// elements' addresses, which keeps it balanced whatever order elements come in. Never allocates.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "guest/lib/panic.hpp"

namespace guest {

struct TreeNode {
    TreeNode* left = nullptr;
    TreeNode* right = nullptr;
    constexpr TreeNode() = default;
    TreeNode(const TreeNode&) = delete;
    TreeNode& operator=(const TreeNode&) = delete;
};

template <typename T, TreeNode T::*kMember>
class IntrusiveTree {
public:
    constexpr IntrusiveTree() = default;
    IntrusiveTree(const IntrusiveTree&) = delete;
    IntrusiveTree& operator=(const IntrusiveTree&) = delete;

    [[nodiscard]] bool empty() const { return root_ == nullptr; }

    // less(a, b): whether a stands before b. No two elements may be equal.
    template <typename Less>
    void insert(T& element, Less&& less) {
        TreeNode* node = &(element.*kMember);
        TreeNode** link = &root_;
        while (*link != nullptr && priority(*link) >= priority(node)) {
            link = less(element, *element_of(*link)) ? &(*link)->left : &(*link)->right;
        }
        split(*link, element, less, &node->left, &node->right);
        *link = node;
    }

    template <typename Less>
    void remove(T& element, Less&& less) {
        TreeNode* node = &(element.*kMember);
        TreeNode** link = &root_;
        while (*link != node) {
            BUG_ON(*link == nullptr);
            link = less(element, *element_of(*link)) ? &(*link)->left : &(*link)->right;
        }
        *link = merge(node->left, node->right);
        node->left = node->right = nullptr;
    }

    // The first element of which after(element) holds; after must be false up to some element and true from
    // there.
    template <typename After>
    [[nodiscard]] T* find_first(After&& after) const {
        T* found = nullptr;
        for (TreeNode* node = root_; node != nullptr;) {
            T* element = element_of(node);
            if (after(*element)) {
                found = element;
                node = node->left;
            } else {
                node = node->right;
            }
        }
        return found;
    }

private:
    static uint64_t priority(const TreeNode* node) {
        // A multiplicative hash: neighbours in memory get priorities far apart.
        return reinterpret_cast<uintptr_t>(node) * 0x9e3779b97f4a7c15u;
    }
    static T* element_of(TreeNode* node) {
        constexpr uintptr_t kProbe = 0x1000;
        const auto offset = reinterpret_cast<uintptr_t>(&(reinterpret_cast<T*>(kProbe)->*kMember)) - kProbe;
        return reinterpret_cast<T*>(reinterpret_cast<uintptr_t>(node) - offset);
    }
    // Cuts the tree under `node` into what stands before `pivot` and what stands after it.
    template <typename Less>
    static void split(TreeNode* node, T& pivot, Less& less, TreeNode** before, TreeNode** after) {
        while (node != nullptr) {
            if (less(pivot, *element_of(node))) {
                *after = node;
                after = &node->left;
                node = node->left;
            } else {
                *before = node;
                before = &node->right;
                node = node->right;
            }
        }
        *before = nullptr;
        *after = nullptr;
    }
    static TreeNode* merge(TreeNode* before, TreeNode* after) {
        TreeNode* root = nullptr;
        TreeNode** link = &root;
        while (before != nullptr && after != nullptr) {
            if (priority(before) >= priority(after)) {
                *link = before;
                link = &before->right;
                before = before->right;
            } else {
                *link = after;
                link = &after->left;
                after = after->left;
            }
        }
        *link = before != nullptr ? before : after;
        return root;
    }

    TreeNode* root_ = nullptr;
};

}  // namespace guest
