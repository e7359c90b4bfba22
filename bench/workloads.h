// The kinds of traffic that benchmarks know, in batches of frames, and a worker to run them on.
//
// The same for pipeline_bench, which times them, and instruction_counts, which counts. Everything is deterministic. A
// source of traffic fills a batch; a BenchWorker runs it, in bursts as a port hands them over, and gives its records to
// who wants them. One thread.
#pragma once

#include "bench/traffic.h"
#include "core/pipeline/worker.h"

#include <array>
#include <cstdint>
#include <memory>
#include <vector>

namespace ftpsensor::bench {

inline constexpr std::size_t kBurst = 64;
inline constexpr std::size_t kBatch = 1u << 14; // frames written, then run: as many as a port's pool has

// A worker, and the time of its packets.
class BenchWorker {
public:
    explicit BenchWorker(std::uint32_t connections_max);

    // All packets of the batch, `gap` apart. Their records wait until they are drained.
    void process(const FrameBatch& batch, Duration gap);
    // The same, and the records are drained and counted; nanoseconds of CPU time without that.
    double run(const FrameBatch& batch, Duration gap);

    void drain() {
        drain([](const ConnRecord&, std::string_view) {}, [](const FtpRecord&, std::string_view) {});
    }
    template <class Conn, class Ftp>
    void drain(Conn&& conn, Ftp&& ftp) {
        worker_->emitter().conn_channel().drain([&](const ConnRecord& r, std::string_view text) {
            ++conn_records_;
            conn(r, text);
        });
        worker_->emitter().ftp_channel().drain([&](const FtpRecord& r, std::string_view text) {
            if (r.kind == FtpRecordKind::message) ++ftp_messages_;
            ftp(r, text);
        });
    }

    std::uint64_t conn_records() const { return conn_records_; } // drained so far
    std::uint64_t ftp_messages() const { return ftp_messages_; }
    const Worker& worker() const { return *worker_; }
    std::uint64_t event(Event e) const { return worker_->events().value(e); }

private:
    SharedState shared_;
    std::unique_ptr<Worker> worker_;
    Timestamp now_;
    std::uint64_t conn_records_ = 0;
    std::uint64_t ftp_messages_ = 0;
};

// Payloads of packets, in turn.
using Payloads = std::array<std::uint32_t, 12>;

constexpr Payloads all_of(std::uint32_t payload) {
    Payloads all{};
    all.fill(payload);
    return all;
}

// "Simple IMIX": 7 of 64, 4 of 594, 1 of 1518 bytes.
inline constexpr Payloads kImix = {6, 536, 6, 6, 536, 6, 1460, 6, 536, 6, 536, 6};

// Long-lived connections, as many as `flows`, each packet of another one, in random order.
class LiveTraffic {
public:
    LiveTraffic(std::uint32_t flows, const Payloads& payloads) : flows_(flows), payloads_(payloads), sent_(flows) {}

    // The handshakes and a first request and answer, in batches; false: all are done.
    bool handshakes(FrameBatch& batch);
    void fill(FrameBatch& batch);

private:
    struct Sent {
        std::uint32_t client = 0, server = 0;
    };
    std::uint32_t flows_;
    Payloads payloads_;
    std::vector<Sent> sent_;
    Sequence random_{7};
    std::uint32_t opened_ = 0;
    std::size_t turn_ = 0;
};

// SYNs of ever other clients to one port.
class SynFlood {
public:
    void fill(FrameBatch& batch);

private:
    std::uint32_t flow_ = 0;
};

// Connections of ten packets each, `interleave` of them at a time, packet by packet.
class ShortConnections {
public:
    static constexpr std::uint32_t kPackets = 10;

    explicit ShortConnections(std::uint32_t interleave) : interleave_(interleave) {}
    void fill(FrameBatch& batch);

private:
    std::uint32_t interleave_;
    std::uint32_t base_ = 0, step_ = 0, at_ = 0;
};

// Sessions that log in and fetch; each command and its reply are a packet.
class FtpSessions {
public:
    std::uint64_t fill(FrameBatch& batch); // how many commands

private:
    std::uint32_t flow_ = 0;
};

} // namespace ftpsensor::bench
