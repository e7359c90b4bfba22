// The end of a live worker: everything that is still open is recorded, though it is far more than a channel holds, and
// the logger writes it as it comes.
#include "core/log/record_merge.h"
#include "core/pipeline/release_bound.h"
#include "core/pipeline/worker.h"
#include "tests/support/catch.h"
#include "tests/support/ftp_talk.h"

using namespace ftpsensor;
using namespace ftpsensor::test;

namespace {

constexpr std::size_t kOpen = 5000; // connections, of UDP
constexpr std::size_t kQueue = 64;  // records of a channel
constexpr Timestamp kBegin = 1'600'000'000 * kSecond;

struct Written { // what the logger would write
    void connection(const ConnRecord& record, std::string_view) { conns.push_back(record); }
    void ftp(const FtpRecord& record, std::string_view, std::uint64_t) { ftps.push_back(record); }
    std::vector<ConnRecord> conns;
    std::vector<FtpRecord> ftps;
};

class LiveEnd {
public:
    explicit LiveEnd(std::size_t patience)
        : patience_(patience), worker_(0, options(), shared_), other_(1, options(), shared_) {}

    // Many connections, and an FTP session with a transfer under way, all open at the end.
    void run() {
        std::vector<Bytes> packets;
        for (std::size_t i = 0; i < kOpen; ++i)
            packets.push_back(build(
                {Ethernet{}, Ipv4{.source = ip("10.1.0." + std::to_string(i % 200 + 1))},
                 Udp{.source_port = static_cast<std::uint16_t>(2000 + i / 200), .destination_port = 9}, Payload{"x"}}));
        Timestamp now = kBegin;
        for (const Bytes& packet : packets) take(packet.data(), packet.size(), now += kMicrosecond);
        Trace trace;
        FtpTalk ftp(trace);
        ftp.login().client("PASV").server("227 Entering Passive Mode (10,0,0,2,156,64).").client("RETR a.txt");
        for (const PacketView& view : trace.views()) take(view.data, view.captured, now += kMillisecond);
        other_.idle(now);
        step();
        other_.finish(now + kMillisecond);
        worker_.finish(now + kMillisecond);
        step();
    }
    std::uint64_t dropped() const {
        return worker_.events().value(Event::conn_record_dropped) + worker_.events().value(Event::ftp_record_dropped) +
               worker_.events().value(Event::stream_event_dropped);
    }

    Written written;
    std::size_t held_max = 0;
    std::uint64_t late() const { return merge_.late(); }

private:
    PipelineOptions options() {
        PipelineOptions o;
        o.conn.connections_max = 2 * kOpen;
        o.emitter.queue_records = kQueue;
        o.emitter.text_bytes = 1u << 20;
        o.run_out_delays = false; // as live
        o.emitter.wait_at_end = [this] {
            if (waits_++ >= patience_) return false;
            step();
            return true;
        };
        return o;
    }
    void take(const std::uint8_t* data, std::size_t size, Timestamp now) {
        PacketView view;
        view.data = data;
        view.captured = view.length = static_cast<std::uint32_t>(size);
        view.time = view.now = now;
        view.number = ++number_;
        worker_.process_burst({&view, 1});
    }
    void step() { // as the logger's
        const Timestamp through = bound_.next();
        for (Worker* worker : {&worker_, &other_}) {
            worker->emitter().conn_channel().drain(
                [this](const ConnRecord& r, std::string_view text) { merge_.add(r, text); });
            worker->emitter().ftp_channel().drain(
                [this](const FtpRecord& r, std::string_view text) { merge_.add(r, text, 0); });
        }
        merge_.release(through, written);
        held_max = std::max(held_max, merge_.held());
    }

    std::size_t patience_;
    std::size_t waits_ = 0;
    std::uint64_t number_ = 0;
    SharedState shared_{2};
    Worker worker_;
    Worker other_;
    RecordMerge merge_{IdKey::from_seed(1)};
    ReleaseBound bound_{shared_, 200 * kMillisecond};
};

} // namespace

TEST_CASE("everything that is open at the end of a live worker is recorded, however small its queue") {
    LiveEnd end(SIZE_MAX);
    end.run();
    CHECK(end.dropped() == 0);
    CHECK(end.written.conns.size() == kOpen + 1);
    CHECK(end.late() == 0);
    const auto told = [&](FtpRecordKind kind) {
        return std::count_if(end.written.ftps.begin(), end.written.ftps.end(),
                             [&](const FtpRecord& r) { return r.kind == kind; });
    };
    CHECK(told(FtpRecordKind::session_end) == 1);
    SECTION("and not held until the last of it has come") { CHECK(end.held_max <= 4 * kQueue); }
}

TEST_CASE("a live worker's end does not wait for ever: what did not fit is dropped, and counted") {
    LiveEnd end(3);
    end.run();
    CHECK(end.dropped() > 0);
    CHECK(end.written.conns.size() + end.dropped() >= kOpen + 1);
    CHECK(end.written.conns.size() < kOpen);
}
