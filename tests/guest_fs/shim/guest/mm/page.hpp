// Stands in for the kernel's frames: each is a piece of host memory of its own, so that the sanitizer sees
// every byte past its end and every use after its last put.
#pragma once

#include <stddef.h>
#include <stdint.h>

#include "guest/abi/event_port.hpp"
#include "guest/lib/address.hpp"
#include "guest/lib/atomic.hpp"
#include "guest/lib/list.hpp"

namespace guest {

struct address_space;
using abi::FrameUse;

struct page {
    FrameUse use;
    bool is_shmem = false;
    bool is_fallocated = false;
    Atomic<int32_t> _count{1};
    list_head lru;
    address_space* mapping = nullptr;
    uint64_t index = 0;
    char* data;
};

[[nodiscard]] page* alloc_page(FrameUse use);
[[nodiscard]] page* alloc_zeroed_page(FrameUse use);
void get_page(page* frame);
void put_page(page* frame);
[[nodiscard]] inline void* page_address(const page* frame) { return frame->data; }
[[nodiscard]] uint64_t total_ram_pages();

}  // namespace guest
