// The fields of an Event as columns: their numbers in the file, their widths, and how to get at them.
#pragma once

#include <array>
#include <cstdint>

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

// The reverse: takes every field's value from value_of(Field). The values fit (see kFieldMax).
template <typename Source>
constexpr void assign_fields(Event& e, Source&& value_of) {
    e.cpu = static_cast<uint8_t>(value_of(Field::Cpu));
    e.cpl = static_cast<uint8_t>(value_of(Field::Cpl));
    e.task = static_cast<uint32_t>(value_of(Field::Task));
    e.root = value_of(Field::Root);
    e.space = value_of(Field::Space);
    e.level = static_cast<uint8_t>(value_of(Field::Level));
    e.aux = static_cast<uint16_t>(value_of(Field::Aux));
    e.cause = static_cast<Cause>(value_of(Field::Cause));
    e.flags = static_cast<uint8_t>(value_of(Field::Flags));
    e.reserved = static_cast<uint32_t>(value_of(Field::Reserved));
    e.va = value_of(Field::Va);
    e.pa = value_of(Field::Pa);
    e.a = value_of(Field::A);
    e.b = value_of(Field::B);
    e.rip = value_of(Field::Rip);
}

}  // namespace forkscope::log
