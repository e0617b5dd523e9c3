// `log info`: what a log is, what is in it, and whether it is whole.
#include "tools/log/text/json.hpp"
#include "tools/log/text/numbers.hpp"
#include "tools/log/verbs/verbs.hpp"

namespace forkscope::tools {

namespace {

[[nodiscard]] Json info_json(log::Reader& reader, const log::Census& census) {
    const log::Meta& meta = reader.meta();
    Json json;
    json["bytes"] = reader.file_bytes();
    json["whole"] = reader.damage().none();
    json["damage"] = reader.damage().describe();
    json["unknown"] = reader.unknown().describe();
    json["meta"] = Json::parse(log::meta_to_json(meta));
    json["first_icount"] = census.first_icount;
    json["last_icount"] = census.last_icount;
    json["chunks"] = census.chunks;
    json["event_chunks"] = census.event_chunks;
    json["events"] = census.events;
    json["event_bytes"] = census.stored_bytes;
    json["kinds"] = Json::object();
    for (unsigned kind = 1; kind < log::kEventKindCount; ++kind)
        if (census.kinds[kind] != 0) json["kinds"][std::string(log::kKindNames[kind])] = census.kinds[kind];
    json["symbols"] = Json::array();
    for (const log::SymbolModule& module : reader.symbols())
        json["symbols"].push_back({{"kind", module.kind == log::ModuleKind::Kernel ? "kernel" : "program"},
                                   {"name", module.name},
                                   {"path", module.path},
                                   {"symbols", module.symbols.size()}});
    return json;
}

// Its strings come from a file that may be damaged, and go to a terminal.
[[nodiscard]] log::Meta printable_meta(log::Meta meta) {
    for (std::string* text :
         {&meta.program_version, &meta.cpu_model, &meta.kernel, &meta.initrd, &meta.command_line})
        *text = printable(*text);
    std::map<std::string, std::string> options;
    for (const auto& [name, value] : meta.options) options[printable(name)] = printable(value);
    meta.options = std::move(options);
    return meta;
}

void print_machine(const log::Meta& meta, Output& out) {
    out.print("  recorded by    forkscope {}\n", meta.program_version.empty() ? "?" : meta.program_version);
    out.print("  kernel         {}{}\n", meta.kernel.empty() ? "(bundled)" : meta.kernel,
              meta.command_line.empty() ? "" : fmt::format(", command line \"{}\"", meta.command_line));
    if (!meta.initrd.empty()) out.print("  initrd         {}\n", meta.initrd);
    out.print("  machine        {}, {}, {} of RAM\n", meta.cpu_model.empty() ? "CPU unknown" : meta.cpu_model,
              counted(meta.cpus, "CPU"), bytes_text(meta.ram_bytes));
    if (meta.instructions_per_second != 0)
        out.print("  virtual clock  {} instructions a second\n", grouped(meta.instructions_per_second));
    for (const auto& [name, value] : meta.options) out.print("  {:<14} {}\n", name, value);
}

void print_events(const log::Census& census, const log::Meta& meta, Output& out) {
    const std::string time = duration_text(census.last_icount, meta.instructions_per_second);
    out.print("  instructions   {} to {}{}\n", grouped(census.first_icount), grouped(census.last_icount),
              time.empty() ? "" : fmt::format(" ({} after reset)", time));
    out.print("  events         {} in {}", grouped(census.events), counted(census.event_chunks, "chunk"));
    if (census.events != 0)
        out.print(", {:.2f} bytes each",
                  static_cast<double>(census.stored_bytes) / static_cast<double>(census.events));
    out.print("\n");
    std::string absent;
    for (unsigned kind = 1; kind < log::kEventKindCount; ++kind) {
        if (census.kinds[kind] != 0)
            out.print("    {:<13}{:>14}\n", log::kKindNames[kind], grouped(census.kinds[kind]));
        if ((meta.kinds & (log::KindMask{1} << kind)) == 0)
            absent += fmt::format("{}{}", absent.empty() ? "" : ", ", log::kKindNames[kind]);
    }
    if (!absent.empty()) out.print("  not recorded   {}\n", absent);
}

}  // namespace

Result<> log_info(log::Reader& reader, const Query& query, Output& out) {
    reader.verify();
    const log::Census census = reader.census();
    if (query.json) {
        out.print("{}\n", json_text(info_json(reader, census), 1));
        return {};
    }
    const auto modules = reader.symbols();
    const bool whole = reader.damage().none();
    out.print("{}: Forkscope log, {}, {}\n", out.paint(Style::Bold, query.file),
              bytes_text(reader.file_bytes()),
              whole ? out.paint(Style::Green, "whole") : out.paint(Style::Yellow, "not whole"));
    print_machine(printable_meta(reader.meta()), out);
    print_events(census, reader.meta(), out);
    for (const log::SymbolModule& module : modules) {
        const std::string path = module.path.empty() ? "" : fmt::format(" ({})", printable(module.path));
        out.print("  symbols        {} {}{}: {}\n",
                  module.kind == log::ModuleKind::Kernel ? "kernel" : "program", printable(module.name), path,
                  counted(module.symbols.size(), "symbol"));
    }
    if (modules.empty()) out.print("  symbols        none: code is shown by address\n");
    print_reservations(reader, out);
    return {};
}

}  // namespace forkscope::tools
