#include "emu/cpu/instruction_clock.hpp"

#include <sys/mman.h>

#include <algorithm>
#include <new>

namespace forkscope::cpu {

namespace {

// The first of two neighbouring holes in one cache line of the host: a block's stores to both are then one.
unsigned two_holes_in_a_line(const LiveState& state) {
    constexpr uint64_t kLine = 64;
    const auto line = [&state](unsigned n) {
        return reinterpret_cast<uint64_t>(&state.segment(n).hole.word) / kLine;
    };
    for (unsigned n = kEs; n < kGs; ++n)
        if (line(n) == line(n + 1)) return n;
    return kEs;
}

BlockCounters counters_of(const LiveState& state) {
    const unsigned n = two_holes_in_a_line(state);
    return {reinterpret_cast<int32_t*>(&state.segment(n).hole.word), &state.segment(n + 1).hole.word};
}

}  // namespace

InstructionClock::InstructionClock(CodeReader& reader, const LiveState& state, void (*look)(void*),
                                   void* owner)
    : counters_(counters_of(state)),
      hflags_(&state.hflags()),
      state_(state),
      reader_(reader),
      look_(look),
      owner_(owner),
      known_(kSlots),
      positions_(kPositions) {
    *counters_.left = 0;
    *counters_.current = kNoBlock;
    allocate_places(0);
}

void InstructionClock::Unmap::operator()(Place* places) const { munmap(places, bytes); }

// Zero, and no memory until it is touched: of all places of calls that could be, few ever are.
void InstructionClock::allocate_places(size_t calls) {
    const size_t bytes = (kFirstCall + calls) * sizeof(Place);
    void* p =
        mmap(nullptr, bytes, PROT_READ | PROT_WRITE, MAP_PRIVATE | MAP_ANONYMOUS | MAP_NORESERVE, -1, 0);
    if (p == MAP_FAILED) throw std::bad_alloc();
    places_ = {static_cast<Place*>(p), Unmap{bytes}};
}

void InstructionClock::enter(const BlockCall& call, const void* hook) {
    if (rewriting_ == Rewriting::Untried) try_rewriting(call, hook);
    const bool cut_off = was_cut_off(call);
    if (cut_off) leave_at(call.pc);
    const uint32_t index = identify(call, cut_off ? Rewriting::Impossible : rewriting_);
    if (index < kFirstCall && !cut_off) run_string(known_[index - kFirstSlot].string);
    *counters_.current = index;
    *counters_.left -= places_.get()[index].count;
    const bool watched = index < kFirstCall && known_[index - kFirstSlot].watched;
    if (look_needed()) [[unlikely]]
        call_look();
    // Its end may be in another privilege level: then the next block wants a look.
    if (watched && *counters_.current == index) look_soon();
}

// Its steps up to the next look retire here; the block that begins is the one after them.
void InstructionClock::run_string(const RepeatedString& string) {
    if (!string.valid() || !strings_at_once_ || *counters_.left <= 0) return;
    *counters_.left -= static_cast<int32_t>(string.run(state_, static_cast<uint32_t>(*counters_.left)));
}

void InstructionClock::look_now(void* clock) { static_cast<InstructionClock*>(clock)->call_look(); }

void InstructionClock::call_look() {
    soon_ = false;
    look_(owner_);
}

void InstructionClock::look_at(InstrCount retired) {
    wanted_ = retired;
    set_limit();
}

void InstructionClock::look_soon() {
    soon_ = true;
    set_limit();
}

void InstructionClock::set_limit() {
    const InstrCount end = at_block_end();
    const InstrCount limit = soon_ ? end : std::clamp(wanted_, end, end + kFarAway);
    *counters_.left = static_cast<int32_t>(limit - end);
    limit_ = limit;
}

// A store into the block that runs makes the engine leave it there, and run the storing instruction alone, in
// a block of its own. No branch to the middle of a block leads to a block that ends sooner.
bool InstructionClock::was_cut_off(const BlockCall& call) {
    const Place& before_it = current();
    if (call.pc - before_it.pc >= before_it.bytes) return false;
    if (call.pc + call.bytes >= before_it.pc + before_it.bytes) return false;
    return reader_.count_instructions({call.pc, call.bytes}) == 1;
}

void InstructionClock::try_rewriting(const BlockCall& call, const void* hook) {
    rewriting_ = Rewriting::Impossible;
    if (!calls_.locate(call.return_address, state_.env(), counters_, hook, look_now, this)) return;
    const Place known_block = current();
    const uint32_t index = *counters_.current;
    allocate_places(calls_.indices());
    places_.get()[index] = known_block;
    rewriting_ = Rewriting::Possible;
}

// The index of the block's place. The first time, the call is rewritten if it can be.
uint32_t InstructionClock::identify(const BlockCall& call, Rewriting rewriting) {
    const size_t at = slot(call.pc);
    const auto index = static_cast<uint32_t>(kFirstSlot + at);
    Place& place = places_.get()[index];
    Known& known = known_[at];
    const bool same = place.pc == call.pc && place.bytes == call.bytes;
    if (same && known.epoch == epoch_) return index;
    const Block block{call.pc, call.bytes};
    const uint64_t frame = reader_.code_frame(call.pc).raw();
    if (!same || known.epoch == 0 || known.frame != frame) {
        place = {call.pc, next_generation_++, static_cast<uint16_t>(call.bytes),
                 static_cast<uint16_t>(reader_.count_instructions(block))};
        known.frame = frame;
        known.watched = reader_.may_change_privilege(block);
        known.string = reader_.repeated_string(block);
        const bool calls = known.watched || known.string.valid();
        if (rewriting == Rewriting::Possible && !calls && rewrite(call, place)) {
            known.epoch = 0;
            return kFirstCall + calls_.index_of(call);
        }
    }
    known.epoch = epoch_;
    return index;
}

bool InstructionClock::rewrite(const BlockCall& call, const Place& place) {
    const uint32_t index = kFirstCall + calls_.index_of(call);
    if (!calls_.rewrite_counting(call, place.count, index)) return false;
    places_.get()[index] = place;
    ++rewritten_;
    return true;
}

uint32_t InstructionClock::before(uint64_t rip) {
    const Place& place = current();
    if (place.count == 0 || rip == place.pc) return 0;
    const uint64_t into = rip - place.pc;
    // Past its end: all of it ran (an INT that ends the block reports the next instruction).
    if (into >= place.bytes) return place.count;
    Position& position = positions_[(rip ^ (place.pc << 3)) & (kPositions - 1)];
    if (position.pc == place.pc && position.rip == rip && position.generation == place.generation)
        return position.before;
    const uint32_t count = reader_.count_before({place.pc, place.bytes}, rip);
    position = {place.pc, rip, place.generation, count};
    return count;
}

}  // namespace forkscope::cpu
