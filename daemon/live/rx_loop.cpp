#include "daemon/live/rx_loop.h"

#include "core/packet/decode.h"
#include "daemon/engine.h"

#include <algorithm>
#include <cstdlib>
#include <cstring>
#include <ctime>
#include <random>

#include <rte_cycles.h>
#include <rte_ethdev.h>
#include <rte_mbuf.h>
#include <rte_pause.h>
#include <rte_prefetch.h>
#include <sys/socket.h>

namespace ftpsensor {
namespace {

constexpr Duration kIdleInterval = kMillisecond; // time goes on at least so often without packets
// A packet that was stamped before an idle poll may be seen only after it: time goes on so much behind the clock.
constexpr Duration kStampLag = 5 * kMillisecond;
constexpr Duration kUnreadLook =
    500 * kMillisecond;                        // at the end, for what could not be read in time: so long it is counted
constexpr Duration kSteeringEndMost = kSecond; // and until the other workers have ended, beyond what they may take
constexpr std::uint64_t kDescriptorsMax = 65536; // of a queue
// Processors that fill one queue may trade places: what came so shortly before the latest packet may yet be missing.
constexpr Duration kOrderSlack = 200 * kMicrosecond;
constexpr Duration kStarvedMost = 5 * kSecond; // a queue that delivers nothing for longer holds no time back
constexpr Timestamp kAllHandedOn = INT64_MAX;
constexpr Duration kStampAheadMax = kSecond; // of the host's clock
constexpr Duration kStampBehindMax = kSecond;
constexpr Duration kCompareInterval = kMillisecond; // of the host's clocks, for a step of one of them
constexpr Duration kStepLeast = kMillisecond;       // smaller ones are the measure's own
constexpr std::uint32_t kSpins = 64;                // empty polls before the first rest
constexpr Duration kShortestSleep = 8 * kMicrosecond;
constexpr Duration kLongestSleep = kMillisecond;
constexpr std::size_t kVlanTagAt = 12; // behind the two addresses
constexpr std::size_t kVlanTagBytes = 4;
constexpr std::uint32_t kGatherMax = 65535 + 64; // longest packet that is gathered

// One writer: no read-modify-write on the bus.
void add_to(std::atomic<std::uint64_t>& counter, std::uint64_t n) {
    counter.store(counter.load(std::memory_order_relaxed) + n, std::memory_order_relaxed);
}

bool checksums_good(std::uint64_t flags) {
    return (flags & RTE_MBUF_F_RX_IP_CKSUM_MASK) == RTE_MBUF_F_RX_IP_CKSUM_GOOD &&
           (flags & RTE_MBUF_F_RX_L4_CKSUM_MASK) == RTE_MBUF_F_RX_L4_CKSUM_GOOD;
}

std::uint64_t random_secret() {
    std::random_device random;
    return std::uint64_t{random()} << 32 | random();
}

void sleep_for(Duration duration) {
    const timespec length{.tv_sec = 0, .tv_nsec = duration};
    nanosleep(&length, nullptr);
}

} // namespace

RxLoop::RxLoop(Engine& engine, std::uint32_t worker, const std::vector<RxSource>& sources, const RxOptions& options)
    : engine_(engine), worker_(worker), options_(options), merge_(sources.size(), options.burst), batch_(options.burst),
      views_(options.burst), scratch_(std::size_t{4} * kGatherMax), tagged_(kGatherMax + kVlanTagBytes) {
    for (const auto& source : sources) {
        inputs_.push_back({source, RxClock(source.stamps, source.port_id), source.ring,
                           std::vector<rte_mbuf*>(options.burst), std::vector<std::uint32_t>(options.burst)});
        inputs_.back().flowed_at = host_clock();
        if (source.ring != nullptr || inputs_.back().clock.stamps()) idle_lag_ = kStampLag;
        real_times_ = real_times_ && (source.ring != nullptr || inputs_.back().clock.stamps_real_time());
        if (source.wait_fd >= 0) wait_.push_back({source.wait_fd, POLLIN, 0});
    }
    if (wait_.size() != inputs_.size()) wait_.clear();
    if (options.steering != nullptr) {
        steering_ = std::make_unique<Steering>(*options.steering, worker, options.burst);
        distribution_ = std::make_unique<Distribution>(random_secret());
    }
}

RxLoop::~RxLoop() {
    for (std::size_t queue = 0; queue < inputs_.size(); ++queue) { // what waits when the worker ended by an exception
        const auto& batch = merge_.batch(queue);
        if (batch.waits())
            rte_pktmbuf_free_bulk(inputs_[queue].mbufs.data() + batch.next,
                                  static_cast<unsigned>(batch.count - batch.next));
    }
}

void RxLoop::run(const std::atomic<bool>& stop) {
    while (!stop.load(std::memory_order_relaxed)) {
        if (poll() != 0) {
            empty_in_a_row_ = 0;
        } else if (options_.adaptive) {
            rest();
        } else {
            rte_pause();
        }
    }
    read_on();
    merge_.no_more();
    hand_on();
    if (steering_) finish_steering();
    engine_.finish(worker_, std::max(now_, host_clock()));
}

// What the queues held when the stop came, however much comes meanwhile.
void RxLoop::read_on() {
    const Timestamp stop = host_clock(), deadline = stop + options_.read_on_most;
    begin_end(stop);
    do {
        poll();
    } while (!all_read() && host_clock() < deadline);
    while (!all_read() && host_clock() < deadline + kUnreadLook) discard();
    count_unfetched();
}

// The host's clock may be ahead of the kernel's, which was set back: no stamp would ever be behind `stop`.
void RxLoop::begin_end(Timestamp stop) {
    const Timestamp kernels_stop = kernel_clock();
    for (Input& input : inputs_) {
        input.packets_at_stop = input.packets->load(std::memory_order_relaxed);
        input.stop = input.ring != nullptr || input.clock.stamps_real_time() ? kernels_stop : stop;
    }
}

// A queue was read once it was found empty, or has handed out what came behind the stop; where packets have no stamps,
// as many as it can hold.
bool RxLoop::all_read() {
    bool all = true;
    for (std::size_t queue = 0; queue < inputs_.size(); ++queue) {
        Input& input = inputs_[queue];
        const auto& batch = merge_.batch(queue);
        const bool stamped = input.ring != nullptr || input.clock.stamps();
        const std::uint64_t since = input.packets->load(std::memory_order_relaxed) - input.packets_at_stop;
        const bool maybe_more = batch.more || input.unfetched;
        if (!maybe_more || (stamped ? batch.last > input.stop : since >= kDescriptorsMax)) input.read = true;
        all = all && input.read;
    }
    return all;
}

// There is no time left to look at them.
void RxLoop::discard() {
    for (std::size_t queue = 0; queue < inputs_.size(); ++queue) {
        Input& input = inputs_[queue];
        auto& batch = merge_.batch(queue);
        if (input.read) continue;
        if (!batch.waits()) add_to(counts_.packets, fetch(queue, host_clock()));
        const auto n = static_cast<unsigned>(batch.count - batch.next);
        rte_pktmbuf_free_bulk(input.mbufs.data() + batch.next, n);
        batch.next = batch.count;
        add_to(counts_.unread, n);
    }
}

// Of which not even the buffers could be had.
void RxLoop::count_unfetched() {
    for (const Input& input : inputs_)
        if (!input.read && input.ring != nullptr) add_to(counts_.unread, input.ring->waiting_until(input.stop));
}

// One round over all queues; the number of packets there were.
std::size_t RxLoop::poll() {
    const std::uint64_t began = rte_rdtsc();
    const Timestamp host_time = poll_time_ = host_clock();
    if (steering_ && real_times_ && host_time - compared_at_ >= kCompareInterval) compare_clocks(host_time);
    poll_bytes_ = 0;
    starved_ = handed_over_ = false;
    std::size_t received = 0;
    for (std::size_t queue = 0; queue < inputs_.size(); ++queue)
        if (merge_.wants_batch(queue)) received += fetch(queue, host_time);
    add_to(counts_.packets, received);
    if (starved_) add_to(counts_.starved_polls, 1);
    std::size_t there = merge_.waiting();
    const Timestamp limit = hand_on();
    if (there != 0) add_to(counts_.bytes, poll_bytes_);
    if (steering_) {
        give_out(host_time, limit);
        there += take_own(host_time);
    }
    const bool idle = there == 0 && !starved_;
    if (idle) add_to(counts_.empty_polls, 1);
    const bool time_went_on = !handed_over_ && let_time_go_on(host_time, idle);
    if (there != 0 || time_went_on) add_to(counts_.busy_cycles, rte_rdtsc() - began);
    add_to(counts_.polls, 1); // behind the work: a worker that hangs in it shows no life
    return there;
}

// Where the host's clock was set back, what the kernel stamps is behind the time that goes on here, for good.
void RxLoop::compare_clocks(Timestamp host_time) {
    compared_at_ = host_time;
    const auto ahead = host_clock_ahead();
    if (ahead && std::abs(*ahead - stamps_behind_) > kStepLeast) stamps_behind_ = *ahead;
}

std::uint16_t RxLoop::fetch(std::size_t queue, Timestamp host_time) {
    auto& input = inputs_[queue];
    input.clock.follow(host_time);
    const std::uint16_t looked = input.ring != nullptr ? input.ring->look(options_.burst) : 0;
    // No more than was looked at: the kernel may fill a slot again as soon as the driver has emptied it.
    const std::uint16_t wanted = looked != 0 ? looked : options_.burst;
    const std::uint16_t count =
        rte_eth_rx_burst(input.source.port_id, input.source.queue_id, input.mbufs.data(), wanted);
    add_to(*input.packets, count);
    // The driver leaves a packet in its slot where its pool has no buffer: those on their way between workers come
    // back.
    input.unfetched = count < looked;
    if (!input.unfetched || count != 0) input.flowed_at = host_time;
    const bool starved = input.unfetched && host_time - input.flowed_at < kStarvedMost;
    starved_ = starved_ || starved;
    merge_.begin(queue, count, count == options_.burst || starved);
    if (starved && count == 0) merge_.holds_unfetched(queue, input.ring->slot(0).time);
    std::uint64_t bytes = 0;
    for (std::uint16_t i = 0; i < count; ++i) {
        rte_prefetch0(rte_pktmbuf_mtod(input.mbufs[i], void*));
        input.lengths[i] = rte_pktmbuf_pkt_len(input.mbufs[i]);
        bytes += input.lengths[i];
    }
    add_to(*input.bytes, bytes);
    if (input.ring != nullptr && looked == 0) input.ring->look_back(count); // came between the look and the fetch
    if (take_ring_slots(queue, count)) return count;
    for (std::uint16_t i = 0; i < count; ++i)
        merge_.set_time(queue, i, input.clock.time_of(*input.mbufs[i], host_time));
    return count;
}

// The kernel's time and length of the packets that the driver delivered. False: not to be had.
bool RxLoop::take_ring_slots(std::size_t queue, std::uint16_t count) {
    auto& input = inputs_[queue];
    if (input.ring == nullptr) return false;
    for (std::uint16_t i = 0; i < count; ++i) {
        if (input.ring->matches(i, input.lengths[i])) continue;
        input.ring = nullptr; // a driver with other ways: its packets are right all the same
        add_to(counts_.out_of_step, 1);
        return false;
    }
    for (std::uint16_t i = 0; i < count; ++i) {
        const auto& slot = input.ring->slot(i);
        const std::uint32_t cut = slot.length - std::min(slot.captured, slot.length);
        input.lengths[i] += cut;
        if (cut != 0) add_to(counts_.cut, 1);
        merge_.set_time(queue, i, slot.time);
    }
    input.ring->advance(count);
    return true;
}

// Returns through when everything was handed on that the queues held; kAllHandedOn: all of it.
Timestamp RxLoop::hand_on() {
    const Timestamp limit = merge_.limit();
    for (int queue; (queue = merge_.earliest(limit)) >= 0;) {
        auto& input = inputs_[static_cast<std::size_t>(queue)];
        auto& batch = merge_.batch(static_cast<std::size_t>(queue));
        const std::uint16_t i = batch.next++;
        received(input.mbufs[i], input.lengths[i], batch.times[i]);
    }
    flush();
    return limit;
}

void RxLoop::received(rte_mbuf* mbuf, std::uint32_t length, Timestamp time) {
    poll_bytes_ += length;
    if (time > poll_time_ + kStampAheadMax) { // a clock gone wrong must not take all timers with it
        add_to(counts_.wrong_times, 1);
        time = poll_time_;
    }
    PacketView view = view_of(mbuf, length);
    if (steering_)
        view.time = time; // `now` is its owner's
    else
        stamp(view, time);
    if (options_.filter != nullptr && !wanted(view)) {
        add_to(counts_.filtered, 1);
        rte_pktmbuf_free(mbuf);
        return;
    }
    if (steering_)
        steer(mbuf, view);
    else
        add(mbuf, view);
}

void RxLoop::stamp(PacketView& view, Timestamp time) {
    view.time = time;
    view.now = now_ = std::max({now_, time, poll_time_ - kStampBehindMax});
    view.number = ++number_;
}

PacketView RxLoop::view_of(rte_mbuf* mbuf, std::uint32_t length) {
    PacketView view;
    view.length = length;
    view.captured = std::min({rte_pktmbuf_pkt_len(mbuf), options_.snaplen, kGatherMax});
    view.data = mbuf->nb_segs == 1 ? rte_pktmbuf_mtod(mbuf, const std::uint8_t*) : gather(mbuf, view.captured);
    view.checksum_known_good = checksums_good(mbuf->ol_flags);
    view.vlan_stripped = (mbuf->ol_flags & RTE_MBUF_F_RX_VLAN_STRIPPED) != 0;
    view.vlan_tci = mbuf->vlan_tci;
    return view;
}

void RxLoop::add(rte_mbuf* mbuf, const PacketView& view) {
    if (mbuf->nb_segs != 1) add_to(counts_.gathered, 1); // once, though who received it for another worker did it, too
    views_[batched_] = view;
    batch_[batched_] = mbuf;
    if (++batched_ == options_.burst) flush();
}

// The bytes of a packet of several mbufs in one piece; they stay until the flush.
const std::uint8_t* RxLoop::gather(const rte_mbuf* mbuf, std::uint32_t length) {
    if (scratch_used_ + length > scratch_.size()) flush();
    std::uint8_t* to = scratch_.data() + scratch_used_;
    std::uint32_t copied = 0;
    for (const rte_mbuf* segment = mbuf; segment != nullptr && copied < length; segment = segment->next) {
        const std::uint32_t n = std::min<std::uint32_t>(rte_pktmbuf_data_len(segment), length - copied);
        std::memcpy(to + copied, rte_pktmbuf_mtod(segment, const std::uint8_t*), n);
        copied += n;
    }
    scratch_used_ += length;
    return to;
}

// The filter sees the frame as it was on the wire: a tag that the port took off is put back for it.
bool RxLoop::wanted(const PacketView& view) {
    if (!view.vlan_stripped || view.captured < kVlanTagAt)
        return options_.filter->matches(view.data, view.captured, view.length);
    std::memcpy(tagged_.data(), view.data, kVlanTagAt);
    const std::array<std::uint8_t, kVlanTagBytes> tag{0x81, 0x00, static_cast<std::uint8_t>(view.vlan_tci >> 8),
                                                      static_cast<std::uint8_t>(view.vlan_tci & 0xff)};
    std::memcpy(tagged_.data() + kVlanTagAt, tag.data(), kVlanTagBytes);
    std::memcpy(tagged_.data() + kVlanTagAt + kVlanTagBytes, view.data + kVlanTagAt, view.captured - kVlanTagAt);
    return options_.filter->matches(tagged_.data(), view.captured + kVlanTagBytes, view.length + kVlanTagBytes);
}

void RxLoop::flush() {
    if (batched_ != 0) {
        handed_over_ = true;
        engine_.process_burst(worker_, {views_.data(), batched_});
        rte_pktmbuf_free_bulk(batch_.data(), batched_);
    }
    batched_ = 0;
    scratch_used_ = 0;
}

// To the rings, from where its owner takes it.
void RxLoop::steer(rte_mbuf* mbuf, const PacketView& view) {
    const Timestamp time = view.time + stamps_behind_;
    if (time > clock_) clock_ = host_clock(); // it came after the poll began, or its stamp is ahead
    const Timestamp order = std::min(time, clock_);
    latest_ = std::max(latest_, order);
    steering_->give({mbuf, view.time, order, view.length}, distribution_->hash(view));
    scratch_used_ = 0; // it is gathered again where it is looked at
}

// All rings are filled, and it is told through when.
void RxLoop::give_out(Timestamp host_time, Timestamp handed_on) {
    const bool all = handed_on == kAllHandedOn;
    steering_->give_out(all ? std::max(latest_ - kOrderSlack, host_time - idle_lag_)
                            : std::min(handed_on + stamps_behind_, latest_));
}

std::size_t RxLoop::take_own(Timestamp host_time) {
    const std::size_t taken = steering_->take(host_time, [this](const SteeredPacket& packet) { take(packet); });
    flush();
    return taken;
}

void RxLoop::take(const SteeredPacket& packet) {
    PacketView view = view_of(packet.mbuf, static_cast<std::uint32_t>(packet.length));
    stamp(view, packet.time);
    add(packet.mbuf, view);
}

// The others may have something for this worker until they have ended, too.
void RxLoop::finish_steering() {
    steering_->end();
    const Timestamp deadline = host_clock() + options_.read_on_most + kUnreadLook + kSteeringEndMost;
    while (!steering_->all_ended() && host_clock() < deadline) {
        poll_time_ = host_clock();
        if (take_own(poll_time_) == 0) sleep_for(kShortestSleep);
    }
    steering_->take_rest([this](const SteeredPacket& packet) { take(packet); });
    flush();
}

// Of a poll that brought the Engine nothing: there was nothing, or the filter or other workers had all of it, which may
// be so for hours on a port that is never idle. True: time went on, which is work (expiry).
bool RxLoop::let_time_go_on(Timestamp host_time, bool idle) {
    if (host_time - idle_at_ < kIdleInterval && host_time >= idle_at_) // a clock set back does not silence it
        return false;
    idle_at_ = host_time;
    if (steering_)
        now_ = std::max(now_, std::min(host_time - idle_lag_, steering_->taken_through()));
    else if (idle) // else more may wait that was stamped before; what was left out has moved now_
        now_ = std::max(now_, host_time - idle_lag_);
    engine_.idle(worker_, now_);
    return true;
}

double RxLoop::busy_seconds() const {
    return static_cast<double>(counts_.busy_cycles.load(std::memory_order_relaxed)) /
           static_cast<double>(rte_get_tsc_hz());
}

std::uint64_t RxLoop::packets_of_port(std::uint16_t port_id) const {
    for (const Input& input : inputs_)
        if (input.source.port_id == port_id) return input.packets->load(std::memory_order_relaxed);
    return 0;
}

std::uint64_t RxLoop::bytes_of_port(std::uint16_t port_id) const {
    for (const Input& input : inputs_)
        if (input.source.port_id == port_id) return input.bytes->load(std::memory_order_relaxed);
    return 0;
}

// Spins for a while, then waits for the queues' sockets or sleeps, longer each time; never over a millisecond.
void RxLoop::rest() {
    if (++empty_in_a_row_ < kSpins) {
        rte_pause();
        return;
    }
    if (starved_) { // its socket would not be waited for: who has the buffers may need this processor
        sleep_for(kShortestSleep);
        return;
    }
    if (!wait_.empty() && wait_for_packets()) return;
    const std::uint32_t doublings = std::min(empty_in_a_row_ - kSpins, 7u);
    sleep_for(std::min(kShortestSleep << doublings, kLongestSleep));
}

// False: a socket is in error (its interface went down), which poll(2) would report without end.
bool RxLoop::wait_for_packets() {
    if (::poll(wait_.data(), wait_.size(), static_cast<int>(kLongestSleep / kMillisecond)) <= 0) return true;
    bool sound = true;
    for (const auto& waited : wait_) {
        if ((waited.revents & (POLLERR | POLLHUP | POLLNVAL)) == 0) continue;
        int error = 0;
        socklen_t size = sizeof error;
        getsockopt(waited.fd, SOL_SOCKET, SO_ERROR, &error, &size); // reading it clears it
        sound = false;
    }
    return sound;
}

} // namespace ftpsensor
