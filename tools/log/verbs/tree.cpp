// `log tree`: the page tables as they stood at a moment.
#include "tools/log/analysis/symbolizer.hpp"
#include "tools/log/analysis/table_rows.hpp"
#include "tools/log/text/entry_text.hpp"
#include "tools/log/text/numbers.hpp"
#include "tools/log/verbs/omitted.hpp"
#include "tools/log/verbs/past.hpp"
#include "tools/log/verbs/spaces.hpp"
#include "tools/log/verbs/verbs.hpp"

namespace forkscope::tools {

namespace {

using analysis::SpaceSize;
using analysis::TableRow;

[[nodiscard]] std::string tables_text(const SpaceSize& size) {
    std::string levels;
    for (unsigned level = log::kTopLevel; level >= 1; --level)
        if (size.tables[level] != 0)
            levels += fmt::format("{}L{} {}", levels.empty() ? "" : ", ", level, grouped(size.tables[level]));
    return fmt::format("{} ({})", counted(size.tables_in_all(), "table"), levels);
}

class Tree {
public:
    Tree(log::Reader& reader, const Query& query, Output& out, const log::Replay& replay,
         const analysis::TaskTable& tasks, log::VaRange range)
        : query_(query),
          out_(out),
          replay_(replay),
          tasks_(tasks),
          range_(range),
          symbols_(reader.symbols()),
          users_(replay) {}

    void space(uint64_t root) {
        const std::vector<TableRow> rows = analysis::table_rows(replay_, root, range_, users_);
        const SpaceSize size = analysis::size_of(replay_, root, range_);
        if (query_.json) {
            Json json;
            json["root"] = hex(root);
            json["who"] = tasks_.space_label(root);
            json["program"] = std::string(tasks_.program_in(root));
            json["tables"] = size.tables_in_all();
            json["leaves"] = size.leaves;
            json["bytes"] = size.bytes;
            json["rows"] = Json::array();
            for (const TableRow& row : rows)
                if (omitted.take(query_.limit)) json["rows"].push_back(row_json(row, root));
            spaces.push_back(std::move(json));
            return;
        }
        out_.print("{}  {}, {}\n",
                   out_.paint(Style::Bold, fmt::format("{}, root {:#x}", tasks_.space_label(root), root)),
                   tables_text(size),
                   size.bytes == 0 ? "nothing mapped" : bytes_text(size.bytes) + " mapped");
        const std::vector<uint8_t> follow = followers(rows);
        for (size_t i = 0; i < rows.size(); ++i) {
            if (!omitted.take(query_.limit)) continue;
            out_.print("{}{}\n", out_.paint(Style::Dim, branches(rows[i].depth, follow[i])),
                       row_text(rows[i], root));
        }
        if (rows.empty()) out_.print("  no entry there\n");
    }

    Omitted omitted;
    Json spaces = Json::array();

private:
    // For each row a bit for each depth at which another row follows under the same parent.
    [[nodiscard]] static std::vector<uint8_t> followers(const std::vector<TableRow>& rows) {
        std::vector<uint8_t> result(rows.size());
        unsigned below = 0;
        for (size_t i = rows.size(); i > 0; --i) {
            result[i - 1] = static_cast<uint8_t>(below);
            const unsigned bit = 1u << rows[i - 1].depth;
            below = (below & (bit - 1)) | bit;
        }
        return result;
    }

    // "│  ├─ "
    [[nodiscard]] static std::string branches(unsigned depth, unsigned follow) {
        std::string text;
        for (unsigned d = 0; d < depth; ++d) text += ((follow >> d) & 1) != 0 ? "│  " : "   ";
        return text + (((follow >> depth) & 1) != 0 ? "├─ " : "└─ ");
    }

    [[nodiscard]] std::string row_text(const TableRow& row, uint64_t root) const {
        if (row.links)
            return fmt::format(
                "L{} table {} for {:#x}  {}{}", row.level - 1, out_.paint(Style::Blue, hex(row.target)),
                row.va, bits_text(row.bits, row.level),
                row.table_uses > 1
                    ? out_.paint(Style::Yellow, fmt::format("  linked {} times", row.table_uses))
                    : "");
        std::string text =
            fmt::format("{:#x}-{:#x}  {} {}  {}", row.va, row.end() - 1, counted(row.count, "page"),
                        frames_text(row), out_.paint(Style::Green, bits_text(row.bits, row.level)));
        if (const std::string names = sharers(row, root); !names.empty())
            text += "  " + out_.paint(Style::Yellow, names);
        if (const std::string code = code_text(row, root); !code.empty())
            text += "  " + out_.paint(Style::Dim, code);
        return text;
    }

