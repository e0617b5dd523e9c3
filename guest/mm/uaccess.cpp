// Touching user memory. Each instruction that does so has an entry in the exception table: if its fault
// cannot be served, execution goes on at the fix-up with the bytes that are left in RCX.
#include "guest/mm/uaccess.hpp"

#include "guest/arch/cpu.hpp"
#include "guest/lib/string.hpp"

namespace guest {

namespace {

constexpr size_t kPathMax = 4096;

// Between these, SMAP lets the kernel reach user pages.
inline void user_access_begin() {
    if (cpu_has_smap) asm volatile("stac" : : : "memory");
}
inline void user_access_end() {
    if (cpu_has_smap) asm volatile("clac" : : : "memory");
}

// Entries are offsets from themselves: instruction, fix-up.
#define EX_TABLE(from, to)             \
    ".pushsection __ex_table, \"a\"\n" \
    ".balign 4\n"                      \
    ".long " from " - ., " to          \
    " - .\n"                           \
    ".popsection\n"

// Bytes not copied. One side is user memory; the copy by words first is what fork benchmarks are made of.
size_t copy_user_generic(void* to, const void* from, size_t bytes) {
    size_t words = bytes / 8;
    size_t rest = bytes % 8;
    user_access_begin();
    asm volatile(
        "1: rep movsq\n"
        "   movq %[rest], %%rcx\n"
        "2: rep movsb\n"
        "   jmp 4f\n"
        "3: leaq (%[rest], %%rcx, 8), %%rcx\n"
        "4:\n" EX_TABLE("1b", "3b") EX_TABLE("2b", "4b")
        : "+D"(to), "+S"(from), "+c"(words)
        : [rest] "r"(rest)
        : "memory");
    user_access_end();
    return words;
}

size_t clear_user_generic(void* to, size_t bytes) {
    user_access_begin();
    asm volatile(
        "1: rep stosb\n"
        "2:\n" EX_TABLE("1b", "2b")
        : "+D"(to), "+c"(bytes)
        : "a"(0)
        : "memory");
    user_access_end();
    return bytes;
}

// One byte; false on a fault.
bool get_user_byte(char& to, VirtAddr from) {
    uint32_t value = 0;
    uint64_t failed = 1;
    asm volatile(
        "1: movzbl (%[from]), %[value]\n"
        "   xorl %k[failed], %k[failed]\n"
        "2:\n" EX_TABLE("1b", "2b")
        : [value] "=&r"(value), [failed] "+&r"(failed)
        : [from] "r"(from.raw())
        : "memory", "cc");
    to = static_cast<char>(value);
    return failed == 0;
}

}  // namespace

bool access_ok(VirtAddr address, uint64_t bytes) {
    return bytes <= kTaskSize.raw() && address <= kTaskSize - bytes;
}

size_t copy_to_user_partial(VirtAddr to, const void* from, size_t bytes) {
    if (!access_ok(to, bytes)) return bytes;
    return copy_user_generic(reinterpret_cast<void*>(to.raw()), from, bytes);
}

size_t copy_from_user_partial(void* to, VirtAddr from, size_t bytes) {
    if (!access_ok(from, bytes)) return bytes;
    return copy_user_generic(to, reinterpret_cast<const void*>(from.raw()), bytes);
}

Result<void> copy_to_user(VirtAddr to, const void* from, size_t bytes) {
    if (copy_to_user_partial(to, from, bytes) != 0) return Errno::Fault;
    return {};
}

Result<void> copy_from_user(void* to, VirtAddr from, size_t bytes) {
    const size_t missing = copy_from_user_partial(to, from, bytes);
    if (missing == 0) return {};
    // What the caller may look at in spite of the error is never old kernel memory.
    memset(static_cast<char*>(to) + (bytes - missing), 0, missing);
    return Errno::Fault;
}

Result<void> clear_user(VirtAddr to, size_t bytes) {
    if (!access_ok(to, bytes)) return Errno::Fault;
    if (clear_user_generic(reinterpret_cast<void*>(to.raw()), bytes) != 0) return Errno::Fault;
    return {};
}

Result<size_t> strncpy_from_user(char* to, UserPtr<const char> from, size_t room) {
    user_access_begin();
    size_t length = 0;
    bool fine = true;
    for (; length < room; ++length) {
        const VirtAddr at = from.address() + length;
        fine = at < kTaskSize && get_user_byte(to[length], at);
        if (!fine || to[length] == '\0') break;
    }
    user_access_end();
    if (!fine) return Errno::Fault;
    return length;
}

Result<KBuffer> getname(UserPtr<const char> path) {
    KBuffer name = TRY(KBuffer::allocate(kPathMax));
    const size_t length = TRY(strncpy_from_user(name.data(), path, kPathMax));
    if (length == kPathMax) return Errno::NameTooLong;
    return name;
}

}  // namespace guest
