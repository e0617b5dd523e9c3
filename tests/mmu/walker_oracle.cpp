#include "walker_oracle.hpp"

#include <vector>

namespace forkscope::mmu {

namespace {

bool is_set(uint64_t word, unsigned n) { return ((word >> n) & 1) != 0; }

struct World {
    const PagingRegisters& regs;
    const PagingModel& model;
    bool pae() const { return is_set(regs.cr4, 5); }
    bool lma() const { return is_set(regs.efer, 10); }
    bool nxe() const { return is_set(regs.efer, 11); }
    bool pse() const { return is_set(regs.cr4, 4); }
    bool smep() const { return is_set(regs.cr4, 20); }
    bool smap() const { return is_set(regs.cr4, 21); }
    bool pke() const { return is_set(regs.cr4, 22); }
    bool wp() const { return is_set(regs.cr0, 16); }
    bool ac() const { return is_set(regs.rflags, 18); }
};

// One row of the manual's tables of entry formats.
enum class What { Cr3, Table, Page };
struct Row {
    const char* name;
    unsigned level;
    unsigned index_low;  // lowest address bit of its index
    unsigned index_bits;
    unsigned bytes;
    What what;
    std::function<bool(const World&, uint64_t)> applies;   // to a present entry
    std::function<bool(const World&, unsigned)> reserved;  // bit n of it must be 0
    bool has_rights;
};

bool above_maxphyaddr(const World& w, unsigned n) { return n >= w.model.physical_bits && n <= 51; }
bool xd_unknown(const World& w, unsigned n) { return n == 63 && !w.nxe(); }

const std::vector<Row>& rows_of_long_mode() {
    static const std::vector<Row> rows = {
        {"PML4E", 4, 39, 9, 8, What::Table, [](const World&, uint64_t) { return true; },
         [](const World& w, unsigned n) { return n == 7 || above_maxphyaddr(w, n) || xd_unknown(w, n); },
         true},
        {"PDPTE 1 GiB", 3, 30, 9, 8, What::Page, [](const World&, uint64_t e) { return is_set(e, 7); },
         [](const World& w, unsigned n) {
             if (n == 7 && !w.model.has_1gib_pages) return true;
             return (n >= 13 && n <= 29) || above_maxphyaddr(w, n) || xd_unknown(w, n);
         },
         true},
        {"PDPTE", 3, 30, 9, 8, What::Table, [](const World&, uint64_t e) { return !is_set(e, 7); },
         [](const World& w, unsigned n) { return above_maxphyaddr(w, n) || xd_unknown(w, n); }, true},
        {"PDE 2 MiB", 2, 21, 9, 8, What::Page, [](const World&, uint64_t e) { return is_set(e, 7); },
         [](const World& w, unsigned n) {
             return (n >= 13 && n <= 20) || above_maxphyaddr(w, n) || xd_unknown(w, n);
         },
         true},
        {"PDE", 2, 21, 9, 8, What::Table, [](const World&, uint64_t e) { return !is_set(e, 7); },
         [](const World& w, unsigned n) { return above_maxphyaddr(w, n) || xd_unknown(w, n); }, true},
        {"PTE", 1, 12, 9, 8, What::Page, [](const World&, uint64_t) { return true; },
         [](const World& w, unsigned n) { return above_maxphyaddr(w, n) || xd_unknown(w, n); }, true},
    };
    return rows;
}

const std::vector<Row>& rows_of_pae() {
    const auto high = [](const World& w, unsigned n) {
        return (n >= w.model.physical_bits && n <= 62) || xd_unknown(w, n);
    };
    static const std::vector<Row> rows = {
        {"PDPTE", 3, 30, 2, 8, What::Table, [](const World&, uint64_t) { return true; },
         [](const World& w, unsigned n) {
             return n == 1 || n == 2 || (n >= 5 && n <= 8) || n >= w.model.physical_bits;
         },
         false},
        {"PDE 2 MiB", 2, 21, 9, 8, What::Page, [](const World&, uint64_t e) { return is_set(e, 7); },
         [high](const World& w, unsigned n) { return (n >= 13 && n <= 20) || high(w, n); }, true},
        {"PDE", 2, 21, 9, 8, What::Table, [](const World&, uint64_t e) { return !is_set(e, 7); }, high, true},
        {"PTE", 1, 12, 9, 8, What::Page, [](const World&, uint64_t) { return true; }, high, true},
    };
    return rows;
}

const std::vector<Row>& rows_of_32_bit() {
    static const std::vector<Row> rows = {
        {"PDE 4 MiB", 2, 22, 10, 4, What::Page,
         [](const World& w, uint64_t e) { return w.pse() && is_set(e, 7); },
         [](const World& w, unsigned n) {
             if (!w.model.has_pse36) return n >= 13 && n <= 21;
             const unsigned m = w.model.physical_bits < 40 ? w.model.physical_bits : 40;
             return n >= m - 19 && n <= 21;
         },
         true},
        {"PDE", 2, 22, 10, 4, What::Table,
         [](const World& w, uint64_t e) { return !w.pse() || !is_set(e, 7); },
         [](const World&, unsigned) { return false; }, true},
        {"PTE", 1, 12, 10, 4, What::Page, [](const World&, uint64_t) { return true; },
         [](const World&, unsigned) { return false; }, true},
    };
    return rows;
}

// The linear address as the walk leaves it: all entries that count for rights, the last one first.
struct Found {
    std::vector<uint64_t> entries;
    uint64_t leaf = 0;
};
bool user_address(const Found& f) {
    for (uint64_t e : f.entries)
        if (!is_set(e, 2)) return false;
    return true;
}
bool read_write(const Found& f) {
    for (uint64_t e : f.entries)
        if (!is_set(e, 1)) return false;
    return true;
}
bool execute_disabled(const World& w, const Found& f) {
    if (!w.nxe() || !w.pae()) return false;
    for (uint64_t e : f.entries)
        if (is_set(e, 63)) return true;
    return false;
}

bool key_forbids(const World& w, const Found& f, Access access, bool user_mode) {
    if (!w.lma() || !w.pke() || access == Access::Fetch || !user_address(f)) return false;
    const unsigned key = (f.leaf >> 59) & 15;
    if (is_set(w.regs.pkru, 2 * key)) return true;
    return access == Access::Write && is_set(w.regs.pkru, 2 * key + 1) && (user_mode || w.wp());
}

// SDM vol. 3, 4.6.1, bullet by bullet.
bool rights_forbid(const World& w, const Found& f, Access access, Privilege privilege) {
    const bool user_page = user_address(f);
    if (privilege == Privilege::User) {
        if (!user_page) return true;
        switch (access) {
            case Access::Read:
                return false;
            case Access::Write:
                return !read_write(f);
            case Access::Fetch:
                return execute_disabled(w, f);
        }
    }
    const bool implicit = privilege == Privilege::ImplicitSupervisor;
    const bool smap_blocks = user_page && w.smap() && (implicit || !w.ac());
    switch (access) {
        case Access::Read:
            return smap_blocks;
        case Access::Write:
            return smap_blocks || (w.wp() && !read_write(f));
        case Access::Fetch:
            return (user_page && w.smep()) || execute_disabled(w, f);
    }
    return true;
}

}  // namespace

OracleAnswer ask_oracle(const PagingRegisters& regs, const PagingModel& model, uint64_t va, Access access,
                        Privilege privilege, const ReadEntry& read) {
    const World w{regs, model};
    const bool user_mode = privilege == Privilege::User;
    uint32_t code = 0;
    if (access == Access::Write) code += 2;
    if (user_mode) code += 4;
    if (access == Access::Fetch && (w.smep() || (w.pae() && w.nxe()))) code += 16;

    const std::vector<Row>& rows = !w.pae()  ? rows_of_32_bit()
                                   : w.lma() ? rows_of_long_mode()
                                             : rows_of_pae();
    uint64_t table = !w.pae()  ? regs.cr3 & 0xffff'f000
                     : w.lma() ? regs.cr3 & 0x000f'ffff'ffff'f000
                               : regs.cr3 & 0xffff'ffe0;
    Found found;
    for (unsigned level = rows.front().level; level > 0; --level) {
        for (const Row& row : rows) {
            if (row.level != level) continue;
            const uint64_t index = (va >> row.index_low) % (uint64_t{1} << row.index_bits);
            const uint64_t e = read(table + index * row.bytes, row.bytes);
            if (!is_set(e, 0)) return {.error_code = code, .refused_at = level};
            if (!row.applies(w, e)) continue;
            for (unsigned n = 0; n < 8 * row.bytes; ++n)
                if (is_set(e, n) && row.reserved(w, n))
                    return {.error_code = code + 1 + 8, .refused_at = level};
            if (row.has_rights) found.entries.push_back(e);
            if (row.what == What::Page) {
                found.leaf = e;
                const uint64_t size = uint64_t{1} << row.index_low;
                uint64_t frame = e & 0x000f'ffff'ffff'f000;
                if (row.bytes == 4 && size > 4096) frame = (e & 0xffc0'0000) | (((e >> 13) & 0xff) << 32);
                frame -= frame % size;
                const bool by_key = key_forbids(w, found, access, user_mode);
                if (by_key || rights_forbid(w, found, access, privilege))
                    return {.error_code = code + 1 + (by_key ? 32u : 0u)};
                return {.allowed = true, .frame = frame + (va % size) / 4096 * 4096};
            }
            table = e & 0x000f'ffff'ffff'f000;
            break;
        }
    }
    return {};
}

}  // namespace forkscope::mmu
