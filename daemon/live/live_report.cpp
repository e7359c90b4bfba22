#include "daemon/live/live_report.h"

#include <fmt/format.h>
#include <spdlog/spdlog.h>

namespace ftpsensor {
namespace {

constexpr Duration kRatesInterval = kMinute;
constexpr Duration kLossInterval = 10 * kSecond;

double per_second(std::uint64_t now, std::uint64_t before, Duration passed) {
    return passed <= 0 ? 0 : static_cast<double>(now - before) * 1e9 / static_cast<double>(passed);
}

std::string loss_text(const LiveTotals& now, const LiveTotals& before) {
    std::string text;
    const auto add = [&](std::uint64_t a, std::uint64_t b, const char* what) {
        if (a != b) text += fmt::format("{}{} {}", text.empty() ? "" : ", ", a - b, what);
    };
    add(now.ports.kernel_drops, before.ports.kernel_drops, "packets dropped by the kernel (ring full)");
    add(now.ports.missed, before.ports.missed, "packets missed by the port (no free descriptor)");
    add(now.ports.no_mbuf, before.ports.no_mbuf, "packets without a packet buffer");
    add(now.ports.errors, before.ports.errors, "damaged frames");
    add(now.cut, before.cut, "frames cut to their slot");
    add(now.records_dropped, before.records_dropped, "records dropped (queue full)");
    add(now.engine.entries_lost, before.engine.entries_lost, "entries that could not be written");
    return text;
}

std::string loss_remedy(const LiveTotals& now, const LiveTotals& before) {
    if (now.ports.lost() != before.ports.lost())
        return "more workers, a larger capture.ring_bytes (interface) or capture.rx_descriptors (port)";
    if (now.cut != before.cut)
        return "a larger capture.snaplen, or offloads off at the sending end: ethtool -K … tso off gso off";
    if (now.engine.entries_lost != before.engine.entries_lost) return "space on the log disk: df log.directory";
    if (now.records_dropped != before.records_dropped) return "a larger log.queue_records, or a faster log disk";
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

LiveReport::LiveReport(std::shared_ptr<spdlog::logger> log, Timestamp started)
    : log_(std::move(log)), started_(started), last_tick_(started), last_rates_(started) {}

void LiveReport::tick(const LiveTotals& totals, Timestamp now) {
    packets_a_second_ = per_second(totals.ports.received, at_last_tick_.ports.received, now - last_tick_);
    last_tick_ = now;
    at_last_tick_ = totals;
    say_losses(totals, now);
    say_rates(totals, now);
}

void LiveReport::say_losses(const LiveTotals& totals, Timestamp now) {
    if (now - last_loss_ < kLossInterval) return;
    const std::string text = loss_text(totals, at_last_loss_);
    if (text.empty()) return;
    log_->warn("lost: {}; try: {}", text, loss_remedy(totals, at_last_loss_));
    at_last_loss_ = totals;
    last_loss_ = now;
}

void LiveReport::say_rates(const LiveTotals& totals, Timestamp now) {
    const Duration passed = now - last_rates_;
    if (passed < kRatesInterval) return;
    const auto& before = at_last_rates_;
    log_->info("{:.0f} packets/s, {:.1f} Mbit/s, {} connections open, {:.1f} conn and {:.1f} ftp entries/s, lost: {}",
               per_second(totals.ports.received, before.ports.received, passed),
               per_second(totals.ports.bytes, before.ports.bytes, passed) * 8 / 1e6, totals.connections_open,
               per_second(totals.engine.conn_entries, before.engine.conn_entries, passed),
               per_second(totals.engine.ftp_entries, before.engine.ftp_entries, passed),
               totals.ports.lost() - before.ports.lost());
    at_last_rates_ = totals;
    last_rates_ = now;
}

std::string LiveReport::status(const LiveTotals& totals) const {
    return fmt::format("{:.0f} packets/s, {} connections, {} packets and {} records lost", packets_a_second_,
                       totals.connections_open, totals.ports.lost(), totals.records_dropped);
}

// One figure a key, so that scripts (and the live tests) read it: "summary: received=… missed=… …".
void LiveReport::summary(const LiveTotals& totals, Timestamp now,
                         const std::vector<std::pair<std::string, std::uint64_t>>& loss_details) const {
    std::uint64_t conn_dropped = 0;
    std::uint64_t ftp_dropped = 0;
    for (const auto& worker : totals.engine.workers) {
        conn_dropped += worker.conn_records_dropped;
        ftp_dropped += worker.ftp_records_dropped;
    }
    log_->info(
        "summary: seconds={:.1f} received={} bytes={} missed={} errors={} no_mbuf={} kernel_drops={} filtered={} "
        "cut={} gathered={} out_of_step={}",
        static_cast<double>(now - started_) / 1e9, totals.ports.received, totals.ports.bytes, totals.ports.missed,
        totals.ports.errors, totals.ports.no_mbuf, totals.ports.kernel_drops, totals.filtered, totals.cut,
        totals.gathered, totals.out_of_step);
    log_->info("summary: conn_entries={} ftp_entries={} conn_records_dropped={} ftp_records_dropped={} late_records={} "
               "write_errors={} entries_lost={}",
               totals.engine.conn_entries, totals.engine.ftp_entries, conn_dropped, ftp_dropped,
               totals.engine.late_records, totals.engine.write_errors, totals.engine.entries_lost);
    for (const auto& [name, value] : loss_details) log_->info("summary: port counter {}={}", name, value);
    for (const auto& event : totals.engine.events)
        log_->info("summary: event {}={}{}", event_name(event.event), event.count,
                   event.example_uid.empty() ? "" : " first seen in " + event.example_uid);
}

} // namespace ftpsensor
