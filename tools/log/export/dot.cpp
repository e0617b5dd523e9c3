// Page tables at a moment as a graph for Graphviz: address spaces, their tables, the frames that they map.
// What is shared is one node with several arrows to it.
#include <fmt/format.h>

#include <map>
#include <set>

#include "tools/log/analysis/table_rows.hpp"
#include "tools/log/export/job.hpp"
#include "tools/log/export/utf8.hpp"
#include "tools/log/text/entry_text.hpp"
#include "tools/log/text/numbers.hpp"
#include "tools/log/verbs/past.hpp"
#include "tools/log/verbs/spaces.hpp"

namespace forkscope::tools {

using analysis::TableRow;

namespace {

// More than anybody can look at; Graphviz becomes slow long before.
constexpr size_t kMostRows = 4000;

class Graph {
public:
    Graph(const log::Replay& replay, const analysis::TaskTable& tasks, log::VaRange range)
        : replay_(replay), tasks_(tasks), range_(range), users_(replay) {}

    void add_spaces(const std::vector<uint64_t>& roots) {
        spaces_ = roots;
        std::vector<std::vector<TableRow>> rows;
        for (const uint64_t root : roots) rows.push_back(analysis::table_rows(replay_, root, range_, users_));
        // Rows of shared frames are cut where any space's row begins or ends, so that they are the same for
        // all.
        for (const auto& space : rows)
            for (const TableRow& row : space)
                if (row.users.size() > 1) cuts_.insert({row.va, row.end()});
        for (size_t i = 0; i < roots.size(); ++i) add_space(roots[i], rows[i]);
    }

    void write(OutputFile& file, const std::string& title) const;
    [[nodiscard]] uint64_t rows() const { return rows_; }
    [[nodiscard]] uint64_t tables() const { return tables_.size(); }
    [[nodiscard]] uint64_t spaces() const { return spaces_.size(); }
    [[nodiscard]] uint64_t left_out() const { return left_out_; }

private:
    using TableKey = std::pair<uint64_t, unsigned>;  // frame, level
    struct Table {
        uint64_t uses = 0;
        std::vector<std::string> rows;     // what stands in each
        std::vector<std::string> targets;  // and the node that its arrow goes to
    };
    struct Frames {
        std::string label;
        uint64_t arrows = 0;  // rows that map them
        std::string name;
    };

    // Null if it was met before.
    [[nodiscard]] Table* open_table(uint64_t frame, unsigned level, uint64_t uses) {
        const auto [place, is_new] = tables_.try_emplace({frame, level});
        if (!is_new) return nullptr;
        place->second.uses = uses;
        return &place->second;
    }

    [[nodiscard]] static std::string table_name(const TableKey& key) {
        return fmt::format("t{}_{:x}", key.second, key.first);
    }

    void add_space(uint64_t root, const std::vector<TableRow>& rows) {
        // The tables on the way down to the row, by depth; null: its rows are told already.
        std::array<Table*, log::kTopLevel> way{};
        way[0] = open_table(root, log::kTopLevel, 1);
        for (const TableRow& row : rows) {
            Table* table = way.at(row.depth);
            if (row.links)
                way.at(row.depth + 1) =
                    table == nullptr ? nullptr : open_table(row.target, row.level - 1, row.table_uses);
            if (table == nullptr) continue;
            for (TableRow rest = row; rest.count != 0;) {
                TableRow piece = rest;
                if (row.users.size() > 1) piece.count = entries_to_cut(rest);
                rest.va = piece.end();
                rest.count -= piece.count;
                if (rows_ == kMostRows) {
                    ++left_out_;
                } else {
                    ++rows_;
                    add_row(*table, piece, root);
                }
            }
        }
    }

    [[nodiscard]] uint64_t entries_to_cut(const TableRow& row) const {
        const auto cut = cuts_.upper_bound(row.va);
        if (cut == cuts_.end() || *cut >= row.end()) return row.count;
        return std::max<uint64_t>(1, (*cut - row.va) / log::span_bytes(row.level));
    }

    void add_row(Table& table, const TableRow& row, uint64_t root) {
        const std::string bits = bits_text(row.bits, row.level);
        if (row.links) {
            table.rows.push_back(fmt::format("{:#x}  {}", row.va, bits));
            table.targets.push_back(table_name({row.target, row.level - 1}));
            return;
        }
        table.rows.push_back(fmt::format("{:#x}-{:#x}  {}", row.va, row.end() - 1, bits));
        table.targets.push_back(frames_of(row, root).name);
    }

    // The same frames in the same order are one node, whoever maps them.
    [[nodiscard]] const Frames& frames_of(const TableRow& row, uint64_t root) {
        std::vector<uint64_t> frames{row.level};
        replay_.visit_leaves(root, {row.va, row.end() - 1}, [&](const log::ReplayLeaf& leaf) {
            frames.push_back(log::frame_of(leaf.value, leaf.level));
        });
        const uint64_t first = frames.size() > 1 ? frames[1] : row.target;
        const auto [place, is_new] = frames_.try_emplace(std::move(frames));
        Frames& node = place->second;
        ++node.arrows;
        if (!is_new) return node;
        node.name = fmt::format("f{}", frames_.size());
        node.label = hex(first);
        if (row.count > 1)
            node.label += row.ascending
                              ? fmt::format("-{:#x}", first + row.count * log::span_bytes(row.level) - 1)
                              : " and others";
        node.label += fmt::format("\\n{}", counted(row.count, row.level == 1 ? "frame" : "large page"));
        return node;
    }

