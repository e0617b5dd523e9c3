// JSON as the verbs print it.
#pragma once

#include <nlohmann/json.hpp>
#include <string>
#include <string_view>

namespace forkscope::tools {

// Members stay in the order in which they are put in.
using Json = nlohmann::ordered_json;

// Names may come from a damaged log or a hostile guest: bytes that are no UTF-8 are replaced.
[[nodiscard]] inline std::string json_text(const Json& json, int indent = -1) {
    return json.dump(indent, ' ', false, Json::error_handler_t::replace);
}

// The same for terminals: no control characters.
[[nodiscard]] inline std::string printable(std::string_view text) {
    std::string result(text);
    for (char& c : result)
        if (static_cast<unsigned char>(c) < ' ' || c == '\x7f') c = '?';
    return result;
}

}  // namespace forkscope::tools
