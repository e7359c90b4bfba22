// Strings from the wire as Zeek's writers escape them by default.
//
// Bytes that are not printable, valid UTF-8 become the text \xNN. That is not reversible (a backslash and an x on the
// wire look the same in JSON), and is what analysts' tools know. Whatever the bytes, the result is valid UTF-8 without
// line breaks. Follows Zeek's util::escape_utf8, JSON::STRING_ESCAPE_POLICY_HEX and LogAscii::enable_utf_8 (both
// defaults). Plain functions, no allocation; any thread.
#pragma once

#include <cstddef>
#include <string_view>

namespace ftpsensor {

// Room that the put_* functions may need at `out`.
constexpr std::size_t json_string_bytes_max(std::string_view text) { return 2 + 5 * text.size(); }
constexpr std::size_t tsv_string_bytes_max(std::string_view text) { return 16 + 4 * text.size(); }

// A JSON string with its quotes. Where all is printable UTF-8 (and \b \f \n \r \t) it stays as it is; one byte that is
// not makes every byte beyond ASCII an escape, its valid neighbours included. The colon of "gz:" is written as \u003a.
char* put_json_string(char* out, std::string_view text);

// A field of the tab-separated form: "(empty)" for an empty string; a string that reads "-" or "(empty)" has its first
// byte escaped. Backslashes and tabs part the text: what one byte that is not printable does to valid UTF-8 beyond
// ASCII (see above) ends there. `in_set`: commas are escaped too.
char* put_tsv_string(char* out, std::string_view text, bool in_set = false);

// True where no byte needs an escape by Zeek's rule: printable ASCII and UTF-8, without control characters (C0, DEL,
// C1), private use (U+E000..F8FF), specials (U+FFF0..FFFF) and surrogates. `controls`: \b \f \n \r \t pass.
bool is_plain_utf8(std::string_view text, bool controls);

} // namespace ftpsensor
