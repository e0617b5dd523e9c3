// An event as a row of columns: the raw fields, all of them, and beside them what they mean in names.
#pragma once

#include <array>
#include <cstdint>
#include <string>
#include <string_view>
#include <unordered_map>

#include "emu/log/reader.hpp"
#include "tools/log/analysis/symbolizer.hpp"
#include "tools/log/analysis/task_table.hpp"

namespace forkscope::tools {

// Where code is: "copy_pte_range+0x3c" and "guest/mm/copy.cpp:88", "" where the log has no name.
struct CodeName {
    uint64_t id = 0;  // the same for the same address in the same program; counts up from 1
    std::string name;
    std::string source;
    bool is_new = false;  // not asked for before, or forgotten since
};

// Names of code addresses. The same few thousand come again and again.
class CodeNames {
public:
    explicit CodeNames(const analysis::Symbolizer& symbols) : symbols_(symbols) {}

    // `program` counts for user code only. Valid until the next call.
    [[nodiscard]] const CodeName& of(uint64_t rip, unsigned cpl, std::string_view program);

private:
    static constexpr size_t kMostNames = 200'000;
    struct Key {
        uint64_t rip;
        uint32_t program;  // 0: supervisor code
        bool operator==(const Key&) const = default;
    };
    struct Hash {
        size_t operator()(const Key& key) const noexcept {
            return std::hash<uint64_t>{}((key.rip ^ uint64_t{key.program} << 48) * 0x9e37'79b9'7f4a'7c15);
        }
    };
    const analysis::Symbolizer& symbols_;
    std::unordered_map<Key, CodeName, Hash> names_;
    std::unordered_map<std::string, uint32_t> programs_;
    uint64_t last_id_ = 0;
};

struct EventRow {
    const log::Event* event = nullptr;
    uint64_t number = 0;
    std::string_view task_name;  // "" if nobody said
    std::string what;            // the event's own sort within its kind: "INVLPG", "fork-begin", "openat"
    const CodeName* code = nullptr;
    std::string text;  // what it says, in words
};

// "INVLPG", "fork-begin", "#GP", "write": what `aux` and the like mean for this kind; "" for kinds that have
// none.
[[nodiscard]] std::string what_of(const log::Event& event);

// The columns, in order, with the words that describe them.
struct Column {
    enum class Type : uint8_t { Number, Address, Text };
    const char* name;
    Type type;
};
inline constexpr std::array kEventColumns = {
    Column{"event", Column::Type::Number},   Column{"icount", Column::Type::Number},
    Column{"time_ns", Column::Type::Number}, Column{"cpu", Column::Type::Number},
    Column{"cpl", Column::Type::Number},     Column{"task", Column::Type::Number},
    Column{"name", Column::Type::Text},      Column{"root", Column::Type::Address},
    Column{"kind", Column::Type::Text},      Column{"what", Column::Type::Text},
    Column{"cause", Column::Type::Text},     Column{"level", Column::Type::Number},
    Column{"space", Column::Type::Address},  Column{"va", Column::Type::Address},
    Column{"pa", Column::Type::Address},     Column{"a", Column::Type::Address},
    Column{"b", Column::Type::Address},      Column{"aux", Column::Type::Number},
    Column{"flags", Column::Type::Number},   Column{"rip", Column::Type::Address},
    Column{"code", Column::Type::Text},      Column{"source", Column::Type::Text},
    Column{"text", Column::Type::Text},
};

// Calls number(n), address(n) or text(s) for each column in that order.
template <typename Visitor>
void visit_columns(const EventRow& row, uint64_t time_ns, std::string_view cause, Visitor&& visit) {
    const log::Event& e = *row.event;
    visit.number(row.number);
    visit.number(e.icount);
    visit.number(time_ns);
    visit.number(e.cpu);
    visit.number(e.cpl);
    visit.number(e.task);
    visit.text(row.task_name);
    visit.address(e.root);
    visit.text(log::name_of(e.kind));
    visit.text(row.what);
    visit.text(cause);
    visit.number(e.level);
    visit.address(e.space);
    visit.address(e.va);
    visit.address(e.pa);
    visit.address(e.a);
    visit.address(e.b);
    visit.number(e.aux);
    visit.number(e.flags);
    visit.address(e.rip);
    visit.text(row.code->name);
    visit.text(row.code->source);
    visit.text(row.text);
}

// Virtual nanoseconds after reset; 0 if the log does not say how long an instruction takes.
[[nodiscard]] uint64_t time_ns_of(uint64_t icount, const log::Meta& meta);

}  // namespace forkscope::tools
