// membarrier: what one thread wrote before it, others see after it. With one CPU every switch between threads
// is such a barrier; what is left is who may ask for which.
#include "guest/kernel/sched.hpp"
#include "guest/syscalls/syscalls.hpp"

namespace guest {

namespace {

enum class Membarrier : int {
    Query = 0,
    Global = 1,
    GlobalExpedited = 2,
    RegisterGlobalExpedited = 4,
    PrivateExpedited = 8,
    RegisterPrivateExpedited = 16,
    PrivateExpeditedSyncCore = 32,
    RegisterPrivateExpeditedSyncCore = 64,
    GetRegistrations = 512
};
constexpr long kCommands = 1 | 2 | 4 | 8 | 16 | 32 | 64 | 512;

// A command is registered by the next one.
long registered(Membarrier command) {
    mm_struct& mm = *current()->mm;
    mm.membarrier_state |= static_cast<uint32_t>(command);
    return 0;
}
Result<long> expedited(Membarrier registration) {
    if ((current()->mm->membarrier_state & static_cast<uint32_t>(registration)) == 0) return Errno::Perm;
    return 0;
}

}  // namespace

Result<long> sys_membarrier(int command, uint32_t flags, int) {
    if (flags != 0) return Errno::Inval;
    switch (const auto what = static_cast<Membarrier>(command)) {
        case Membarrier::Query:
            return kCommands;
        case Membarrier::Global:
        case Membarrier::GlobalExpedited:
            return 0;
        case Membarrier::RegisterGlobalExpedited:
        case Membarrier::RegisterPrivateExpedited:
        case Membarrier::RegisterPrivateExpeditedSyncCore:
            return registered(what);
        case Membarrier::PrivateExpedited:
            return expedited(Membarrier::RegisterPrivateExpedited);
        case Membarrier::PrivateExpeditedSyncCore:
            return expedited(Membarrier::RegisterPrivateExpeditedSyncCore);
        case Membarrier::GetRegistrations:
            return static_cast<long>(current()->mm->membarrier_state);
        default:
            return Errno::Inval;
    }
}

}  // namespace guest
