// The fields of an Event as columns: their numbers in the file, their widths, and how to get at them.
#pragma once

#include <array>
#include <cstdint>
#include <type_traits>

#include "emu/log/event.hpp"

namespace forkscope::log {

// Values are part of the file format. A field may refer to one with a lower number.
enum class Field : uint8_t {
    Kind = 0,
    Icount = 1,
    Cpu = 2,
    Cpl = 3,
    Task = 4,
    Root = 5,
    Space = 6,
    Level = 7,
    Aux = 8,
    Cause = 9,
    Flags = 10,
    Reserved = 11,
    Va = 12,
    Pa = 13,
    A = 14,
    B = 15,
    Rip = 16,
};
inline constexpr unsigned kFieldCount = 17;
// Fields from here on are stored kind by kind; the two before them run through all events of a chunk.
inline constexpr unsigned kFirstPerKindField = 2;

// The largest value that a field can hold.
inline constexpr std::array<uint64_t, kFieldCount> kFieldMax = [] {
    std::array<uint64_t, kFieldCount> max{};
    max.fill(~uint64_t{0});
    for (Field f : {Field::Kind, Field::Cpu, Field::Cpl, Field::Level, Field::Cause, Field::Flags})
        max[static_cast<size_t>(f)] = 0xff;
    max[static_cast<size_t>(Field::Aux)] = 0xffff;
    max[static_cast<size_t>(Field::Task)] = 0xffff'ffff;
    max[static_cast<size_t>(Field::Reserved)] = 0xffff'ffff;
    return max;
}();

// Calls visit(Field, value of that field) for the fields that are stored kind by kind.
template <typename Visitor>
constexpr void visit_fields(const Event& e, Visitor&& visit) {
    visit(Field::Cpu, uint64_t{e.cpu});
    visit(Field::Cpl, uint64_t{e.cpl});
    visit(Field::Task, uint64_t{e.task});
    visit(Field::Root, e.root);
    visit(Field::Space, e.space);
    visit(Field::Level, uint64_t{e.level});
    visit(Field::Aux, uint64_t{e.aux});
    visit(Field::Cause, static_cast<uint64_t>(e.cause));
    visit(Field::Flags, uint64_t{e.flags});
    visit(Field::Reserved, uint64_t{e.reserved});
    visit(Field::Va, e.va);
    visit(Field::Pa, e.pa);
    visit(Field::A, e.a);
    visit(Field::B, e.b);
    visit(Field::Rip, e.rip);
}

// The reverse, one field of many events: event_at(i) gets value_at(i), for i < count. The values fit (see
// kFieldMax).
template <typename Events, typename Values>
void assign_field(Field field, size_t count, Events&& event_at, Values&& value_at) {
    const auto each = [&](auto member) {
        using Value = std::remove_reference_t<decltype(event_at(0).*member)>;
        for (size_t i = 0; i < count; ++i) event_at(i).*member = static_cast<Value>(value_at(i));
    };
    switch (field) {
        case Field::Kind:
            return each(&Event::kind);
        case Field::Icount:
            return each(&Event::icount);
        case Field::Cpu:
            return each(&Event::cpu);
        case Field::Cpl:
            return each(&Event::cpl);
        case Field::Task:
            return each(&Event::task);
        case Field::Root:
            return each(&Event::root);
        case Field::Space:
            return each(&Event::space);
        case Field::Level:
            return each(&Event::level);
        case Field::Aux:
            return each(&Event::aux);
        case Field::Cause:
            return each(&Event::cause);
        case Field::Flags:
            return each(&Event::flags);
        case Field::Reserved:
            return each(&Event::reserved);
        case Field::Va:
            return each(&Event::va);
        case Field::Pa:
            return each(&Event::pa);
        case Field::A:
            return each(&Event::a);
        case Field::B:
            return each(&Event::b);
        case Field::Rip:
            return each(&Event::rip);
    }
}

}  // namespace forkscope::log
