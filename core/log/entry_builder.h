// From merged records to lines: joins the transfers, computes what the workers left to the logger, formats.
//
// Logger thread only.
#pragma once

#include "core/base/events.h"
#include "core/base/ip_address.h"
#include "core/log/format.h"
#include "core/log/network_set.h"
#include "core/log/transfer_join.h"
#include "core/record/records.h"

#include <memory>
#include <string_view>
#include <vector>

namespace ftpsensor {

// Types files by their first bytes, on a thread of its own: asked when the record arrives, answered when it is
// released.
class TypeSource {
public:
    virtual ~TypeSource() = default;
    virtual std::uint64_t submit(std::string_view first_bytes, MimeStage stage) = 0;
    // Waits for the answer; empty: no known type. Each ticket once. Valid until the next call.
    virtual std::string_view take(std::uint64_t ticket) = 0;
};

// Takes finished lines.
class LineSink {
public:
    virtual ~LineSink() = default;
    virtual void line(LogKind log, std::string_view text, Timestamp write_ts) = 0;
};

struct EntryOptions {
    FormatOptions format;
    TransferOptions transfers;
    std::vector<IpNetwork> local_networks; // empty: no local_orig and local_resp
};

class EntryBuilder {
public:
    EntryBuilder(const EntryOptions& options, TypeSource& types, LineSink& lines, EventCounters& events);

    // RecordMerge's sink.
    void connection(const ConnRecord& record, std::string_view text);
    void ftp(const FtpRecord& record, std::string_view text, std::uint64_t ticket);

    // Entries from now on; how transfers are joined stays as it is.
    void adopt(const EntryOptions& options);

    const TransferJoin& transfers() const { return *join_; }

private:
    void message(const FtpRecord& record, std::string_view text);
    static Timestamp told_until(const ConnRecord& record, std::string_view text);

    EntryOptions options_;
    NetworkSet local_networks_;
    Formatter formatter_;
    std::unique_ptr<TransferJoin> join_;
    TypeSource& types_;
    LineSink& lines_;
    TextBuffer buffer_;
    std::string history_;
    std::vector<Id96> parents_;
};

} // namespace ftpsensor
