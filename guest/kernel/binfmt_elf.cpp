// Loading ELF64 programs: static ones, static position-independent ones, and those with an interpreter.
#include "guest/arch/cpu.hpp"
#include "guest/arch/process.hpp"
#include "guest/fs/file.hpp"
#include "guest/fs/namei.hpp"
#include "guest/fs/vfs.hpp"
#include "guest/kernel/elf.hpp"
#include "guest/kernel/elf_stack.hpp"
#include "guest/kernel/exec.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/string.hpp"
#include "guest/mm/memory.hpp"
#include "guest/mm/mmap.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

// Where position-independent programs go: two thirds up, as on Linux without randomization.
constexpr VirtAddr kElfEtDynBase{0x555555554000};
constexpr uint64_t kMinStackGap = 128 * 1024 * 1024;
constexpr unsigned kMaxSegments = 128;

// One file to map: the program or its interpreter.
struct Image {
    RefPtr<file> from;
    Elf64Header header{};
    KBuffer table;  // of Elf64Segment
    VirtAddr bias;  // added to every address in the file

    [[nodiscard]] unsigned count() const { return header.phnum; }
    [[nodiscard]] const Elf64Segment& segment(unsigned i) const {
        return reinterpret_cast<const Elf64Segment*>(table.data())[i];
    }
    [[nodiscard]] const Elf64Segment* find(uint32_t type) const {
        for (unsigned i = 0; i < count(); ++i) {
            if (segment(i).type == type) return &segment(i);
        }
        return nullptr;
    }
    [[nodiscard]] VirtAddr entry() const { return bias + header.entry; }
};

Result<> check_header(const Elf64Header& header) {
    const uint8_t magic[] = {0x7f, 'E', 'L', 'F', 2, 1};  // 64-bit, little-endian
    if (memcmp(header.ident, magic, sizeof(magic)) != 0) return Errno::NoExec;
    if (header.type != kElfExec && header.type != kElfDyn) return Errno::NoExec;
    if (header.machine != kElfX8664 || header.phentsize != sizeof(Elf64Segment)) return Errno::NoExec;
    if (header.phnum == 0 || header.phnum > kMaxSegments) return Errno::NoExec;
    return {};
}

Result<> check_segment(const Elf64Segment& segment) {
    if (segment.type != kPtLoad) return {};
    const bool sane = segment.filesz <= segment.memsz && segment.memsz <= kTaskSize.raw() &&
                      segment.vaddr <= kTaskSize.raw() - segment.memsz &&
                      (segment.vaddr & ~kPageMask) == (segment.offset & ~kPageMask);
    if (!sane) return Errno::NoExec;
    return {};
}

Result<Image> read_image(RefPtr<file> from) {
    Elf64Header header{};
    abi::loff_t offset = 0;
    if (TRY(kernel_read(*from, offset, &header, sizeof(header))) != sizeof(header)) return Errno::NoExec;
    TRY(check_header(header));
    const size_t bytes = header.phnum * sizeof(Elf64Segment);
    KBuffer table = TRY(KBuffer::allocate(bytes));
    Image image{std::move(from), header, std::move(table), VirtAddr(0)};
    offset = static_cast<abi::loff_t>(header.phoff);
    if (offset < 0 || TRY(kernel_read(*image.from, offset, image.table.data(), bytes)) != bytes)
        return Errno::NoExec;
    for (unsigned i = 0; i < image.count(); ++i) TRY(check_segment(image.segment(i)));
    if (image.find(kPtLoad) == nullptr) return Errno::NoExec;
    return image;
}

// Lowest and highest address in the file, whole pages.
struct Span {
    VirtAddr low{~uint64_t{0}};
    VirtAddr high{0};
};
Span load_span(const Image& image) {
    Span span;
    for (unsigned i = 0; i < image.count(); ++i) {
        const Elf64Segment& segment = image.segment(i);
        if (segment.type != kPtLoad) continue;
        const VirtAddr start = VirtAddr(segment.vaddr).align_down();
        const VirtAddr end = VirtAddr(segment.vaddr + segment.memsz).align_up();
        if (start < span.low) span.low = start;
        if (end > span.high) span.high = end;
    }
    return span;
}

uint64_t prot_of(const Elf64Segment& segment) {
    return ((segment.flags & kPfR) != 0 ? abi::kProtRead : 0) |
           ((segment.flags & kPfW) != 0 ? abi::kProtWrite : 0) |
           ((segment.flags & kPfX) != 0 ? abi::kProtExec : 0);
}

// Maps one segment: pages of the file, then zeros up to memsz.
Result<> map_segment(const Image& image, const Elf64Segment& segment) {
    mm_struct& mm = *current()->mm;
    const VirtAddr start = image.bias + segment.vaddr;
    const VirtAddr file_end = start + segment.filesz;
    const VirtAddr end = start + segment.memsz;
    constexpr uint64_t kFlags = abi::kMapPrivate | abi::kMapFixed;
    if (segment.filesz > 0) {
        const write_guard guard(mm.mmap_sem);
        TRY(do_mmap(mm, image.from.get(), start.align_down(), segment.filesz + start.page_offset(),
                    prot_of(segment), kFlags, segment.offset >> kPageShift));
    }
    if (segment.memsz == segment.filesz) return {};
    // What the file has behind the segment in its last page is not the program's business.
    const VirtAddr zero_page_end = segment.filesz > 0 ? file_end.align_up() : start.align_down();
    if (segment.filesz > 0 && (segment.flags & kPfW) != 0 && file_end.page_offset() != 0) {
        TRY(clear_user(file_end, (zero_page_end < end ? zero_page_end : end) - file_end));
        if (zero_page_end > end) TRY(clear_user(end, zero_page_end - end));
    }
    if (zero_page_end >= end) return {};
    const write_guard guard(mm.mmap_sem);
    TRY(do_mmap(mm, nullptr, zero_page_end, end.align_up() - zero_page_end, prot_of(segment),
                kFlags | abi::kMapAnonymous, 0));
    return {};
}

