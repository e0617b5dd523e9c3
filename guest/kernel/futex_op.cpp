// FUTEX_WAKE_OP: a word is changed and two are woken, so that signalling a condition costs one call.
#include "guest/kernel/futex_core.hpp"

#include "guest/mm/uaccess.hpp"

namespace guest {

namespace {

// What FUTEX_OP packs: 4 bits operation, 4 bits comparison, 12 bits each of operand, both signed.
enum class FutexOp : uint32_t { Set = 0, Add = 1, Or = 2, AndNot = 3, Xor = 4 };
enum class FutexCmp : uint32_t { Eq = 0, Ne = 1, Lt = 2, Le = 3, Gt = 4, Ge = 5 };
constexpr uint32_t kOpArgShift = 0x80000000;  // the operand tells a bit

int32_t sign_extend12(uint32_t value) { return static_cast<int32_t>(value << 20) >> 20; }

uint32_t operand_of(uint32_t operation) {
    const auto operand = static_cast<uint32_t>(sign_extend12(operation >> 12 & 0xfff));
    return (operation & kOpArgShift) != 0 ? uint32_t{1} << (operand & 31) : operand;
}

Result<uint32_t> apply(uint32_t operation, uint32_t old) {
    const uint32_t operand = operand_of(operation);
    switch (static_cast<FutexOp>(operation >> 28 & 7)) {
        case FutexOp::Set:
            return operand;
        case FutexOp::Add:
            return old + operand;
        case FutexOp::Or:
            return old | operand;
        case FutexOp::AndNot:
            return old & ~operand;
        case FutexOp::Xor:
            return old ^ operand;
    }
    return Errno::NoSys;
}

Result<bool> compare(uint32_t operation, uint32_t old) {
    const auto value = static_cast<int32_t>(old);
    const int32_t operand = sign_extend12(operation & 0xfff);
    switch (static_cast<FutexCmp>(operation >> 24 & 0xf)) {
        case FutexCmp::Eq:
            return value == operand;
        case FutexCmp::Ne:
            return value != operand;
        case FutexCmp::Lt:
            return value < operand;
        case FutexCmp::Le:
            return value <= operand;
        case FutexCmp::Gt:
            return value > operand;
        case FutexCmp::Ge:
            return value >= operand;
    }
    return Errno::NoSys;
}

// Changes the word, with locks held: Fault also if its page is not there. Whether what it was passes.
Result<bool> op_in_user(uint32_t operation, UserPtr<uint32_t> word) {
    const uint32_t old = TRY(get_user(word));
    TRY(put_user(word, TRY(apply(operation, old))));
    return compare(operation, old);
}

}  // namespace

Result<long> futex_wake_op(UserPtr<uint32_t> address, bool shared, int count, UserPtr<uint32_t> target,
                           int target_count, uint32_t operation) {
    const FutexKey first = TRY(get_futex_key(address, shared));
    const FutexKey second = TRY(get_futex_key(target, shared));
    futex_bucket& bucket = bucket_of(first);
    futex_bucket& target_bucket = bucket_of(second);
    for (;;) {
        {
            const TwoBuckets guard(bucket, target_bucket);
            Result<bool> passes = op_in_user(operation, target);
            if (!passes && passes.error() != Errno::Fault) return passes.error();
            if (passes) {
                int woken = TRY(wake_key(bucket, first, count, abi::kFutexBitsetMatchAny));
                if (passes.value())
                    woken += TRY(wake_key(target_bucket, second, target_count, abi::kFutexBitsetMatchAny));
                return woken;
            }
        }
        TRY(fault_in_user_writeable(target));
    }
}

}  // namespace guest
