#include "emu/check/writable_twice.hpp"

#include <fmt/format.h>

#include <algorithm>

#include "emu/log/entry_bits.hpp"

namespace forkscope::check {

namespace {

bool is_zero_frame(const Frame& frame) { return frame.is(abi::FrameUse::Zero); }

// What the counts alone say: mostly no, so that the search for who maps it is rare.
bool may_be_wrong(const Frame& frame) {
    if (frame.writable == 0 || frame.reported) return false;
    return is_zero_frame(frame) || (frame.is_private() && frame.mappings > 1);
}

const UserMapping* writable_of(const std::vector<UserMapping>& ways) {
    const auto found = std::ranges::find_if(ways, [](const UserMapping& way) { return way.writable; });
    return found == ways.end() ? nullptr : &*found;
}

const UserMapping* in_other_space(const std::vector<UserMapping>& ways, uint64_t root) {
    const auto found =
        std::ranges::find_if(ways, [root](const UserMapping& way) { return way.root != root; });
    return found == ways.end() ? nullptr : &*found;
}

Finding about(const UserMapping& mapping, const log::Event& event, uint64_t number, unsigned level) {
    Finding finding = finding_at(log::Finding::WritableTwice, event, number);
    finding.event.va = mapping.va;
    finding.event.pa = mapping.entry_pa;
    finding.event.space = mapping.root;
    finding.event.level = static_cast<uint8_t>(level);
    finding.event.a = mapping.value & ~log::kEntryWritable;
    finding.event.b = mapping.value;
    return finding;
}

}  // namespace

void WritableTwice::event(const log::Event& event, uint64_t number) {
    if (event.kind == log::EventKind::Announce) {
        private_memory_known_ |= event.aux == static_cast<uint16_t>(abi::Announcement::FrameAlloc);
        return;
    }
    if (!private_memory_known_ || !log::is_lower_half(event.va)) return;
    const CodePoint by = code_point(event, number);
    if (event.kind == log::EventKind::TableLink) {
        if (event.level == 1 && event.b > 1) tables_.push_back({event.pa, by});
        return;
    }
    if (!log::is_present(event.b) || !log::is_user(event.b)) return;
    const uint64_t frame = log::frame_of(event.b, event.level);
    if (event.level == 2 && log::links_table(event.b, 2)) {
        if (log::is_writable(event.b) && books_.tables.links_of(frame) > 1) tables_.push_back({frame, by});
    } else if (event.level == 1 && event.cause != log::Cause::HardwareAccessed &&
               event.cause != log::Cause::HardwareDirty) {
        // One mapping more than the book has: it does not know of this one yet.
        const Frame* known = books_.frames.find(frame);
        if (known == nullptr || known->reported) return;
        const bool writable = log::is_writable(event.b) || known->writable != 0;
        if (writable && (is_zero_frame(*known) || (known->is_private() && known->mappings != 0)))
            frames_.push_back({frame, by});
    }
}

void WritableTwice::user_mode(const log::Event& event, uint64_t number) {
    if (frames_.empty() && tables_.empty()) return;
    for (const Suspect& suspect : frames_) judge_frame(suspect, event, number);
    for (const Suspect& suspect : tables_) judge_table(suspect, event, number);
    frames_.clear();
    tables_.clear();
}

void WritableTwice::judge_frame(const Suspect& suspect, const log::Event& event, uint64_t number) {
    Frame* frame = books_.frames.find(suspect.frame);
    if (frame == nullptr || !may_be_wrong(*frame)) return;
    const auto ways = books_.tables.mappings_of(suspect.frame);
    const UserMapping* writer = writable_of(ways);
    if (writer == nullptr) return;
    const UserMapping* other = in_other_space(ways, writer->root);
    if (other == nullptr && !is_zero_frame(*frame)) return;
    frame->reported = true;
    Finding finding = about(*writer, event, number, 1);
    // A child's table may become known long after it was filled.
    const bool made_writable_later = frame->last_writable.icount > suspect.by.icount;
    finding.culprit = made_writable_later ? frame->last_writable : suspect.by;
    finding.expected = is_zero_frame(*frame)
                           ? fmt::format("{:#x} of address space {:#x} may write to the frame of zeros",
                                         writer->va, writer->root)
                           : fmt::format(
                                 "{:#x} of address space {:#x} may write to private frame {:#x}, which {:#x} "
                                 "of address space "
                                 "{:#x} {}; expected both read-only until one has a copy",
                                 writer->va, writer->root, suspect.frame, other->va, other->root,
                                 other->writable ? "may write to as well" : "maps, too");
    report(std::move(finding));
}

void WritableTwice::judge_table(const Suspect& suspect, const log::Event& event, uint64_t number) {
    if (books_.tables.links_of(suspect.frame) < 2) return;
    Frame* table = books_.frames.find(suspect.frame);
    if (table == nullptr || table->reported) return;
    const auto ways = books_.tables.ways_to_table(suspect.frame);
    const UserMapping* writer = writable_of(ways);
    const UserMapping* other = writer == nullptr ? nullptr : in_other_space(ways, writer->root);
    const log::ReplayTable* entries = books_.tables.table(suspect.frame);
    if (other == nullptr || entries == nullptr) return;
    const bool any = std::ranges::any_of(entries->entries, [&](uint64_t entry) {
        const Frame* frame = books_.frames.find(log::frame_of(entry, 1));
        return log::is_present(entry) && log::is_writable(entry) && frame != nullptr && frame->is_private();
    });
    if (!any) return;
    table->reported = true;
    Finding finding = about(*writer, event, number, 2);
    finding.culprit = suspect.by;
    std::optional<CodePoint> last;
    for (const UserMapping& way : ways)
        if (const auto by = books_.tables.linker(way.entry_pa); by && (!last || by->icount > last->icount))
            last = by;
    if (last) finding.culprit = last;
    finding.expected = fmt::format(
        "page table {:#x} with private pages is linked writable by address space {:#x} and is "
        "that of {:#x}, too; expected both links read-only until one has a copy",
        suspect.frame, writer->root, other->root);
    report(std::move(finding));
}

}  // namespace forkscope::check
