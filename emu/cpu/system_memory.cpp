#include "emu/cpu/system_memory.hpp"

#include <algorithm>

namespace forkscope::cpu {

Exception exception_of(const mmu::Fault& fault) {
    Exception e;
    e.vector = fault.vector;
    e.error_code = fault.error_code;
    e.address = fault.va;
    e.entry = fault.entry;
    e.entry_value = fault.value;
    e.level = fault.level;
    return e;
}

Guarded<uint64_t> SystemMemory::read(uint64_t linear, unsigned size, mmu::Privilege privilege) {
    uint64_t value = 0;
    for (unsigned done = 0; done < size;) {
        const VirtAddr va(linear + done);
        const auto pa = core_.mmu().translate_for_system(va, mmu::Access::Read, privilege,
                                                         core_.paging_registers(), core_.origin());
        if (!pa) return tl::make_unexpected(exception_of(pa.error()));
        const auto chunk =
            std::min<unsigned>(size - done, static_cast<unsigned>(kPageSize - va.page_offset()));
        if (const uint8_t* p = core_.readable(*pa, chunk))
            for (unsigned i = 0; i < chunk; ++i) value |= uint64_t{p[i]} << (8 * (done + i));
        else
            value |= (~uint64_t{0} >> (64 - 8 * chunk)) << (8 * done);
        done += chunk;
    }
    return value;
}

Guarded<bool> SystemMemory::write(uint64_t linear, std::span<const uint8_t> bytes, mmu::Privilege privilege) {
    struct Piece {
        PhysAddr pa;
        std::span<const uint8_t> bytes;
    };
    // An exception frame touches two pages at most.
    Piece pieces[2];
    unsigned count = 0;
    const log::Origin origin = core_.origin();
    for (size_t done = 0; done < bytes.size() && count < 2; ++count) {
        const VirtAddr va(linear + done);
        const size_t chunk = std::min<size_t>(bytes.size() - done, kPageSize - va.page_offset());
        const auto pa = core_.mmu().translate_for_system(va, mmu::Access::Write, privilege,
                                                         core_.paging_registers(), origin);
        if (!pa) return tl::make_unexpected(exception_of(pa.error()));
        pieces[count] = {*pa, bytes.subspan(done, chunk)};
        done += chunk;
    }
    for (unsigned i = 0; i < count; ++i) {
        const Piece& piece = pieces[i];
        core_.mmu().write_memory(piece.pa, piece.bytes, log::Cause::Delivery, origin);
        const uint8_t* p = core_.ram().at(piece.pa, 1);
        if (p != nullptr && core_.code_pages().is_code(p))
            core_.invalidate_code(piece.pa, piece.bytes.size());
    }
    return true;
}

Guarded<bool> SystemMemory::push(uint64_t linear, std::span<const uint8_t> bytes, unsigned word_bytes,
                                 mmu::Privilege privilege) {
    auto written = write(linear, bytes, privilege);
    if (written) return written;
    uint64_t word = linear + bytes.size() - word_bytes;
    const VirtAddr lowest_page = VirtAddr(linear).page_base();
    for (;; word -= word_bytes) {
        const auto pa = core_.mmu().translate_for_system(VirtAddr(word), mmu::Access::Write, privilege,
                                                         core_.paging_registers(), core_.origin());
        if (!pa) return tl::make_unexpected(exception_of(pa.error()));
        if (word <= linear || VirtAddr(word).page_base() == lowest_page) return written;
    }
}

// A long transfer goes page by page: a page table is told of its own part.
bool SystemMemory::write_for_device(PhysAddr to, std::span<const uint8_t> bytes) {
    if (!core_.ram().contains(to, bytes.size())) return false;
    const log::Origin origin = core_.origin();
    while (!bytes.empty()) {
        const size_t chunk = std::min<size_t>(bytes.size(), kPageSize - to.page_offset());
        core_.mmu().write_memory(to, bytes.first(chunk), log::Cause::Device, origin);
        if (core_.code_pages().is_code(core_.ram().at(to, 1))) core_.invalidate_code(to, chunk);
        to += chunk;
        bytes = bytes.subspan(chunk);
    }
    return true;
}

}  // namespace forkscope::cpu
