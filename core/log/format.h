// Log entries as lines of text: JSON with an envelope, or Zeek's tab-separated form.
//
// The fields, their order and their text are those of Zeek's conn.log (with the community-id policy) and ftp.log. Each
// line opens with the envelope: _path, _system_name, _write_ts, _node; a name that is empty is left out. Behind the
// reference's fields stand ours, with `extended`: control_uid and shunted in conn.log, data_channel.uid,
// data_channel.bytes and data_channel.complete in ftp.log. And `interim` in conn.log, of connections that have interim
// entries.
//
// A Formatter belongs to one thread (it keeps the text of the last second). It allocates nothing an entry but what the
// buffer needs to grow.
#pragma once

#include "core/log/json.h"
#include "core/log/text_buffer.h"
#include "core/log/tsv.h"
#include "core/record/entries.h"

#include <string>
#include <variant>

namespace ftpsensor {

enum class LogFormat : std::uint8_t { json, tsv };

struct FormatOptions {
    LogFormat format = LogFormat::json;
    TimestampFormat timestamps = TimestampFormat::iso8601;
    std::string system_name; // _system_name; empty: no such field
    std::string node;        // _node; empty: no such field
    bool extended = true;
    // Columns of the tab-separated form: a port may count for connections, connections may have interim entries.
    bool shunts = false;
    bool interim = false;
};

class Formatter {
public:
    explicit Formatter(const FormatOptions& options);

    // Appends one line, its line feed included.
    void append(const ConnEntry& entry, TextBuffer& buffer);
    void append(const FtpEntry& entry, TextBuffer& buffer);

    // What stands before the first line of a file and behind its last: nothing in JSON. `local` is the time in the zone
    // of the file's name, as seconds since the epoch of that zone's clock.
    void append_header(LogKind log, std::int64_t local_seconds, TextBuffer& buffer) const;
    void append_footer(std::int64_t local_seconds, TextBuffer& buffer) const;

private:
    std::variant<JsonWriter, TsvWriter> writer_;
};

} // namespace ftpsensor