    void write_table(OutputFile& file, const TableKey& key, const Table& table) const;

    const log::Replay& replay_;
    const analysis::TaskTable& tasks_;
    log::VaRange range_;
    analysis::FrameUsers users_;
    std::vector<uint64_t> spaces_;
    std::set<uint64_t> cuts_;
    std::map<TableKey, Table> tables_;
    std::map<std::vector<uint64_t>, Frames> frames_;
    uint64_t rows_ = 0;
    uint64_t left_out_ = 0;
};

// A string of the language, in its quotes: only '"' and the backslash mean something in it.
[[nodiscard]] std::string dot_string(std::string_view text) {
    std::string result = "\"";
    for (const char c : as_utf8(text)) {
        if (c == '"' || c == '\\') result += '\\';
        result += static_cast<unsigned char>(c) < ' ' ? '?' : c;
    }
    return result + '"';
}

// A table is a box with a line a row; arrows begin at the lines. Nothing here comes from the guest but
// numbers.
void Graph::write_table(OutputFile& file, const TableKey& key, const Table& table) const {
    const bool shared = table.uses > 1;
    file.write(fmt::format(
        "  {} [label=<<TABLE BORDER=\"{}\" CELLBORDER=\"1\" CELLSPACING=\"0\" CELLPADDING=\"3\" COLOR=\"{}\">"
        "<TR><TD BGCOLOR=\"{}\"><B>L{} table {:#x}</B>{}</TD></TR>",
        table_name(key), shared ? 3 : 0, shared ? "#d55e00" : "#444444", shared ? "#fbe0cc" : "#dbe9f4",
        key.second, key.first, shared ? fmt::format(", linked {} times", table.uses) : ""));
    for (size_t i = 0; i < table.rows.size(); ++i)
        file.write(fmt::format("<TR><TD ALIGN=\"LEFT\" PORT=\"r{}\">{}</TD></TR>", i, table.rows[i]));
    file.write("</TABLE>>];\n");
    for (size_t i = 0; i < table.targets.size(); ++i)
        file.write(fmt::format("  {}:r{}:e -> {};\n", table_name(key), i, table.targets[i]));
}

void Graph::write(OutputFile& file, const std::string& title) const {
    file.write(fmt::format(
        "digraph tables {{\n  label={};\n  labelloc=t;\n  rankdir=LR;\n  fontname=\"sans-serif\";\n"
        "  node [shape=plaintext, fontname=\"sans-serif\", fontsize=11];\n  edge [color=\"#666666\"];\n",
        dot_string(title)));
    for (const uint64_t root : spaces_)
        file.write(
            fmt::format("  s{0:x} [shape=box, style=\"rounded,filled\", fillcolor=\"#e5f5ee\", label={1}];\n"
                        "  s{0:x} -> {2};\n",
                        root, dot_string(tasks_.space_label(root)), table_name({root, log::kTopLevel})));
    for (const auto& [key, table] : tables_) write_table(file, key, table);
    for (const auto& [frames, node] : frames_) {
        const bool shared = node.arrows > 1;
        file.write(
            fmt::format("  {} [shape=box, style=filled, fillcolor=\"{}\", peripheries={}, label=\"{}{}\"];\n",
                        node.name, shared ? "#fdeac2" : "#f4f4f4", shared ? 2 : 1, node.label,
                        shared ? fmt::format(", mapped {} times", node.arrows) : ""));
    }
    file.write("}\n");
}

}  // namespace

Result<ExportCounts> export_dot(const ExportJob& job) {
    log::Reader& reader = job.reader;
    const Query& query = job.query;
    TRY_VOID(require_kinds(reader, query, log::Replay::kKinds & ~log::mask_of(log::EventKind::Audit)));
    const Moment at =
        query.at.empty() ? Moment{{}, ~uint64_t{0}} : TRY(parse_moment(query.at, reader.meta()));
    const log::VaRange range = query.va.empty() ? analysis::kUserHalf : TRY(parse_range(query.va));
    const uint64_t until = events_until(at, reader);
    const log::Replay replay = log::replay_until(reader, until);
    const analysis::TaskTable tasks = tasks_before(reader, until);
    const std::string when = moment_text(until, reader);
    Graph graph(replay, tasks, range);
    graph.add_spaces(TRY(spaces_of(query, reader, replay, tasks, when)));
    std::string title = "Page tables " + when;
    if (!reader.damage().none()) title += "; the log is not whole: " + reader.damage().describe();
    graph.write(job.file, title);
    ExportCounts counts{{{"space", "spaces", graph.spaces()},
                         {"table", "tables", graph.tables()},
                         {"row", "rows", graph.rows()}},
                        0,
                        {}};
    if (graph.left_out() != 0)
        counts.left_out.push_back(fmt::format("{} of entries left out beyond {}",
                                              counted(graph.left_out(), "row"), grouped(kMostRows)));
    return counts;
}

}  // namespace forkscope::tools