    [[nodiscard]] static std::string frames_text(const TableRow& row) {
        const uint64_t span = log::span_bytes(row.level);
        std::string text = row.level == 1 ? "" : fmt::format("of {} ", bytes_text(span));
        if (row.count == 1) return text + fmt::format("-> {:#x}", row.target);
        if (row.ascending)
            return text + fmt::format("-> {:#x}-{:#x}", row.target, row.target + row.count * span - 1);
        return text + fmt::format("-> {:#x} and other frames", row.target);
    }

    // Who else maps these frames.
    [[nodiscard]] std::string sharers(const TableRow& row, uint64_t root) const {
        constexpr size_t kNamed = 2;
        std::string names;
        size_t others = 0;
        for (const uint32_t user : row.users) {
            const uint64_t other = users_.roots()[user];
            if (other == root) continue;
            if (others++ < kNamed)
                names += fmt::format("{}{}", names.empty() ? "" : ", ", tasks_.space_label(other));
        }
        if (others > kNamed) names += fmt::format(" and {} more", others - kNamed);
        return names.empty() ? "" : "shared with " + names;
    }

    // What code the row holds.
    [[nodiscard]] std::string code_text(const TableRow& row, uint64_t root) const {
        if ((row.bits & log::kEntryNoExecute) != 0) return "";
        const unsigned cpl = log::is_lower_half(row.va) ? 3 : 0;
        const auto [first, last] =
            symbols_.names_between(row.va, row.end() - 1, cpl, tasks_.program_in(root));
        if (first == nullptr) return "";
        return first == last ? fmt::format("code of {}", first->name)
                             : fmt::format("code from {} to {}", first->name, last->name);
    }

    [[nodiscard]] Json row_json(const TableRow& row, uint64_t root) const {
        Json json;
        json["depth"] = row.depth;
        json["level"] = row.level;
        json["va"] = hex(row.va);
        json["end"] = hex(row.end() - 1);
        json["entries"] = row.count;
        json["bits"] = bits_text(row.bits, row.level);
        json["value_bits"] = hex(row.bits);
        json[row.links ? "table" : "frame"] = hex(row.target);
        if (row.links) {
            json["linked"] = row.table_uses;
            return json;
        }
        json["frames_ascend"] = row.ascending;
        json["shared_with"] = Json::array();
        for (const uint32_t user : row.users)
            if (users_.roots()[user] != root) json["shared_with"].push_back(hex(users_.roots()[user]));
        json["code"] = code_text(row, root);
        return json;
    }

    const Query& query_;
    Output& out_;
    const log::Replay& replay_;
    const analysis::TaskTable& tasks_;
    log::VaRange range_;
    analysis::Symbolizer symbols_;
    analysis::FrameUsers users_;
};

}  // namespace

Result<> log_tree(log::Reader& reader, const Query& query, Output& out) {
    TRY_VOID(require_kinds(reader, query, log::Replay::kKinds & ~log::mask_of(log::EventKind::Audit)));
    const Moment at =
        query.at.empty() ? Moment{{}, ~uint64_t{0}} : TRY(parse_moment(query.at, reader.meta()));
    const log::VaRange range = query.va.empty() ? analysis::kUserHalf : TRY(parse_range(query.va));
    const uint64_t until = events_until(at, reader);
    const log::Replay replay = log::replay_until(reader, until);
    const analysis::TaskTable tasks = tasks_before(reader, until);
    const std::string when = moment_text(until, reader);
    const std::vector<uint64_t> roots = TRY(spaces_of(query, reader, replay, tasks, when));
    if (!query.json) out.print("Page tables {}.\n", when);
    Tree tree(reader, query, out, replay, tasks, range);
    for (const uint64_t root : roots) {
        if (!query.json) out.print("\n");
        tree.space(root);
    }
    if (query.json) {
        Json json;
        json["at"] = when;
        json["events"] = std::min(until, reader.event_count());
        json["spaces"] = std::move(tree.spaces);
        add_omitted(json, tree.omitted, reader);
        out.print("{}\n", json_text(json, 1));
        return {};
    }
    if (roots.empty()) out.print("There is none yet.\n");
    if (query.va.empty() && !roots.empty()) {
        const SpaceSize kernel = analysis::size_of(replay, roots.front(), analysis::kKernelHalf);
        out.print("\nThe kernel's half is left out: {} in {} (--va 0xffff800000000000-0xffffffffffffffff).\n",
                  counted(kernel.leaves, "entry", "entries"), counted(kernel.tables_in_all() - 1, "table"));
    }
    if (tree.omitted.by_limit != 0)
        out.print("{} shown, {} more left out by --limit {} (--limit 0 shows all).\n",
                  counted(tree.omitted.shown, "row"), grouped(tree.omitted.by_limit), query.limit);
    print_reservations(reader, out);
    return {};
}

}  // namespace forkscope::tools
