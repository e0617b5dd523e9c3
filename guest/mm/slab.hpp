// Caches of small objects of one size, with exact counts. A type gets its own cache by saying KMEM_CACHED()
// in its class and DEFINE_KMEM_CACHE(type) in its source; the rest comes from kmalloc's caches by size.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "guest/lib/list.hpp"
#include "guest/lib/new.hpp"
#include "guest/lib/spinlock.hpp"
#include "guest/mm/page.hpp"

namespace guest {

struct kmem_cache {
    constexpr kmem_cache(const char* its_name, size_t bytes)
        : name(its_name), object_size(bytes < 16 ? 16 : (bytes + 15) & ~size_t{15}) {}

    const char* name;
    size_t object_size;                       // bytes, a multiple of 16
    spinlock_t lock;                          // guards all below
    IntrusiveList<page, &page::lru> partial;  // slabs with room
    uint64_t objects = 0;                     // handed out and not yet back
    uint64_t slabs = 0;
    uint64_t slab_pages = 0;
    list_head caches;  // in the list of all, from the first allocation on
    bool registered = false;
};

// Null when there is no memory. Never sleeps.
[[nodiscard]] void* kmem_cache_alloc(kmem_cache& cache);
void kmem_cache_free(kmem_cache& cache, void* object);

// Calls visit(cache) for each cache that was ever used, in order of first use.
void for_each_kmem_cache(void (*visit)(const kmem_cache& cache, void* context), void* context);
// Objects in all caches together.
[[nodiscard]] uint64_t nr_slab_objects();

}  // namespace guest

#define KMEM_CACHED()                                                          \
    static void* operator new(size_t bytes, const ::guest::NoThrow&) noexcept; \
    static void operator delete(void* object) noexcept;                        \
    static void* operator new(size_t, void* where) noexcept { return where; }

#define DEFINE_KMEM_CACHE(type)                                                 \
    static constinit ::guest::kmem_cache type##_cachep{#type, sizeof(type)};    \
    void* type::operator new(size_t, const ::guest::NoThrow&) noexcept {        \
        return ::guest::kmem_cache_alloc(type##_cachep);                        \
    }                                                                           \
    void type::operator delete(void* object) noexcept {                         \
        if (object != nullptr) ::guest::kmem_cache_free(type##_cachep, object); \
    }
