// How willingly a process is killed for want of memory: oom_score, oom_score_adj and its older form oom_adj.
#include "guest/fs/proc/pid_files.hpp"
#include "guest/mm/oom_kill.hpp"

namespace guest {

// In thousandths of memory and of the adjustment, from 0 to 2000, two thirds of it.
Result<> oom_score_show(proc_text& m, task_struct& task) {
    const spinlock_guard guard(tasklist_lock);
    const int64_t badness = oom_badness(task);
    int64_t points = 0;
    if (badness != kOomUnkillable)
        points = (1000 + badness * 1000 / static_cast<int64_t>(total_ram_pages())) * 2 / 3;
    m.printf("%ld\n", points > 0 ? points : 0);
    return {};
}

Result<> oom_score_adj_show(proc_text& m, task_struct& task) {
    m.printf("%d\n", task.signal->oom_score_adj);
    return {};
}

Result<size_t> oom_score_adj_write(task_struct& task, char* text, size_t bytes) {
    constexpr int64_t kMost = 1000;
    const int64_t value = TRY(proc_parse_int(text));
    if (value < -kMost || value > kMost) return Errno::Inval;
    const int wanted = static_cast<int>(value);
    signal_struct& signal = *task.signal;
    const bool privileged = capable(kCapSysResource);
    // Everybody may go down as far as the privileged went before.
    if (wanted < signal.oom_score_adj_min && !privileged) return Errno::Access;
    signal.oom_score_adj = wanted;
    if (privileged) signal.oom_score_adj_min = wanted;
    return bytes;
}

namespace {

constexpr int64_t kOomDisable = -17, kOomAdjustMost = 15, kScoreMost = 1000;

}  // namespace

Result<> oom_adj_show(proc_text& m, task_struct& task) {
    const int64_t adj = task.signal->oom_score_adj;
    m.printf("%ld\n", adj == kScoreMost ? kOomAdjustMost : adj * -kOomDisable / kScoreMost);
    return {};
}

// Its ends are those of oom_score_adj.
Result<size_t> oom_adj_write(task_struct& task, char* text, size_t bytes) {
    const int64_t value = TRY(proc_parse_int(text));
    if (value < kOomDisable || value > kOomAdjustMost) return Errno::Inval;
    const int64_t adj = value == kOomAdjustMost ? kScoreMost : value * kScoreMost / -kOomDisable;
    signal_struct& signal = *task.signal;
    if (adj < signal.oom_score_adj && !capable(kCapSysResource)) return Errno::Access;
    signal.oom_score_adj = static_cast<int>(adj);
    return bytes;
}

}  // namespace guest
