#include "daemon/live/live_report.h"

#include "daemon/live/worker_skew.h"

#include <algorithm>

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace ftpsensor {
namespace {

constexpr Duration kRatesInterval = kMinute;
constexpr Duration kLossInterval = 10 * kSecond;

double seconds_of(const Snapshot& change) { return std::max(static_cast<double>(change.interval) / 1e9, 1e-9); }

template <class Rows, class Member>
std::uint64_t sum(const Rows& rows, Member member) {
    std::uint64_t total = 0;
    for (const auto& row : rows) total += row.*member;
    return total;
}

std::string loss_text(const Snapshot& change) {
    std::string text;
    const auto add = [&](std::uint64_t count, const char* what) {
        if (count != 0) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", count, what);
    };
    add(sum(change.ports, &PortFigures::kernel_dropped_packets), "packets dropped by the kernel (ring full)");
    add(sum(change.ports, &PortFigures::interface_dropped_packets), "packets dropped by the interface");
    add(sum(change.ports, &PortFigures::missed_packets), "packets missed by the port (no free descriptor)");
    add(sum(change.ports, &PortFigures::error_packets), "damaged frames");
    add(sum(change.workers, &WorkerFigures::cut_packets), "frames cut to their slot");
    add(sum(change.workers, &WorkerFigures::steering_dropped_packets),
        "packets on their way to another worker (ring full)");
    add(sum(change.workers, &WorkerFigures::unread_packets), "packets that were in the queues at the end");
    add(change.totals.records_dropped, "records dropped (queue full)");
    add(change.totals.entries_lost, "entries that could not be written");
    return text;
}

std::string loss_remedy(const Snapshot& change, const std::string& log_directory) {
    if (sum(change.workers, &WorkerFigures::steering_dropped_packets) != 0)
        return "a larger capture.resteer_packets, or CPUs of their own for the workers";
    if (sum(change.ports, &PortFigures::interface_dropped_packets) == change.totals.lost_packets &&
        change.totals.lost_packets != 0)
        return "more rings of the card on CPUs of their own: ethtool -L and -G, /proc/irq/*/smp_affinity; "
               "net.core.netdev_max_backlog";
    if (change.totals.lost_packets != 0)
        return "more workers, a larger capture.ring_bytes (interface) or capture.rx_descriptors (port)";
    if (sum(change.workers, &WorkerFigures::cut_packets) != 0)
        return "a larger capture.snaplen or MTU of the interface, and a restart; or offloads off at the sending end: "
               "ethtool -K … tso off gso off";
    if (change.totals.entries_lost != 0) return "room on the disk of the logs: df -h " + shell_words({log_directory});
    if (change.totals.records_dropped != 0) return "a larger log.queue_records, or a faster log disk";
    return "look at the cable and the sender";
}

} // namespace

void log_notes(spdlog::logger& log, const Notes& notes) {
    for (const auto& note : notes) {
        const std::string text = note.remedy.empty() ? note.text : note.text + "; try: " + note.remedy;
        if (note.level == NoteLevel::info)
            log.info("{}", text);
        else if (note.level == NoteLevel::warning)
            log.warn("{}", text);
        else
            log.error("{}", text);
    }
}

LiveReport::LiveReport(std::shared_ptr<spdlog::logger> log, std::string log_directory, Figures first)
    : log_(std::move(log)), log_directory_(std::move(log_directory)), at_last_tick_(first), at_last_rates_(first),
      at_last_loss_(std::move(first)) {}

void LiveReport::tick(const Figures& now) {
    const Snapshot change = difference(*now, *at_last_tick_);
    packets_a_second_ = static_cast<double>(change.totals.received_packets) / seconds_of(change);
    at_last_tick_ = now;
    say_losses(now);
    say_rates(now);
    say_stuck_rules(*now);
}

void LiveReport::say_losses(const Figures& now, bool at_end) {
    const Snapshot change = difference(*now, *at_last_loss_);
    const std::string text = loss_text(change);
    if (text.empty()) return;
    if (said_loss_ && !at_end && between(*at_last_loss_, *now) < kLossInterval) return;
    log_->warn("lost: {}; try: {}", text, loss_remedy(change, log_directory_));
    at_last_loss_ = now;
    said_loss_ = true;
}

void LiveReport::say_rates(const Figures& now) {
    if (between(*at_last_rates_, *now) < kRatesInterval) return;
    const Snapshot change = difference(*now, *at_last_rates_);
    const double seconds = seconds_of(change);
    const Totals& t = change.totals;
    const auto rate = [&](std::uint64_t count) { return static_cast<double>(count) / seconds; };
    log_->info("{:.0f} packets/s, {:.1f} Mbit/s, {} connections open, {:.1f} conn and {:.1f} ftp entries/s, lost: {}",
               rate(t.received_packets), rate(t.received_bytes) * 8 / 1e6, t.connections_open, rate(t.conn_entries),
               rate(t.ftp_entries), t.lost_packets);
    if (const auto skew = worker_skew(change))
        log_->warn(
            "worker {} of {} had {:.0f} % of the packets; try: capture.rss: ports, where few pairs of addresses have "
            "most of the traffic",
            skew->worker + 1, change.workers.size(), 100 * skew->share);
    at_last_rates_ = now;
}

// Which is no loss that can be counted: of what such a rule drops the port tells no more than packets and bytes.
void LiveReport::say_stuck_rules(const Snapshot& now) {
    const std::uint64_t stuck = sum(now.ports, &PortFigures::shunt_rules_stuck);
    if (stuck > said_stuck_)
        log_->warn("{} flow rules of capture.shunt were not taken away by their port, which goes on dropping what they "
                   "match; tried again each second; try: a restart with capture.shunt: off",
                   stuck);
    said_stuck_ = stuck == 0 ? 0 : std::max(stuck, said_stuck_);
}

std::string LiveReport::status() const {
    const Totals& t = at_last_tick_->totals;
    return fmt::format("{:.0f} packets/s, {} connections, {} packets and {} records lost", packets_a_second_,
                       t.connections_open, t.lost_packets, t.records_dropped);
}

void LiveReport::summary(const Figures& end, const std::vector<std::pair<std::string, std::uint64_t>>& loss_details) {
    say_losses(end, true);
    say_figures(*end);
    for (const auto& [name, value] : loss_details) log_->info("summary: port counter {}={}", name, value);
    for (const auto& event : end->events)
        log_->info("summary: event {}={}{}", event.name, event.count,
                   event.example_uid.empty() ? "" : " first seen in " + event.example_uid);
}

// One figure a key, so that scripts (and the live tests) read it: "summary: received=… missed=… …".
void LiveReport::say_figures(const Snapshot& end) const {
    log_->info("summary: seconds={:.1f} received={} bytes={} missed={} errors={} no_mbuf={} kernel_drops={} "
               "interface_drops={} interface_unclaimed={} filtered={} cut={} gathered={} out_of_step={} unread={}",
               end.sensor.uptime_seconds, end.totals.received_packets, end.totals.received_bytes,
               sum(end.ports, &PortFigures::missed_packets), end.totals.error_packets,
               sum(end.ports, &PortFigures::no_mbuf_packets), sum(end.ports, &PortFigures::kernel_dropped_packets),
               sum(end.ports, &PortFigures::interface_dropped_packets),
               sum(end.ports, &PortFigures::interface_unclaimed_packets),
               sum(end.workers, &WorkerFigures::filtered_packets), sum(end.workers, &WorkerFigures::cut_packets),
               sum(end.workers, &WorkerFigures::gathered_packets), sum(end.workers, &WorkerFigures::rings_out_of_step),
               sum(end.workers, &WorkerFigures::unread_packets));
    log_->info("summary: steered={} steering_dropped={} steered_late={}",
               sum(end.workers, &WorkerFigures::steered_packets),
               sum(end.workers, &WorkerFigures::steering_dropped_packets),
               sum(end.workers, &WorkerFigures::steered_late_packets));
    log_->info("summary: conn_entries={} ftp_entries={} conn_records_dropped={} ftp_records_dropped={} late_records={} "
               "write_errors={} entries_lost={}",
               end.totals.conn_entries, end.totals.ftp_entries, sum(end.workers, &WorkerFigures::conn_records_dropped),
               sum(end.workers, &WorkerFigures::ftp_records_dropped), end.sensor.late_records,
               sum(end.logs, &LogFigures::write_errors), end.totals.entries_lost);
}

} // namespace ftpsensor
