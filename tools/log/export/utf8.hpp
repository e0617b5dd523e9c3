// Names come from the guest and may hold any bytes; files that are read by others hold UTF-8.
#pragma once

#include <string>
#include <string_view>

namespace forkscope::tools {

// Appends the text with each byte that is no part of a UTF-8 character replaced by U+FFFD.
void append_utf8(std::string& to, std::string_view text);
[[nodiscard]] std::string as_utf8(std::string_view text);

// A string of JSON, with its quotes. Also safe inside <script>: '<' is written as an escape.
void append_json_string(std::string& to, std::string_view text);
// A field of CSV (RFC 4180): in quotes if it must be.
void append_csv_field(std::string& to, std::string_view text);

}  // namespace forkscope::tools
