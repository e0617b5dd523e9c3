// One event of the ledger: the contract between the machine, which writes events, and every tool,
// which reads them. FORMAT.md says how a file of them is laid out.
#pragma once

#include <cstdint>
#include <type_traits>

namespace forkscope::log {

// Values are part of the file format: append, never renumber. The fields that a kind uses are named
// beside it; what is not named is 0. "span" is the range of virtual addresses that an entry covers.
enum class EventKind : uint8_t {
    None = 0,
    // A page-table entry changed. pa: address of the entry; va: start of its span; level: 1..4;
    // a: old value; b: new value; space: a root that reaches the table; cause: who wrote it.
    PteWrite = 1,
    // A frame became (one more reference to) a page table. pa: the frame; level: of the table;
    // va: start of the table's span; a: entry address that links it (0 for a root); b: references now;
    // space: root. Flag kFirstLink: the frame was not a table at this level before, so its nonzero
    // entries follow as PteFound.
    TableLink = 2,
    // The reverse. b: references left at this level. Flag kLastLink: no longer tracked at this level.
    TableUnlink = 3,
    // An entry that a newly linked table already held. pa, va, level, space as PteWrite; b: its value.
    // Flag kWriterKnown: the frame was watched before it was linked; rip, task, cpl and cause are those
    // of the entry's last writer, and a is the instruction count of that write.
    PteFound = 4,
    // First fill of a translation since a flush that covered it. va: page; pa: frame; level: 1 (4 KiB),
    // 2 (2 MiB), 3 (1 GiB); a: leaf entry's value after accessed/dirty; b: address of the leaf entry;
    // flags: kAccess*, kGlobal.
    TlbFill = 5,
    // aux: FlushKind; va: page for Invlpg; a, b: old and new register value otherwise.
    Flush = 6,
    // A page fault was delivered. va: CR2; a: error code; aux: FaultDelivery; level and pa: the entry
    // that refused (pa 0: none, as for a bad CR3); b: its value.
    PageFault = 7,
    // The access that faulted went through. va: as in the fault; a: instruction count of the fault;
    // b: the leaf entry's value; pa: frame.
    FaultResolved = 8,
    // a: old CR3, b: new CR3. rip: the instruction that loaded it.
    Cr3Switch = 9,
    // An interrupt or exception other than a page fault was delivered. aux: vector; a: error code;
    // flags: kIntHardware, kIntSoftware, kHasErrorCode; va: where the handler starts.
    Interrupt = 10,
    // System call by SYSCALL or INT 0x80. a: number; b: 1st argument; va: 2nd; pa: 3rd. SyscallArguments
    // follows it.
    Syscall = 11,
    // First instruction in user mode after a system call. a: its number; b: RAX.
    SyscallReturn = 12,
    // The guest announced something through the event port. aux: guest/abi Announcement;
    // a, b, va, pa: its words 0..3.
    Announce = 13,
    // A check fired. aux: Finding; va, pa, level: what it is about; a: stale or expected value;
    // b: present value; rip: where it was noticed (the write itself is an earlier PteWrite). The stale
    // ones are the TLB ledger's and in every log; the others are there with `run --check`. A stale one has
    // the level of what the TLB holds in `level`, and that of the entry b, at pa, in `flags`.
    Finding = 14,
    // Tables in guest RAM were compared with the mirror. a: entries compared; b: XXH64 of the tables
    // as they stand in RAM (FORMAT.md says over what); va: roots; pa: differences found. Flag
    // kOtherPaging: until then the guest also translated by 32-bit or PAE paging, whose tables are not
    // followed.
    Audit = 15,
    // A root is no longer followed. pa: the root; aux: RootDeath.
    RootDeath = 16,
    // The machine reset or stopped. aux: Stop; a: status.
    Stop = 17,
    // The rest of a system call's registers, whether or not the call has so many arguments. a: 4th;
    // b: 5th; va: 6th.
    SyscallArguments = 18,
};
inline constexpr unsigned kEventKindCount = 19;

// Who changed a page-table entry.
enum class Cause : uint8_t {
    None = 0,
    Software = 1,          // a guest instruction
    HardwareAccessed = 2,  // the walker set A
    HardwareDirty = 3,     // the walker set D (and A, if it was clear)
    Device = 4,            // DMA
    Loader = 5,            // there before the first instruction
    Delivery = 6,          // an exception frame pushed onto a table page
};

enum class FlushKind : uint16_t {
    Invlpg = 1,
    Cr3Load = 2,
    Cr0Write = 3,
    Cr4Write = 4,
    EferWrite = 5,
    TaskSwitch = 6
};
enum class FaultDelivery : uint16_t { Delivered = 1, DoubleFault = 2, TripleFault = 3 };
// Announced: the guest said that the frame is free, or something else than a table.
enum class RootDeath : uint16_t { Emptied = 1, Misaligned = 2, Implausible = 3, Flooded = 4, Announced = 5 };
enum class Stop : uint16_t { PowerOff = 1, GuestExit = 2, TripleFault = 3, Reset = 4, Limit = 5, Host = 6 };
// What each of them means, and which fields it fills: emu/check/README.md.
enum class Finding : uint16_t {
    StaleTlbUser = 1,
    StaleTlbKernel = 2,
    RedundantFlush = 3,
    WritableTwice = 4,
    FreedWhileMapped = 5,
    UnannouncedTable = 6,
    LostDirty = 7,
    Refcount = 8,
};
inline constexpr unsigned kFindingCount = 9;

// Flag bits; their meaning depends on the kind.
inline constexpr uint8_t kFirstLink = 1;
inline constexpr uint8_t kLastLink = 1;
inline constexpr uint8_t kWriterKnown = 1;
inline constexpr uint8_t kAccessRead = 1;
inline constexpr uint8_t kAccessWrite = 2;
inline constexpr uint8_t kAccessFetch = 4;
inline constexpr uint8_t kGlobal = 8;
inline constexpr uint8_t kIntHardware = 1;
inline constexpr uint8_t kIntSoftware = 2;
inline constexpr uint8_t kHasErrorCode = 4;
inline constexpr uint8_t kOtherPaging = 1;

// Who did it and when: the part of an event that the CPU knows and everyone below it passes on.
struct Origin {
    uint64_t icount = 0;  // instructions retired on this CPU before this one
    uint64_t rip = 0;     // of the instruction that did it
    uint64_t root = 0;    // physical address in CR3, low 12 bits clear
    uint32_t task = 0;    // as announced by the guest; 0: not announced
    uint8_t cpu = 0;
    uint8_t cpl = 0;
};

struct Event {
    uint64_t icount = 0;
    uint64_t rip = 0;
    uint64_t root = 0;   // CR3 of the CPU at that moment
    uint64_t space = 0;  // the root that the event is about, where that can be another one
    uint64_t va = 0;
    uint64_t pa = 0;
    uint64_t a = 0;
    uint64_t b = 0;
    uint32_t task = 0;
    uint16_t aux = 0;
    EventKind kind = EventKind::None;
    Cause cause = Cause::None;
    uint8_t cpu = 0;
    uint8_t cpl = 0;
    uint8_t level = 0;
    uint8_t flags = 0;
    uint32_t reserved = 0;
};
static_assert(sizeof(Event) == 80 && std::is_trivially_copyable_v<Event>);

[[nodiscard]] inline Event make_event(EventKind kind, const Origin& origin) {
    Event e;
    e.kind = kind;
    e.icount = origin.icount;
    e.rip = origin.rip;
    e.root = origin.root;
    e.task = origin.task;
    e.cpu = origin.cpu;
    e.cpl = origin.cpl;
    return e;
}

}  // namespace forkscope::log
