// Bringing the memory management up, in this order.
#pragma once

namespace guest {

// The final page tables of the kernel's half: the direct map, and the image with its rights. From memblock.
void paging_init();
// mem_map, and all free RAM into the frame allocator. memblock ends here.
void mem_init();
// The zero page.
void zero_page_init();

}  // namespace guest
