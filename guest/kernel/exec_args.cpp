// The first stack of a new program, and the strings on it.
#include "guest/kernel/exec_args.hpp"

#include "guest/kernel/sched.hpp"
#include "guest/lib/string.hpp"
#include "guest/mm/memory.hpp"
#include "guest/mm/mmap.hpp"
#include "guest/mm/overcommit.hpp"
#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

constexpr uint64_t kMinArgSpace = 128 * 1024;

uint64_t arg_limit() {
    const uint64_t quarter = rlimit(abi::Rlimit::Stack) / 4;
    return quarter > kMinArgSpace ? quarter : kMinArgSpace;
}

// Writes into the new stack, whose tables are not loaded: page by page, through the direct map.
Result<> write_to_stack(linux_binprm& bprm, VirtAddr to, const char* from, uint64_t bytes) {
    while (bytes > 0) {
        const uint64_t room = kPageSize - to.page_offset();
        const uint64_t part = bytes < room ? bytes : room;
        page* frame = TRY(get_user_page(*bprm.mm, to, FaultFlags{true}));
        memcpy(static_cast<char*>(page_address(frame)) + to.page_offset(), from, part);
        put_page(frame);
        to += part;
        from += part;
        bytes -= part;
    }
    return {};
}

Result<> push_bytes(linux_binprm& bprm, const char* text, uint64_t bytes) {
    if (kTaskSize - (bprm.p - bytes) > arg_limit()) return Errno::TooBig;
    bprm.p -= bytes;
    bprm.last_pushed = bytes;
    return write_to_stack(bprm, bprm.p, text, bytes);
}

Result<> push_user_string(linux_binprm& bprm, UserPtr<const char> text, KBuffer& buffer) {
    const size_t length = TRY(strncpy_from_user(buffer.data(), text, buffer.size()));
    if (length == buffer.size()) return Errno::TooBig;
    return push_bytes(bprm, buffer.data(), length + 1);
}

}  // namespace

Result<> bprm_mm_init(linux_binprm& bprm) {
    bprm.mm.reset(TRY(mm_alloc()));
    mm_struct& mm = *bprm.mm;
    constexpr uint64_t kStackFlags =
        VM_READ | VM_WRITE | VM_GROWSDOWN | VM_MAYREAD | VM_MAYWRITE | VM_MAYEXEC | VM_ACCOUNT | VM_SOFTDIRTY;
    auto stack = TRY(make_owned<vm_area_struct>(mm, kTaskSize - kPageSize, kTaskSize, kStackFlags));
    TRY(security_vm_enough_memory(&mm, 1));
    const write_guard guard(mm.mmap_sem);
    bprm.stack = stack.leak();
    insert_vm_struct(mm, bprm.stack);
    vm_stat_account(mm, kStackFlags, 1);
    // The last word of the stack stays null, as a fence.
    bprm.p = kTaskSize - sizeof(uint64_t);
    return {};
}

Result<int> count_strings(const ArgVector& vector) {
    constexpr int kMaxStrings = 0x7fffffff;
    for (int i = 0; i < kMaxStrings; ++i) {
        if (vector.kernel != nullptr) {
            if (vector.kernel[i] == nullptr) return i;
            continue;
        }
        if (!vector.user) return 0;
        if (!TRY(get_user(vector.user + static_cast<uint64_t>(i)))) return i;
        if (fatal_signal_pending(current())) return Errno::RestartNoHand;
    }
    return Errno::TooBig;
}

Result<> push_string(linux_binprm& bprm, const char* text) {
    return push_bytes(bprm, text, strlen(text) + 1);
}

// From the last to the first, so that they stand in order.
Result<> push_strings(linux_binprm& bprm, const ArgVector& vector, int count) {
    if (vector.kernel != nullptr) {
        for (int i = count; i-- > 0;) TRY(push_string(bprm, vector.kernel[i]));
        return {};
    }
    KBuffer buffer = TRY(KBuffer::allocate(kMaxArgStrlen));
    for (int i = count; i-- > 0;) {
        const UserPtr<const char> text = TRY(get_user(vector.user + static_cast<uint64_t>(i)));
        TRY(push_user_string(bprm, text, buffer));
        cond_resched();
    }
    return {};
}

}  // namespace guest
