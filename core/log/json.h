// One log entry as one line of JSON, as compact as Zeek's. See format.h.
#pragma once

#include "core/log/envelope.h"
#include "core/log/text_buffer.h"

#include <array>
#include <string>
#include <string_view>

namespace ftpsensor {

class JsonWriter {
public:
    JsonWriter(TimestampFormat timestamps, std::string_view system_name, std::string_view node, bool extended);

    void append(const ConnEntry& entry, TextBuffer& buffer);
    void append(const FtpEntry& entry, TextBuffer& buffer);

private:
    char* put_envelope(char* out, LogKind log, Timestamp write_ts, Timestamp ts);
    char* put_time(char* out, IsoTimeWriter& iso, Timestamp t) const;

    TimestampFormat timestamps_;
    bool extended_;
    std::array<std::string, kLogKinds> before_write_ts_; // {"_path":"conn","_system_name":"ds61","_write_ts":
    std::string before_ts_;                              // ,"_node":"worker-01","ts":
    LineTimes times_;
};

} // namespace ftpsensor
