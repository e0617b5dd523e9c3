// A sparse array of pages: a radix tree of 64 slots a node, only as high as its largest index needs.
// The tree holds no references and has no lock of its own.
#pragma once

#include <stdint.h>

#include "guest/lib/result.hpp"

namespace guest {

struct page;

class page_tree {
public:
    page_tree() = default;
    page_tree(const page_tree&) = delete;
    page_tree& operator=(const page_tree&) = delete;
    ~page_tree();

    [[nodiscard]] page* lookup(uint64_t index) const;
    // The slot must be empty. NoMem leaves the tree as it was.
    Result<> insert(uint64_t index, page* frame);
    // What was there, or null. Nodes that become empty are freed.
    page* remove(uint64_t index);
    // The first page at or after index, which becomes its place; null if there is none.
    [[nodiscard]] page* next(uint64_t& index) const;
    [[nodiscard]] uint64_t count() const { return count_; }

private:
    static constexpr unsigned kBits = 6;
    static constexpr unsigned kSlots = 1U << kBits;
    struct node;

    [[nodiscard]] bool reaches(uint64_t index) const;
    void prune(uint64_t index);
    void shrink();

    node* root_ = nullptr;
    unsigned height_ = 0;  // levels of nodes
    uint64_t count_ = 0;
};

}  // namespace guest
