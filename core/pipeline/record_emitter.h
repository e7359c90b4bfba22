// Where a worker's records leave it: the two channels, and what happens when one is full.
//
// Live, a record that does not fit is dropped and counted; connection records are refused above three quarters of the
// budget. At a live worker's end no packet waits any more, so that it may: what is still open, mostly far more than a
// channel holds, goes out as fast as the logger takes it. Offline the worker always waits: nothing is lost.
// Worker's thread only, but for the channels' other ends and counts.
#pragma once

#include "core/base/events.h"
#include "core/record/channel.h"
#include "core/record/records.h"

#include <atomic>
#include <functional>

namespace ftpsensor {

struct EmitterOptions {
    std::size_t queue_records = 65536; // a channel
    std::size_t text_bytes = 16u << 20;
    bool wait_when_full = false;
    std::function<void()> wait = [] {}; // lets other threads run; called again and again while a channel is full
    // The same after begin_end(), where wait_when_full is not set. False: long enough, what does not fit is dropped.
    std::function<bool()> wait_at_end = [] { return false; };
};

class RecordEmitter {
public:
    RecordEmitter(const EmitterOptions& options, EventCounters& events)
        : options_(options), events_(events), conn_(options.queue_records, options.text_bytes),
          ftp_(options.queue_records, options.text_bytes) {}

    bool emit(const ConnRecord& record, std::string_view text) { // false: dropped, and counted
        const bool pushed = push(conn_, record, text, record.watched ? 1.0 : kConnShare);
        if (pushed)
            ++conn_emitted_;
        else
            events_.count(Event::conn_record_dropped);
        return pushed;
    }
    void emit(const FtpRecord& record, std::string_view text) {
        if (push(ftp_, record, text, 1.0))
            ++ftp_emitted_;
        else
            events_.count(record.kind == FtpRecordKind::message ? Event::ftp_record_dropped
                                                                : Event::stream_event_dropped);
    }

    void begin_end() { ending_ = true; } // no more packets

    RecordChannel<ConnRecord>& conn_channel() { return conn_; } // the logger's end
    RecordChannel<FtpRecord>& ftp_channel() { return ftp_; }
    std::uint64_t conn_emitted() const { return conn_emitted_; } // worker's thread
    std::uint64_t ftp_emitted() const { return ftp_emitted_; }

private:
    static constexpr double kConnShare = 0.75;

    template <class Record>
    bool push(RecordChannel<Record>& channel, const Record& record, std::string_view text, double share) {
        while (!channel.push(record, text, options_.wait_when_full ? 1.0 : share)) {
            if (!wait()) return false;
        }
        return true;
    }
    bool wait() {
        if (!options_.wait_when_full) return ending_ && options_.wait_at_end();
        options_.wait();
        return true;
    }

    EmitterOptions options_;
    EventCounters& events_;
    RecordChannel<ConnRecord> conn_;
    RecordChannel<FtpRecord> ftp_;
    std::uint64_t conn_emitted_ = 0;
    std::uint64_t ftp_emitted_ = 0;
    bool ending_ = false;
};

} // namespace ftpsensor
