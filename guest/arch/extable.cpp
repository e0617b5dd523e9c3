// The exception table (entries are made in mm/uaccess.cpp).
#include "guest/arch/extable.hpp"

namespace guest {

namespace {

struct exception_table_entry {
    int32_t instruction;  // both relative to their own address
    int32_t fixup;

    static uint64_t absolute(const int32_t& offset) {
        return reinterpret_cast<uint64_t>(&offset) + static_cast<uint64_t>(int64_t{offset});
    }
};

extern "C" const exception_table_entry __start___ex_table[], __stop___ex_table[];

// A handful of entries: no order, no search tree.
const exception_table_entry* search_exception_tables(uint64_t rip) {
    for (const auto* entry = __start___ex_table; entry < __stop___ex_table; ++entry) {
        if (exception_table_entry::absolute(entry->instruction) == rip) return entry;
    }
    return nullptr;
}

}  // namespace

bool has_fixup(uint64_t rip) { return search_exception_tables(rip) != nullptr; }

bool fixup_exception(pt_regs& regs) {
    const exception_table_entry* entry = search_exception_tables(regs.rip);
    if (entry == nullptr) return false;
    regs.rip = exception_table_entry::absolute(entry->fixup);
    return true;
}

}  // namespace guest
