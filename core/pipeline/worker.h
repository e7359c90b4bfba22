// One worker: packets in, records out.
//
// Runs to completion on one core. A burst is decoded, its connections are looked up with their cache lines fetched
// ahead, then each packet is processed; what is over is removed, what was announced elsewhere is read, and the
// watermark moves. Everything but the channels, the watermark and the counters belongs to the worker's thread alone.
#pragma once

#include "core/conn/conn_tracker.h"
#include "core/packet/decode.h"
#include "core/pipeline/announcements.h"
#include "core/pipeline/control_sessions.h"
#include "core/pipeline/data_watches.h"
#include "core/pipeline/pipeline_options.h"
#include "core/pipeline/pipeline_update.h"
#include "core/pipeline/record_emitter.h"

#include <array>
#include <atomic>
#include <memory>
#include <span>
#include <vector>

namespace ftpsensor {

// What all workers share: small, and written rarely.
struct SharedState {
    explicit SharedState(std::size_t workers, std::size_t board_slots = AnnouncementBoard::kSlots)
        : board(workers, board_slots), watermarks(workers) {}

    struct alignas(64) Watermark {
        std::atomic<Timestamp> time{INT64_MIN}; // everything due before it has been queued
    };
    AnnouncementBoard board;
    std::vector<Watermark> watermarks;

    Timestamp lowest_watermark() const {
        Timestamp lowest = INT64_MAX;
        for (const Watermark& w : watermarks) lowest = std::min(lowest, w.time.load(std::memory_order_acquire));
        return lowest;
    }
};

struct WorkerCounters { // written by the worker, read by anyone
    std::atomic<std::uint64_t> packets{0};
    std::atomic<std::uint64_t> bytes{0};
    std::atomic<std::uint64_t> connections{0};
    std::atomic<std::uint64_t> connections_open{0};
    std::atomic<std::uint64_t> conn_records{0};
    std::atomic<std::uint64_t> ftp_records{0};
    std::atomic<std::uint64_t> ftp_sessions_open{0}; // candidates on other ports included
    std::atomic<std::uint64_t> payload_bytes{0};     // of TCP, as captured
    std::atomic<std::uint64_t> missed_bytes{0};      // of TCP: sent and acknowledged, but not captured
};

class Worker final : private ConnObserver, private AnnouncementSink {
public:
    Worker(std::size_t number, const PipelineOptions& options, SharedState& shared);

    void process_burst(std::span<const PacketView> burst);
    void idle(Timestamp now);   // no packets: time goes on
    void finish(Timestamp end); // no more packets; everything is recorded as of `end`
    // A changed configuration, between bursts. What was in effect goes out with `update`.
    void take(PipelineUpdate& update);

    // The logger's ends, and counts for anyone.
    RecordEmitter& emitter() { return emitter_; }
    const EventCounters& events() const { return events_; }
    const WorkerCounters& counters() const { return counters_; }

private:
    using Lookup = ConnTracker::Lookup;
    static constexpr std::size_t kStage = 64; // packets that go through the steps together (docs/performance.md)

    std::size_t decode_stage(std::span<const PacketView> packets, std::uint64_t& bytes);
    void process_stage(std::span<const PacketView> packets);
    void process_rest(const PacketView& packet, DecodedPacket& decoded);
    void prefetch_reader(const Connection& c) const;
    void move_time(Timestamp now);
    void read_board();
    void publish();
    void let_go(Timestamp end);
    unsigned hinted_side(const Connection& c, Timestamp now) const; // one of its endpoints was announced
    bool may_be_announced(const EndpointId& id) const;
    void watch(Connection& c, std::uint32_t index, const PacketView& packet);

    void opened(Connection& c, std::uint32_t index, const PacketView& packet) override;
    void flipped(Connection& c, std::uint32_t index, const PacketView& packet) override;
    void segment(Connection& c, std::uint32_t index, const Layer& layer, unsigned side, const TcpOutcome& outcome,
                 const PacketView& packet) override;
    void coming_through(Connection& c, const Layer& layer, unsigned side) override;
    void renumbered(Connection& c, unsigned side, const PacketView& packet) override;
    void ends_soon(const Connection& c) override;
    void removed(Connection& c, std::uint32_t index, Timestamp due, std::uint64_t packet_number) override;
    bool interim(Connection& c, std::uint32_t index, Timestamp due, ConnRecord& record) override;
    bool wants(ConnRecord& record) const;
    void announced(const EndpointId& control, const DataChannel& channel, Timestamp now) override;

    std::size_t number_;
    PipelineOptions options_;
    SharedState& shared_;
    EventCounters events_;
    WorkerCounters counters_;
    RecordEmitter emitter_;
    Decoder decoder_;
    ConnTracker connections_;
    ControlSessions control_;
    DataWatches data_;
    AnnouncementHints hints_;
    std::vector<bool> ftp_port_;
    bool watch_silently_;
    std::array<DecodedPacket, kStage> decoded_;
    std::array<Lookup, kStage> lookups_;
    std::string text_;
};

} // namespace ftpsensor
