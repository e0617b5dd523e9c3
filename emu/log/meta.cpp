// Meta to JSON text and back. Members stand in a fixed order, so equal values give equal bytes.
#include "emu/log/meta.hpp"

#include <nlohmann/json.hpp>

#include "emu/log/event_names.hpp"

namespace forkscope::log {

namespace {

using Json = nlohmann::ordered_json;

// Leaves `into` alone when the member is missing or of another type.
template <typename T>
void take(const Json& object, const char* name, T& into) {
    const auto found = object.find(name);
    if (found == object.end()) return;
    if constexpr (std::is_same_v<T, std::string>) {
        if (found->is_string()) into = found->get<std::string>();
    } else {
        if (found->is_number_unsigned()) into = found->get<T>();
    }
}

}  // namespace

std::string meta_to_json(const Meta& meta) {
    Json json;
    json["program_version"] = meta.program_version;
    json["cpu_model"] = meta.cpu_model;
    json["cpus"] = meta.cpus;
    json["ram_bytes"] = meta.ram_bytes;
    json["ram"] = Json::array();
    for (const RamRegion& region : meta.ram)
        json["ram"].push_back({{"base", region.base}, {"size", region.size}});
    json["kernel"] = meta.kernel;
    json["initrd"] = meta.initrd;
    json["command_line"] = meta.command_line;
    json["instructions_per_second"] = meta.instructions_per_second;
    json["kinds"] = Json::array();
    for (unsigned kind = 1; kind < kEventKindCount; ++kind)
        if ((meta.kinds & (KindMask{1} << kind)) != 0) json["kinds"].push_back(kKindNames[kind]);
    json["options"] = Json::object();
    for (const auto& [name, value] : meta.options) json["options"][name] = value;
    // A path or a command line may hold any bytes; they must not keep a run from being recorded.
    return json.dump(1, ' ', false, Json::error_handler_t::replace);
}

Result<Meta> meta_from_json(std::string_view text) {
    const Json json = Json::parse(text, nullptr, false);
    if (!json.is_object()) return fail("the meta chunk is not a JSON object");
    Meta meta;
    take(json, "program_version", meta.program_version);
    take(json, "cpu_model", meta.cpu_model);
    take(json, "cpus", meta.cpus);
    take(json, "ram_bytes", meta.ram_bytes);
    take(json, "kernel", meta.kernel);
    take(json, "initrd", meta.initrd);
    take(json, "command_line", meta.command_line);
    take(json, "instructions_per_second", meta.instructions_per_second);
    if (const auto kinds = json.find("kinds"); kinds != json.end() && kinds->is_array()) {
        meta.kinds = 0;
        for (const Json& item : *kinds) {
            const auto kind = item.is_string() ? kind_named(item.get<std::string>()) : std::nullopt;
            if (kind) meta.kinds |= mask_of(*kind);
        }
    }
    if (const auto ram = json.find("ram"); ram != json.end() && ram->is_array()) {
        for (const Json& item : *ram) {
            if (!item.is_object()) continue;
            RamRegion& region = meta.ram.emplace_back();
            take(item, "base", region.base);
            take(item, "size", region.size);
        }
    }
    if (const auto options = json.find("options"); options != json.end() && options->is_object()) {
        for (const auto& [name, value] : options->items())
            if (value.is_string()) meta.options[name] = value.get<std::string>();
    }
    return meta;
}

}  // namespace forkscope::log
