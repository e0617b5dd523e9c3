// Names for a row.
#include "tools/log/export/event_row.hpp"

#include "tools/log/text/decode.hpp"

namespace forkscope::tools {

using log::Event;
using log::EventKind;

const CodeName& CodeNames::of(uint64_t rip, unsigned cpl, std::string_view program) {
    uint32_t program_number = 0;
    if (cpl == 3) {
        const auto next = static_cast<uint32_t>(programs_.size() + 1);
        program_number = programs_.try_emplace(std::string(program), next).first->second;
    }
    if (names_.size() >= kMostNames) names_.clear();
    const auto [place, is_new] = names_.try_emplace(Key{rip, program_number});
    CodeName& code = place->second;
    code.is_new = is_new;
    if (!is_new) return code;
    code.id = ++last_id_;
    if (const auto found = symbols_.find(rip, cpl, program)) {
        code.name = found->name();
        code.source = found->source();
    }
    return code;
}

std::string what_of(const Event& e) {
    switch (e.kind) {
        case EventKind::TlbFill:
            return access_text(e.flags & 7);
        case EventKind::Flush:
            return flush_text(e.aux);
        case EventKind::PageFault:
            return delivery_text(e.aux);
        case EventKind::Interrupt:
            return vector_text(e.aux);
        case EventKind::Syscall:
        case EventKind::SyscallReturn:
            return syscall_name(e.a);
        case EventKind::Announce:
            return announcement_name(e.aux);
        case EventKind::Finding:
            return std::string(log::name_of(static_cast<log::Finding>(e.aux)));
        case EventKind::RootDeath:
            return root_death_text(e.aux);
        case EventKind::Stop:
            return stop_text(e.aux);
        default:
            return "";
    }
}

uint64_t time_ns_of(uint64_t icount, const log::Meta& meta) {
    if (meta.instructions_per_second == 0) return 0;
    constexpr unsigned __int128 kNanoseconds = 1'000'000'000;
    return static_cast<uint64_t>(icount * kNanoseconds / meta.instructions_per_second);
}

}  // namespace forkscope::tools
