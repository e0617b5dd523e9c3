// The initial stack of a program.
#include "guest/kernel/elf_stack.hpp"

#include "guest/abi/process.hpp"
#include "guest/arch/cpu.hpp"
#include "guest/arch/signal.hpp"
#include "guest/kernel/elf.hpp"
#include "guest/kernel/exec.hpp"
#include "guest/kernel/random.hpp"
#include "guest/kernel/sched.hpp"
#include "guest/lib/string.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

constexpr char kPlatform[] = "x86_64";

// mm_struct::saved_auxv, filled pair by pair; the rest stays AT_NULL.
class AuxVector {
public:
    explicit AuxVector(uint64_t* words) : words_(words) {
        memset(words, 0, mm_struct::kAuxWords * sizeof(uint64_t));
    }
    void add(abi::Aux type, uint64_t value) {
        BUG_ON(used_ + 4 > mm_struct::kAuxWords);
        words_[used_++] = static_cast<uint64_t>(type);
        words_[used_++] = value;
    }
    // Words including the AT_NULL pair at the end.
    [[nodiscard]] unsigned words() const { return used_ + 2; }

private:
    uint64_t* words_;
    unsigned used_ = 0;
};

// Words that are written one after the other.
class UserWords {
public:
    explicit UserWords(VirtAddr at) : at_(at) {}
    Result<> put(uint64_t value) {
        TRY(put_user(UserPtr<uint64_t>(at_), value));
        at_ += sizeof(uint64_t);
        return {};
    }
    [[nodiscard]] VirtAddr at() const { return at_; }

private:
    VirtAddr at_;
};

Result<VirtAddr> push_block(VirtAddr below, const void* bytes, size_t size) {
    const VirtAddr at = (below - size).align_down(16);
    TRY(copy_to_user(at, bytes, size));
    return at;
}

// The pointers to `count` strings that begin at `text`; where the strings end.
Result<VirtAddr> put_pointers(UserWords& words, VirtAddr text, int count) {
    KBuffer scratch = TRY(KBuffer::allocate(kMaxArgStrlen));
    for (int i = 0; i < count; ++i) {
        TRY(words.put(text.raw()));
        text += TRY(strncpy_from_user(scratch.data(), UserPtr<const char>(text), scratch.size())) + 1;
    }
    TRY(words.put(0));
    return text;
}

void fill_auxv(AuxVector& auxv, const linux_binprm& bprm, const ElfAuxiliary& aux, VirtAddr random,
               VirtAddr platform) {
    const cred& credentials = current_cred();
    auxv.add(abi::Aux::HwCap, cpuid(1).edx);
    auxv.add(abi::Aux::PageSz, kPageSize);
    auxv.add(abi::Aux::ClkTck, kHz);
    auxv.add(abi::Aux::Phdr, aux.phdr.raw());
    auxv.add(abi::Aux::PhEnt, sizeof(Elf64Segment));
    auxv.add(abi::Aux::PhNum, aux.phnum);
    auxv.add(abi::Aux::Base, aux.base.raw());
    auxv.add(abi::Aux::Flags, 0);
    auxv.add(abi::Aux::Entry, aux.entry.raw());
    auxv.add(abi::Aux::Uid, credentials.uid);
    auxv.add(abi::Aux::EUid, credentials.euid);
    auxv.add(abi::Aux::Gid, credentials.gid);
    auxv.add(abi::Aux::EGid, credentials.egid);
    auxv.add(abi::Aux::Secure, bprm.secureexec ? 1 : 0);
    auxv.add(abi::Aux::Random, random.raw());
    auxv.add(abi::Aux::HwCap2, 0);
    auxv.add(abi::Aux::ExecFn, bprm.exec.raw());
    auxv.add(abi::Aux::Platform, platform.raw());
    auxv.add(abi::Aux::MinSigStkSz, kSignalFrameMost);
}

}  // namespace

Result<VirtAddr> create_elf_tables(linux_binprm& bprm, const ElfAuxiliary& aux) {
    mm_struct& mm = *current()->mm;
    uint8_t random[16];
    get_random_bytes(random, sizeof(random));
    const VirtAddr platform = TRY(push_block(bprm.p, kPlatform, sizeof(kPlatform)));
    const VirtAddr random_at = TRY(push_block(platform, random, sizeof(random)));

    AuxVector auxv(mm.saved_auxv);
    fill_auxv(auxv, bprm, aux, random_at, platform);
    const auto pointers = static_cast<uint64_t>(bprm.argc) + static_cast<uint64_t>(bprm.envc) + 3;
    const uint64_t bytes = (pointers + auxv.words()) * sizeof(uint64_t);
    const VirtAddr stack = (random_at - bytes).align_down(16);

    UserWords words(stack);
    TRY(words.put(static_cast<uint64_t>(bprm.argc)));
    mm.arg_start = bprm.p;
    mm.arg_end = mm.env_start = TRY(put_pointers(words, bprm.p, bprm.argc));
    mm.env_end = TRY(put_pointers(words, mm.env_start, bprm.envc));
    TRY(copy_to_user(words.at(), mm.saved_auxv, auxv.words() * sizeof(uint64_t)));
    mm.start_stack = stack;
    return stack;
}

}  // namespace guest
