// Capability sets: how they follow user ids, and how they are asked for.
#include "guest/kernel/capability.hpp"

#include "guest/kernel/sched.hpp"

namespace guest {

namespace {

// Those that are about files: of the file system's user id.
constexpr uint64_t kCapFsSet = uint64_t{1} << kCapChown | uint64_t{1} << kCapDacOverride |
                               uint64_t{1} << kCapDacReadSearch | uint64_t{1} << kCapFowner |
                               uint64_t{1} << kCapFsetid | uint64_t{1} << kCapMknod |
                               uint64_t{1} << 9 /* LINUX_IMMUTABLE */ | uint64_t{1} << 32 /* MAC_OVERRIDE */;

bool any_root(const cred& who) { return who.uid == 0 || who.euid == 0 || who.suid == 0; }
bool is_subset(uint64_t part, uint64_t whole) { return (part & ~whole) == 0; }
bool is_valid(uint64_t capability) { return capability <= kCapLast; }
uint64_t bit_of(uint64_t capability) { return uint64_t{1} << capability; }

Result<long> drop_from_bounding(uint64_t capability) {
    if (!capable(kCapSetpcap)) return Errno::Perm;
    if (!is_valid(capability)) return Errno::Inval;
    RefPtr<cred> changed = TRY(prepare_creds());
    changed->cap_bset &= ~bit_of(capability);
    commit_creds(std::move(changed));
    return 0;
}

Result<long> set_securebits(uint64_t bits) {
    const uint32_t old = current_cred().securebits;
    const uint64_t locked = (old & kSecureAllLocks) >> 1;
    const bool changes_locked = (locked & (old ^ bits)) != 0;
    const bool unlocks = (old & kSecureAllLocks & ~bits) != 0;
    const bool unknown = (bits & ~uint64_t{kSecureAllBits | kSecureAllLocks}) != 0;
    if (changes_locked || unlocks || unknown || !capable(kCapSetpcap)) return Errno::Perm;
    RefPtr<cred> changed = TRY(prepare_creds());
    changed->securebits = static_cast<uint32_t>(bits);
    commit_creds(std::move(changed));
    return 0;
}

Result<long> set_keepcaps(uint64_t keep) {
    if (keep > 1) return Errno::Inval;
    if ((current_cred().securebits & kSecureKeepCaps << 1) != 0) return Errno::Perm;
    RefPtr<cred> changed = TRY(prepare_creds());
    changed->securebits &= ~kSecureKeepCaps;
    if (keep != 0) changed->securebits |= kSecureKeepCaps;
    commit_creds(std::move(changed));
    return 0;
}

Result<long> change_ambient(abi::PrCapAmbient how, uint64_t capability) {
    const cred& old = current_cred();
    const bool may_raise = is_subset(bit_of(capability), old.cap_permitted & old.cap_inheritable) &&
                           (old.securebits & kSecureNoCapAmbientRaise) == 0;
    if (how == abi::PrCapAmbient::Raise && !may_raise) return Errno::Perm;
    RefPtr<cred> changed = TRY(prepare_creds());
    changed->cap_ambient &= ~bit_of(capability);
    if (how == abi::PrCapAmbient::Raise) changed->cap_ambient |= bit_of(capability);
    commit_creds(std::move(changed));
    return 0;
}

Result<long> clear_ambient() {
    RefPtr<cred> changed = TRY(prepare_creds());
    changed->cap_ambient = 0;
    commit_creds(std::move(changed));
    return 0;
}

Result<long> prctl_ambient(uint64_t what, uint64_t capability, uint64_t arg4, uint64_t arg5) {
    const auto how = static_cast<abi::PrCapAmbient>(what);
    if (how == abi::PrCapAmbient::ClearAll) {
        if ((capability | arg4 | arg5) != 0) return Errno::Inval;
        return clear_ambient();
    }
    if (!is_valid(capability) || (arg4 | arg5) != 0) return Errno::Inval;
    switch (how) {
        case abi::PrCapAmbient::IsSet:
            return (current_cred().cap_ambient & bit_of(capability)) != 0 ? 1 : 0;
        case abi::PrCapAmbient::Raise:
        case abi::PrCapAmbient::Lower:
            return change_ambient(how, capability);
        default:
            return Errno::Inval;
    }
}

}  // namespace

void cap_emulate_setxuid(cred& changed, const cred& old) {
    if ((old.securebits & kSecureNoSetuidFixup) != 0) return;
    if (any_root(old) && !any_root(changed)) {
        if ((old.securebits & kSecureKeepCaps) == 0) changed.cap_permitted = changed.cap_effective = 0;
        changed.cap_ambient = 0;
    }
    if (old.euid == 0 && changed.euid != 0) changed.cap_effective = 0;
    if (old.euid != 0 && changed.euid == 0) changed.cap_effective = changed.cap_permitted;
}

void cap_fix_setfsuid(cred& changed, const cred& old) {
    if ((old.securebits & kSecureNoSetuidFixup) != 0) return;
    if (old.fsuid == 0 && changed.fsuid != 0) changed.cap_effective &= ~kCapFsSet;
    if (old.fsuid != 0 && changed.fsuid == 0) changed.cap_effective |= changed.cap_permitted & kCapFsSet;
}

Result<> cap_capset(cred& changed, uint64_t effective, uint64_t permitted, uint64_t inheritable) {
    const cred& old = current_cred();
    if (!is_subset(inheritable, old.cap_inheritable | old.cap_permitted) && !capable(kCapSetpcap))
        return Errno::Perm;
    if (!is_subset(inheritable, old.cap_inheritable | old.cap_bset)) return Errno::Perm;
    if (!is_subset(permitted, old.cap_permitted) || !is_subset(effective, permitted)) return Errno::Perm;
    changed.cap_effective = effective;
    changed.cap_permitted = permitted;
    changed.cap_inheritable = inheritable;
    changed.cap_ambient &= permitted & inheritable;
    return {};
}

Result<long> cap_prctl(abi::Prctl option, uint64_t arg2, uint64_t arg3, uint64_t arg4, uint64_t arg5) {
    const cred& mine = current_cred();
    switch (option) {
        case abi::Prctl::CapbsetRead:
            if (!is_valid(arg2)) return Errno::Inval;
            return (mine.cap_bset & bit_of(arg2)) != 0 ? 1 : 0;
        case abi::Prctl::CapbsetDrop:
            return drop_from_bounding(arg2);
        case abi::Prctl::GetSecurebits:
            return static_cast<long>(mine.securebits);
        case abi::Prctl::SetSecurebits:
            return set_securebits(arg2);
        case abi::Prctl::GetKeepcaps:
            return (mine.securebits & kSecureKeepCaps) != 0 ? 1 : 0;
        case abi::Prctl::SetKeepcaps:
            return set_keepcaps(arg2);
        case abi::Prctl::CapAmbient:
            return prctl_ambient(arg2, arg3, arg4, arg5);
        default:
            return Errno::Inval;
    }
}

}  // namespace guest