// Finds a place for a position-independent file, and maps all segments.
Result<> map_image(Image& image, VirtAddr dyn_base) {
    if (image.header.type == kElfDyn) {
        const Span span = load_span(image);
        mm_struct& mm = *current()->mm;
        const write_guard guard(mm.mmap_sem);
        const VirtAddr at = TRY(get_unmapped_area(mm, dyn_base, span.high - span.low));
        image.bias = VirtAddr(at - span.low);
    }
    for (unsigned i = 0; i < image.count(); ++i) {
        if (image.segment(i).type == kPtLoad) TRY(map_segment(image, image.segment(i)));
    }
    return {};
}

// Code, data and break, for brk and /proc.
void set_layout(mm_struct& mm, const Image& image) {
    VirtAddr start_code(~uint64_t{0}), end_code, start_data, end_data, brk;
    for (unsigned i = 0; i < image.count(); ++i) {
        const Elf64Segment& segment = image.segment(i);
        if (segment.type != kPtLoad) continue;
        const VirtAddr start = image.bias + segment.vaddr;
        const VirtAddr file_end = start + segment.filesz;
        if (start < start_code) start_code = start;
        if (start > start_data) start_data = start;
        if ((segment.flags & kPfX) != 0 && file_end > end_code) end_code = file_end;
        if (file_end > end_data) end_data = file_end;
        if (start + segment.memsz > brk) brk = start + segment.memsz;
    }
    mm.start_code = start_code;
    mm.end_code = end_code;
    mm.start_data = start_data;
    mm.end_data = end_data;
    mm.start_brk = mm.brk = brk.align_up();
}

VirtAddr mmap_base() {
    const uint64_t stack = rlimit(abi::Rlimit::Stack);
    const uint64_t most = kTaskSize.raw() / 6 * 5;
    const uint64_t gap = stack < kMinStackGap ? kMinStackGap : stack > most ? most : stack;
    return (kTaskSize - gap - kStackGuardGap).align_down();
}

Result<Image> open_interpreter(const Image& program, const Elf64Segment& segment) {
    constexpr uint64_t kPathMax = 4096;
    if (segment.filesz < 2 || segment.filesz > kPathMax) return Errno::NoExec;
    KBuffer path = TRY(KBuffer::allocate(segment.filesz));
    auto offset = static_cast<abi::loff_t>(segment.offset);
    const size_t got = TRY(kernel_read(*program.from, offset, path.data(), segment.filesz));
    if (got != segment.filesz || path.data()[segment.filesz - 1] != '\0') return Errno::NoExec;
    return read_image(TRY(open_exec(abi::kAtFdCwd, path.data())));
}

VirtAddr phdr_address(const Image& image) {
    if (const Elf64Segment* phdr = image.find(kPtPhdr)) return image.bias + phdr->vaddr;
    for (unsigned i = 0; i < image.count(); ++i) {
        const Elf64Segment& segment = image.segment(i);
        const uint64_t offset = image.header.phoff;
        if (segment.type == kPtLoad && offset >= segment.offset && offset < segment.offset + segment.filesz) {
            return image.bias + (offset - segment.offset + segment.vaddr);
        }
    }
    return VirtAddr(0);
}

// The program is current's from here on: whatever fails, the old one is gone.
Result<> start_image(linux_binprm& bprm, Image& program, Image* interpreter, pt_regs& regs) {
    mm_struct& mm = *current()->mm;
    mm.mmap_base = mmap_base();
    program.from->get();
    mm.exe_file.reset(program.from.get());
    if (bprm.executable_stack) bprm.stack->vm_flags |= VM_EXEC;
    TRY(map_image(program, kElfEtDynBase));
    if (interpreter != nullptr) TRY(map_image(*interpreter, VirtAddr(0)));
    set_layout(mm, program);
    ElfAuxiliary aux;
    aux.phdr = phdr_address(program);
    aux.phnum = program.count();
    aux.base = interpreter != nullptr ? interpreter->bias : VirtAddr(0);
    aux.entry = program.entry();
    const VirtAddr stack = TRY(create_elf_tables(bprm, aux));
    const VirtAddr entry = interpreter != nullptr ? interpreter->entry() : program.entry();
    start_thread(regs, entry, stack);
    return {};
}

}  // namespace

Result<> load_elf_binary(linux_binprm& bprm, pt_regs& regs) {
    Image program = TRY(read_image(bprm.program));
    const Elf64Segment* interp = program.find(kPtInterp);
    const Elf64Segment* stack = program.find(kPtGnuStack);
    bprm.executable_stack = stack != nullptr && (stack->flags & kPfX) != 0;
    if (interp == nullptr) {
        TRY(flush_old_exec(bprm));
        return start_image(bprm, program, nullptr, regs);
    }
    Image interpreter = TRY(open_interpreter(program, *interp));
    TRY(flush_old_exec(bprm));
    return start_image(bprm, program, &interpreter, regs);
}

}  // namespace guest
