// page_tree: the radix tree behind every page cache.
#include "guest/fs/page_tree.hpp"

#include "guest/lib/new.hpp"

namespace guest {

struct page_tree::node {
    void* slots[kSlots] = {};  // nodes of the level below, pages in the lowest
    unsigned used = 0;
};

namespace {
constexpr unsigned slot_of(uint64_t index, unsigned level, unsigned bits) {
    return static_cast<unsigned>(index >> (level * bits)) & ((1U << bits) - 1);
}
}  // namespace

page_tree::~page_tree() { BUG_ON(count_ != 0 || root_ != nullptr); }

// Level 0 holds pages; a tree of height n reaches indices below 64^n.
bool page_tree::reaches(uint64_t index) const {
    if (height_ == 0) return false;
    return height_ * kBits >= 64 || index >> (height_ * kBits) == 0;
}

page* page_tree::lookup(uint64_t index) const {
    if (!reaches(index)) return nullptr;
    void* at = root_;
    for (unsigned level = height_; level-- > 0 && at != nullptr;) {
        at = static_cast<node*>(at)->slots[slot_of(index, level, kBits)];
    }
    return static_cast<page*>(at);
}

Result<> page_tree::insert(uint64_t index, page* frame) {
    // Grow upwards until the root reaches the index. A taller tree says the same, and shrink() undoes it.
    while (!reaches(index)) {
        node* taller = new (nothrow) node;
        if (taller == nullptr) {
            shrink();
            return Errno::NoMem;
        }
        if (root_ != nullptr) {
            taller->slots[0] = root_;
            taller->used = 1;
        }
        root_ = taller;
        ++height_;
    }
    node* at = root_;
    for (unsigned level = height_ - 1; level > 0; --level) {
        void*& slot = at->slots[slot_of(index, level, kBits)];
        if (slot == nullptr) {
            slot = new (nothrow) node;
            if (slot == nullptr) {
                prune(index);
                return Errno::NoMem;
            }
            ++at->used;
        }
        at = static_cast<node*>(slot);
    }
    void*& slot = at->slots[slot_of(index, 0, kBits)];
    BUG_ON(slot != nullptr);
    slot = frame;
    ++at->used;
    ++count_;
    return {};
}

page* page_tree::remove(uint64_t index) {
    page* frame = lookup(index);
    if (frame == nullptr) return nullptr;
    node* at = root_;
    for (unsigned level = height_ - 1; level > 0; --level) {
        at = static_cast<node*>(at->slots[slot_of(index, level, kBits)]);
    }
    at->slots[slot_of(index, 0, kBits)] = nullptr;
    --at->used;
    --count_;
    prune(index);
    return frame;
}

// Frees the nodes on the way to index that hold nothing, lowest first.
void page_tree::prune(uint64_t index) {
    constexpr unsigned kMaxHeight = (64 + kBits - 1) / kBits;
    node* way[kMaxHeight];  // by level
    unsigned lowest = height_;
    void* at = root_;
    for (unsigned level = height_; level-- > 0 && at != nullptr;) {
        way[level] = static_cast<node*>(at);
        lowest = level;
        at = way[level]->slots[slot_of(index, level, kBits)];
    }
    for (unsigned level = lowest; level < height_ && way[level]->used == 0; ++level) {
        delete way[level];
        if (level + 1 == height_) {
            root_ = nullptr;
            height_ = 0;
            return;
        }
        way[level + 1]->slots[slot_of(index, level + 1, kBits)] = nullptr;
        --way[level + 1]->used;
    }
    shrink();
}

// Takes away roots that hold nothing, or only what one level less would hold as well.
void page_tree::shrink() {
    while (height_ > 1 && root_->used == 1 && root_->slots[0] != nullptr) {
        node* old = root_;
        root_ = static_cast<node*>(old->slots[0]);
        --height_;
        delete old;
    }
    while (height_ > 0 && root_->used == 0) {
        delete root_;
        root_ = nullptr;
        height_ = 0;
    }
}

page* page_tree::next(uint64_t& index) const {
    uint64_t at_index = index;
    while (reaches(at_index)) {
        void* at = root_;
        unsigned level = height_;
        while (level > 0 && at != nullptr) {
            --level;
            at = static_cast<node*>(at)->slots[slot_of(at_index, level, kBits)];
        }
        if (at != nullptr) {
            index = at_index;
            return static_cast<page*>(at);
        }
        // Nothing below this slot: go on with the first index of the next one.
        const uint64_t step = uint64_t{1} << (level * kBits);
        const uint64_t following = (at_index | (step - 1)) + 1;
        if (following == 0) return nullptr;
        at_index = following;
    }
    return nullptr;
}

}  // namespace guest
