// Run as init: takes all memory for itself. There is nobody else, and init is never killed.
#include "rows.h"

int main(void) {
    const size_t bytes = (size_t)2 * 1024 * 1024 * 1024;
    char* memory = mmap(NULL, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    CHECK(memory != MAP_FAILED);
    for (size_t at = 0; at < bytes; at += PAGE) memory[at] = 1;
    return 0;
}
