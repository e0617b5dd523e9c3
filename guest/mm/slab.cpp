// Caches of small objects, and kmalloc on top of them. Each slab is a block of frames cut into objects; free
// ones are chained through their first word. An empty slab goes back at once, so that counts of frames are
// exact.
#include "guest/mm/slab.hpp"

#include "guest/lib/panic.hpp"
#include "guest/lib/string.hpp"
#include "guest/mm/fault_inject.hpp"

namespace guest {

namespace {

constexpr unsigned kMaxSlabOrder = 3;
constexpr size_t kWantedObjects = 8;  // in a slab, if that takes no more than 4 frames

constinit spinlock_t caches_lock;
constinit IntrusiveList<kmem_cache, &kmem_cache::caches> all_caches;

unsigned slab_order(const kmem_cache& cache) {
    unsigned order = 0;
    while (order < 2 && (kPageSize << order) / cache.object_size < kWantedObjects) ++order;
    while (order < kMaxSlabOrder && (kPageSize << order) < cache.object_size) ++order;
    return order;
}

size_t slab_capacity(const kmem_cache& cache, const page* slab) {
    return (kPageSize << slab->order) / cache.object_size;
}

void register_cache(kmem_cache& cache) {
    const spinlock_guard guard(caches_lock);
    if (cache.registered) return;
    cache.registered = true;
    all_caches.push_back(cache);
}

// A fresh slab in the partial list; false without memory. The cache's lock is held.
bool grow(kmem_cache& cache) {
    page* slab = alloc_pages(slab_order(cache), FrameUse::Slab);
    if (slab == nullptr) return false;
    slab->slab = &cache;
    slab->inuse = 0;
    auto* base = static_cast<char*>(page_address(slab));
    void* next = nullptr;
    for (size_t i = slab_capacity(cache, slab); i-- > 0;) {
        void* object = base + i * cache.object_size;
        *static_cast<void**>(object) = next;
        next = object;
    }
    slab->freelist = next;
    cache.partial.push_back(*slab);
    ++cache.slabs;
    cache.slab_pages += uint64_t{1} << slab->order;
    return true;
}

constinit kmem_cache kmalloc_caches[] = {
    {"kmalloc-16", 16},     {"kmalloc-32", 32},     {"kmalloc-64", 64},   {"kmalloc-96", 96},
    {"kmalloc-128", 128},   {"kmalloc-192", 192},   {"kmalloc-256", 256}, {"kmalloc-512", 512},
    {"kmalloc-1024", 1024}, {"kmalloc-2048", 2048},
};

}  // namespace

void* kmem_cache_alloc(kmem_cache& cache) {
    if (should_fail_alloc()) return nullptr;
    if (!cache.registered) register_cache(cache);
    const spinlock_guard guard(cache.lock);
    if (cache.partial.empty() && !grow(cache)) return nullptr;
    page* slab = cache.partial.front();
    void* object = slab->freelist;
    slab->freelist = *static_cast<void**>(object);
    ++slab->inuse;
    ++cache.objects;
    if (slab->freelist == nullptr) slab->lru.unlink();
    return object;
}

void kmem_cache_free(kmem_cache& cache, void* object) {
    page* slab = virt_to_page(object)->head;
    BUG_ON(slab->slab != &cache);
    spinlock_guard guard(cache.lock);
    BUG_ON(slab->inuse == 0);
    // The oldest slabs stay at the front and fill up first.
    if (slab->freelist == nullptr) cache.partial.push_front(*slab);
    *static_cast<void**>(object) = slab->freelist;
    slab->freelist = object;
    --cache.objects;
    if (--slab->inuse > 0) return;
    slab->lru.unlink();
    --cache.slabs;
    cache.slab_pages -= uint64_t{1} << slab->order;
    guard.unlock();
    slab->slab = nullptr;
    put_page(slab);
}

void for_each_kmem_cache(void (*visit)(const kmem_cache& cache, void* context), void* context) {
    const spinlock_guard guard(caches_lock);
    for (const kmem_cache& cache : all_caches) visit(cache, context);
}

uint64_t nr_slab_objects() {
    uint64_t total = 0;
    for_each_kmem_cache(
        [](const kmem_cache& cache, void* sum) { *static_cast<uint64_t*>(sum) += cache.objects; }, &total);
    return total;
}

void* kmalloc(size_t bytes) {
    for (kmem_cache& cache : kmalloc_caches) {
        if (bytes <= cache.object_size) return kmem_cache_alloc(cache);
    }
    unsigned order = 0;
    while ((kPageSize << order) < bytes) ++order;
    page* block = alloc_pages(order, FrameUse::Slab);
    return block != nullptr ? page_address(block) : nullptr;
}

void* kzalloc(size_t bytes) {
    void* memory = kmalloc(bytes);
    if (memory != nullptr) memset(memory, 0, bytes);
    return memory;
}

void kfree(const void* memory) {
    if (memory == nullptr) return;
    page* block = virt_to_page(memory)->head;
    BUG_ON(block->use != FrameUse::Slab);
    if (block->slab != nullptr) {
        kmem_cache_free(*block->slab, const_cast<void*>(memory));
    } else {
        BUG_ON(page_address(block) != memory);
        put_page(block);
    }
}

}  // namespace guest

void* operator new(size_t bytes, const guest::NoThrow&) noexcept { return guest::kmalloc(bytes); }
void* operator new[](size_t bytes, const guest::NoThrow&) noexcept { return guest::kmalloc(bytes); }
void operator delete(void* memory, const guest::NoThrow&) noexcept { guest::kfree(memory); }
void operator delete(void* memory) noexcept { guest::kfree(memory); }
void operator delete(void* memory, size_t) noexcept { guest::kfree(memory); }
void operator delete[](void* memory) noexcept { guest::kfree(memory); }
void operator delete[](void* memory, size_t) noexcept { guest::kfree(memory); }
