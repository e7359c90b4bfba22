// What a worker says of a trace with ports that count transfers in its place (tests/support/played_ports.h), and
// without.
#pragma once

#include "core/pipeline/worker.h"
#include "tests/support/catch.h"
#include "tests/support/ftp_talk.h"
#include "tests/support/played_ports.h"

#include <algorithm>
#include <functional>
#include <map>
#include <string>
#include <vector>

namespace ftpsensor::test {

inline constexpr std::uint16_t kDataPort = 40003;

struct Told {
    std::vector<ConnRecord> records; // of data connections
    std::map<std::string, std::uint64_t> events;
    std::uint64_t bytes = 0; // as the logger was told at the connection's end
    bool complete = false;
    std::string history(std::size_t i = 0) const {
        return {records[i].history,
                records[i].history + std::min<std::size_t>(records[i].history_size, ConnRecord::kHistoryInline)};
    }
};

inline Told read(const Trace& trace, PlayedPorts* ports, const std::function<void(std::size_t)>& before = {}) {
    PipelineOptions options;
    options.conn.connections_max = 1024; // small tables: a worker is made a thousand times here
    options.control_max = options.watches_max = options.hints_max = options.progress_max = 64;
    options.emitter.queue_records = 512; // malloc fills what it gives out (MALLOC_PERTURB_), a hundred times here
    options.emitter.text_bytes = 128u << 10;
    options.shunt = ports;
    options.shunt_after = 20'000;
    options.run_out_delays = false; // as live
    SharedState shared(1);
    Worker worker(0, options, shared);
    std::size_t at = 0;
    Timestamp now = 0;
    for (const PacketView& view : trace.views()) {
        if (before) before(at);
        ++at;
        while (now != 0 && now + kSecond < view.now) { // figures that come with delay are there within two seconds
            worker.idle(now += kSecond);
            if (ports != nullptr) ports->finish_ending();
        }
        now = view.now;
        if (ports != nullptr && ports->counts(view)) {
            worker.idle(now); // its time goes on with the clock
            continue;
        }
        worker.process_burst({&view, 1});
    }
    if (ports != nullptr) {
        ports->finish_all();
    }
    worker.idle(now);
    worker.finish(now);
    Told told;
    worker.emitter().conn_channel().drain([&](const ConnRecord& r, std::string_view) {
        if (r.id.resp_p == kDataPort) told.records.push_back(r);
    });
    worker.emitter().ftp_channel().drain([&](const FtpRecord& r, std::string_view) {
        if (r.kind != FtpRecordKind::data_closed) return;
        told.bytes = r.bytes;
        told.complete = r.complete;
    });
    for (std::size_t i = 0; i < kEventCount; ++i)
        told.events[std::string(event_name(static_cast<Event>(i)))] = worker.events().value(static_cast<Event>(i));
    return told;
}

struct Transfer {
    Trace trace;
    FtpTalk ftp;
    TcpTalk data;
    explicit Transfer(const TalkOptions& options = {}) : ftp(trace, options), data(announced()) {}
    TcpTalk announced() {
        ftp.login().client("PASV").server("227 Entering Passive Mode (10,0,0,2,156,67).");
        ftp.client("RETR large.bin").server("150 Here it comes.");
        return ftp.passive(kDataPort);
    }
};

inline const std::string kLarge(300'000, 'x');

// The same letters in the same order, but for those of packets that only the port saw: the last acknowledgement.
inline bool is_part_of(const std::string& part, const std::string& whole) {
    std::size_t at = 0;
    for (const char letter : whole)
        if (at < part.size() && part[at] == letter) ++at;
    return at == part.size() && part.size() + 1 >= whole.size();
}

inline void check_same(const Told& shunted, const Told& plain) {
    REQUIRE(shunted.records.size() == plain.records.size());
    for (std::size_t i = 0; i < plain.records.size(); ++i) {
        const ConnRecord &a = shunted.records[i], &b = plain.records[i];
        CHECK(a.orig_bytes == b.orig_bytes);
        CHECK(a.resp_bytes == b.resp_bytes);
        CHECK(a.orig_pkts == b.orig_pkts);
        CHECK(a.resp_pkts == b.resp_pkts);
        CHECK(a.orig_ip_bytes == b.orig_ip_bytes);
        CHECK(a.resp_ip_bytes == b.resp_ip_bytes);
        CHECK(a.missed_bytes == b.missed_bytes);
        CHECK(a.state == b.state);
        CHECK(a.start == b.start);
        CHECK(a.last == b.last);
        CHECK(is_part_of(shunted.history(i), plain.history(i)));
    }
    CHECK(shunted.complete == plain.complete);
}

} // namespace ftpsensor::test
