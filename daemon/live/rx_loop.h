// A worker's life: polls its queue of each port, hands bursts to the Engine, rests when there is nothing.
//
// Several ports are merged by time within a poll (TimeMerge). Without stamps of the port all packets of a poll have one
// time, and ports come in the order of the config. Time handed on never goes back (PacketView::now).
//
// RxLoop is made on the main thread; run() belongs to one worker thread, pinned and registered with EAL; counts() may
// be read by any. No lock, allocation, exception or message on the way of a packet.
#pragma once

#include "core/packet/distribution.h"
#include "core/packet/packet_view.h"
#include "daemon/live/filter.h"
#include "daemon/live/port.h"
#include "daemon/live/rx_clock.h"
#include "daemon/live/steering.h"
#include "daemon/live/time_merge.h"

#include <array>
#include <atomic>
#include <cstdint>
#include <memory>
#include <vector>

#include <poll.h>

struct rte_mbuf;

namespace ftpsensor {

class Engine;

struct RxOptions {
    std::uint16_t burst = 64;             // packets a poll and queue, and at once to the Engine
    std::uint32_t snaplen = 9216;         // bytes of a frame that are looked at
    bool adaptive = true;                 // rest after empty polls; else poll without pause
    const PacketFilter* filter = nullptr; // outlives the loop; null: everything
    SteeringRings* steering = nullptr;    // outlives the loop; null: a worker keeps what it receives
    Duration read_on_most = 2 * kSecond;  // at the end: for what the queues hold then
};

// One writer, the worker; monotonic.
struct RxCounts {
    std::atomic<std::uint64_t> packets{0}; // received, filtered ones included
    std::atomic<std::uint64_t> bytes{0};
    std::atomic<std::uint64_t> filtered{0};    // left out by capture.filter
    std::atomic<std::uint64_t> cut{0};         // longer than their slot in the kernel's ring
    std::atomic<std::uint64_t> out_of_step{0}; // rings whose slots did not fit the packets: their stamps are given up
    std::atomic<std::uint64_t> wrong_times{0}; // stamped ahead of the host's clock, which is taken instead
    std::atomic<std::uint64_t> gathered{0};    // came in several mbufs and were copied together
    std::atomic<std::uint64_t> unread{0};      // in the queues at the end, for longer than there was time
    std::atomic<std::uint64_t> polls{0};       // of all queues; also the sign of life
    std::atomic<std::uint64_t> empty_polls{0};
    std::atomic<std::uint64_t> starved_polls{0}; // found packets, and no buffer to fetch them into: they wait
    std::atomic<std::uint64_t> busy_cycles{0};   // of the TSC, in polls that brought packets or let time go on
};

class RxLoop {
public:
    RxLoop(Engine& engine, std::uint32_t worker, const std::vector<RxSource>& sources, const RxOptions& options);
    RxLoop(const RxLoop&) = delete;
    RxLoop& operator=(const RxLoop&) = delete;
    ~RxLoop();

    // Polls until `stop`, then what the queues hold at that time, then Engine::finish(). What is not read by
    // read_on_most is thrown away and counted.
    void run(const std::atomic<bool>& stop);

    const RxCounts& counts() const { return counts_; }
    double busy_seconds() const; // any thread
    // What was fetched from this worker's queue of a port; 0 where it has none there. Any thread.
    std::uint64_t packets_of_port(std::uint16_t port_id) const;
    std::uint64_t bytes_of_port(std::uint16_t port_id) const; // as delivered, cut where the ring cut
    std::uint64_t steered_late() const { return steering_ ? steering_->late() : 0; }

private:
    struct Input { // one queue
        RxSource source;
        RxClock clock;
        PacketRing* ring;                   // null: none, or the driver is out of step with it
        std::vector<rte_mbuf*> mbufs;       // by index as in its TimeMerge::Batch
        std::vector<std::uint32_t> lengths; // on the wire
        bool unfetched = false;             // holds packets, as its ring says, that the driver did not deliver
        Timestamp flowed_at = 0;            // the host's clock, when that was not so, or it delivered some
        bool read = false;                  // at the end: all that it held when the stop came
        Timestamp stop = 0;                 // that, by the clock of its packets' stamps
        std::uint64_t packets_at_stop = 0;
        std::unique_ptr<std::atomic<std::uint64_t>> packets = std::make_unique<std::atomic<std::uint64_t>>(0);
        std::unique_ptr<std::atomic<std::uint64_t>> bytes = std::make_unique<std::atomic<std::uint64_t>>(0);
    };

    std::size_t poll();
    void read_on();
    void begin_end(Timestamp stop);
    bool all_read();
    void discard();
    void count_unfetched();
    void compare_clocks(Timestamp host_time);
    std::uint16_t fetch(std::size_t queue, Timestamp host_time);
    bool take_ring_slots(std::size_t queue, std::uint16_t count);
    Timestamp hand_on();
    void received(rte_mbuf* mbuf, std::uint32_t length, Timestamp time);
    PacketView view_of(rte_mbuf* mbuf, std::uint32_t length);
    void stamp(PacketView& view, Timestamp time);
    void add(rte_mbuf* mbuf, const PacketView& view);
    void steer(rte_mbuf* mbuf, const PacketView& view);
    void give_out(Timestamp host_time, Timestamp handed_on);
    std::size_t take_own(Timestamp host_time);
    void take(const SteeredPacket& packet);
    void finish_steering();
    const std::uint8_t* gather(const rte_mbuf* mbuf, std::uint32_t length);
    bool wanted(const PacketView& view);
    void flush();
    bool let_time_go_on(Timestamp host_time, bool idle);
    void rest();
    bool wait_for_packets();

    Engine& engine_;
    const std::uint32_t worker_;
    const RxOptions options_;
    std::vector<Input> inputs_;
    TimeMerge merge_;
    std::unique_ptr<Steering> steering_;
    std::unique_ptr<Distribution> distribution_; // where there is steering
    Timestamp latest_ = 0;                       // SteeredPacket::order of all that was received
    Timestamp clock_ = 0;                        // the host's, as last read for it
    Timestamp now_ = 0;                          // highest time so far
    bool real_times_ = true;                     // all queues' packets are stamped by CLOCK_REALTIME
    Duration stamps_behind_ = 0;                 // the host's clock, since CLOCK_REALTIME was set back
    Timestamp compared_at_ = 0;
    Duration idle_lag_ = 0; // by which time stays behind the clock in an idle poll

    std::vector<rte_mbuf*> batch_; // mbufs behind views_
    std::vector<PacketView> views_;
    std::uint32_t batched_ = 0;
    std::vector<std::uint8_t> scratch_; // packets gathered from several mbufs, until the flush
    std::size_t scratch_used_ = 0;
    std::vector<std::uint8_t> tagged_; // a packet with its stripped tag put back, for the filter

    std::vector<pollfd> wait_; // one a queue, or none where a queue cannot be waited for
    std::uint32_t empty_in_a_row_ = 0;
    Timestamp idle_at_ = 0; // last Engine::idle()
    std::uint64_t poll_bytes_ = 0;
    Timestamp poll_time_ = 0;  // the host's clock at this poll
    bool starved_ = false;     // in this poll a queue held packets for which its port has no buffers
    bool handed_over_ = false; // the Engine had packets in this poll, and with them the time
    std::uint64_t number_ = 0; // of packets: breaks ties of equal times among this worker's
    alignas(64) RxCounts counts_;
};

} // namespace ftpsensor
