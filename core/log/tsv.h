// One log entry as one tab-separated line, as Zeek's ASCII writer gives it, with that writer's header and end. See
// format.h. Fields that are not set are "-", empty ones "(empty)".
#pragma once

#include "core/log/envelope.h"
#include "core/log/text_buffer.h"

#include <cstdint>
#include <string>
#include <string_view>

namespace ftpsensor {

class TsvWriter {
public:
    TsvWriter(TimestampFormat timestamps, std::string_view system_name, std::string_view node, bool extended,
              bool shunts, bool interim);

    void append(const ConnEntry& entry, TextBuffer& buffer);
    void append(const FtpEntry& entry, TextBuffer& buffer);
    void append_header(LogKind log, std::int64_t local_seconds, TextBuffer& buffer) const;
    void append_footer(std::int64_t local_seconds, TextBuffer& buffer) const;

private:
    char* put_envelope(char* out, LogKind log, Timestamp write_ts, Timestamp ts);
    char* put_time(char* out, IsoTimeWriter& iso, Timestamp t) const;

    TimestampFormat timestamps_;
    bool extended_;
    bool shunts_;  // conn.log has the column `shunted`
    bool interim_; // and that one
    bool has_system_name_;
    bool has_node_;
    std::string before_write_ts_; // behind the path: TAB ds61 TAB
    std::string before_ts_;       // TAB worker-01 TAB
    LineTimes times_;
};

} // namespace ftpsensor
